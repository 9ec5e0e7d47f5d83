"""One SunSpec device: its chain of models, whole-model reads, and writes that are read back."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from drivers.bus import Bus
from drivers.errors import BadData, Moved, OutOfRange
from drivers.protocol import Outcome, Value, WriteResult
from drivers.question import MAX_READ
from drivers.sunspec.decode import GroupValues, decode
from drivers.sunspec.definition import COMMON, HEADER, GroupDef, definition
from drivers.sunspec.discovery import Chain, ModelRef, discover
from drivers.sunspec.encode import Rounding, resolve_scale
from drivers.sunspec.plan import Group, Plan, count_names, head, make_plan, spans
from drivers.sunspec.write import Job, judge, plan_jobs, send
from edge.model.readings import Identity

Path: TypeAlias = tuple[str | int, ...]


@dataclass(frozen=True, slots=True)
class ModelRead:
    """A model instance as read: where it is, its layout, its registers from the ID on, and its values."""

    ref: ModelRef
    plan: Plan | None
    words: list[int]
    values: GroupValues
    warnings: tuple[str, ...] = ()


class SunSpecDevice:
    """A unit that speaks SunSpec. Layouts are found by walking the chain and never stored across sessions."""

    def __init__(self, bus: Bus, unit: int) -> None:
        self.bus = bus
        self.unit = unit
        self._chain: Chain | None = None

    async def discover(self) -> Chain:
        """Walk the chain anew."""
        self._chain = await discover(self.bus, self.unit)
        return self._chain

    async def chain(self) -> Chain:
        """The chain, walked when it is not known."""
        return self._chain if self._chain is not None else await self.discover()

    def forget(self) -> None:
        """Walk the chain again before the next use: the device does not look as it did."""
        self._chain = None

    async def find(self, *model_ids: int) -> ModelRef | None:
        """The first instance of the first of these models that the device has, in the order asked for."""
        models = (await self.chain()).models
        return next((ref for model_id in model_ids for ref in models if ref.id == model_id), None)

    async def need(self, *model_ids: int) -> ModelRef:
        """As `find`.

        Raises:
            BadData: the device has none of them.
        """
        ref = await self.find(*model_ids)
        if ref is None:
            wanted = " or ".join(str(model_id) for model_id in model_ids)
            raise BadData(f"unit {self.unit} on {self.bus.line.endpoint} has no SunSpec model {wanted}")
        return ref

    async def read_model(self, model: int | ModelRef) -> ModelRead:
        """Read and decode one model instance; a number means the first of that id.

        Up to 125 registers come in one request; longer models are cut between values.
        """
        ref = await self.need(model) if isinstance(model, int) else model
        spec = definition(ref.id)
        if spec is None:
            return ModelRead(ref, None, [ref.id, ref.length], GroupValues({"ID": ref.id, "L": ref.length}))
        top = head(spec)
        size = ref.length + HEADER
        words = await self._words(ref, 0, [(0, size)] if size <= MAX_READ else spans(top.every_point, size))
        counts = _counts(spec, decode(Plan(top, size, ()), words))
        plan = make_plan(spec, ref.length, counts)
        rest = [point for point in plan.root.every_point if point.offset >= len(words)]
        words += await self._words(ref, len(words), spans(rest, plan.size))
        if words[:HEADER] != [ref.id, ref.length]:
            self.forget()
            raise Moved(f"model {ref.id} is no longer at {ref.address} of unit {self.unit}")
        return ModelRead(ref, plan, words, decode(plan, words), plan.warnings)

    async def write_points(
        self,
        model: int | ModelRef,
        values: Mapping[str, Value],
        *,
        path: Path = (),
        rounding: Rounding = "nearest",
    ) -> WriteResult:
        """Write points of a model, read the model back and compare.

        Scale factors are read from the device right before. Points side by side go in one request, a 32-bit
        point whole. Nothing is sent when one value does not fit.

        Args:
            model: its id, or one instance.
            values: engineering values by point name.
            path: the group that holds them, as in `("Crv", 1)`; instances count from 0.
            rounding: `down` never writes more than was asked.
        """
        return await self.write_groups(model, {path: values}, rounding=rounding)

    async def write_groups(
        self,
        model: int | ModelRef,
        values: Mapping[Path, Mapping[str, Value]],
        *,
        rounding: Rounding = "nearest",
    ) -> WriteResult:
        """As `write_points`, for several groups at once; results are keyed like `Crv.1.Pt.0.V`."""
        before = await self.read_model(model)
        try:
            jobs = make_jobs(before, values, rounding)
        except OutOfRange as error:
            wanted = {_key(path, name): v for path, group in values.items() for name, v in group.items()}
            return WriteResult(Outcome.REFUSED, wanted, {}, str(error))
        done, refusal = await send(self.bus, self.unit, before.ref, jobs)
        result = check(jobs, await self.read_model(before.ref), values)
        if refusal:
            outcome = Outcome.MISMATCH if done else Outcome.REFUSED
            return WriteResult(outcome, result.wanted, result.found, refusal)
        return result

    async def identity(
        self, nameplate: tuple[float | None, float | None] = (None, None), common: ModelRef | None = None
    ) -> Identity:
        """Who a common model (the first by default) says it is; what it leaves out is an empty string."""
        points = (await self.read_model(common or COMMON)).values.points
        maker, model, version, serial = (str(points.get(name) or "") for name in ("Mn", "Md", "Vr", "SN"))
        return Identity(maker, model, version, serial, *nameplate)

    async def _words(self, ref: ModelRef, start: int, reads: list[tuple[int, int]]) -> list[int]:
        words: list[int] = []
        for offset, count in reads:
            if offset != start + len(words):
                raise BadData(f"model {ref.id} cannot be read without a gap")
            words += (await self.bus.read(self.unit, ref.address + offset, count)).words
        return words


def group_values(values: GroupValues, path: Path) -> GroupValues:
    """The values of one group below a model, as in `("Crv", 1)`."""
    for name, index in _steps(path):
        values = values.groups[name][index]
    return values


def make_jobs(
    read: ModelRead, values: Mapping[Path, Mapping[str, Value]], rounding: Rounding = "nearest"
) -> list[Job]:
    """Encode values for groups of a model with the scale factors it was just read with.

    Raises:
        OutOfRange: something cannot be written.
    """
    jobs: list[Job] = []
    for path, points in values.items():
        group = _group_at(read, path)
        own, outer = group_values(read.values, path).points, read.values.points
        exponents = {name: resolve_scale(point, own, outer) for name, point in group.points.items()}
        jobs += plan_jobs(group, points, exponents, prefix=_key(path), rounding=rounding)
    return sorted(jobs, key=lambda job: job.point.offset)


def check(jobs: Sequence[Job], after: ModelRead, values: Mapping[Path, Mapping[str, Value]]) -> WriteResult:
    """Compare jobs with the model as read afterwards."""
    found = {
        _key(path, name): value
        for path in values
        for name, value in group_values(after.values, path).points.items()
    }
    return judge(jobs, after.words, found)


def _group_at(read: ModelRead, path: Path) -> Group:
    if read.plan is None:
        raise OutOfRange(f"model {read.ref.id} is not known")
    group = read.plan.root
    for name, index in _steps(path):
        if index >= len(group.groups.get(name, ())):
            raise OutOfRange(f"model {read.ref.id} has no group {name} number {index + 1}")
        group = group.groups[name][index]
    return group


def _key(path: Path, name: str = "") -> str:
    return "".join(f"{part}." for part in path) + name


def _steps(path: Path) -> list[tuple[str, int]]:
    return [(str(name), int(index)) for name, index in zip(path[::2], path[1::2], strict=True)]


def _counts(spec: GroupDef, values: GroupValues) -> dict[str, int | None]:
    counts: dict[str, int | None] = {}
    for name in count_names(spec):
        value = values.points.get(name)
        counts[name] = value if isinstance(value, int) else None
    return counts
