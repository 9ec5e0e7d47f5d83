"""A SunSpec device: a chain of models, all of it computed when it is asked for."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field

from sim.devices.codec import decode, encode
from sim.devices.layout import Field, layout
from sim.devices.unit import ModbusRefusal, Refusal
from tiir.setting import TiirError

BASE = 40_000
"""Where the chain starts; the first of the three addresses that SunSpec allows."""

MARKER: Sequence[int] = (0x5375, 0x6E53)
"""What stands at the base: SunS."""

END: Sequence[int] = (0xFFFF, 0)
"""What stands behind the last model."""

_READ = 3
_WRITE = (6, 16)

Value = float | int | str | None
Changes = dict[str, float]
Live = Callable[[], float | None]
Apply = Callable[[], None]
"""Carries out a write that was judged; it cannot fail."""


class RefusedWriteError(Exception):
    """A write that the device answers with 'illegal data value'."""


@dataclass(frozen=True)
class Model:
    """What one model of a device holds, in real units.

    `fixed` values never change, `live` ones are asked for at each request (a scale factor may be one); a point
    in neither is not implemented. Points that the definition makes writable can be written when they are in
    `live` and not `locked`; `on_write` judges the new values by path and returns what carries them out, so that
    a write that is refused has changed nothing. `counts` says how often groups repeat, or is asked at each
    request when that changes. Points in `omit` are left out, so that the model is shorter than its definition;
    those in groups in `closed` cannot be read.
    """

    model_id: int
    fixed: Mapping[str, Value]
    live: Mapping[str, Live] = field(default_factory=dict)
    on_write: Callable[[Changes], Apply] | None = None
    counts: Mapping[str, int] | Callable[[], Mapping[str, int]] = field(default_factory=dict)
    locked: Collection[str] = ()
    omit: Collection[str] = ()
    closed: Collection[str] = ()

    def counts_now(self) -> Mapping[str, int]:
        """How often groups repeat at this moment."""
        return self.counts() if callable(self.counts) else self.counts


@dataclass(frozen=True, slots=True)
class _Slot:
    """A point at its address."""

    address: int
    field: Field
    model: Model
    value: Value

    @property
    def end(self) -> int:
        return self.address + self.field.size

    @property
    def changes(self) -> bool:
        """Whether its registers can be others at another time."""
        live = self.model.live
        return self.field.path in live or self.field.sf in live

    @property
    def writable(self) -> bool:
        path, model = self.field.path, self.model
        return self.field.writable and path in model.live and path not in model.locked

    @property
    def closed(self) -> bool:
        return self.field.path.partition(".")[0] in self.model.closed

    def scale(self) -> int:
        sf = self.field.sf
        if not isinstance(sf, str):
            return sf or 0
        live = self.model.live.get(sf)
        return int((live() if live else self.model.fixed.get(sf)) or 0)

    def words(self) -> list[int]:
        live = self.model.live.get(self.field.path)
        return encode(self.field.kind, self.field.size, live() if live else self.value, self.scale())


@dataclass(frozen=True, slots=True)
class _Chain:
    """One layout of the chain: its points, and all registers with those that never change filled in."""

    slots: list[_Slot]
    starts: list[int]
    words: list[int]

    def touched(self, address: int, count: int) -> list[_Slot]:
        first = bisect_left(self.starts, address)
        if first and self.slots[first - 1].end > address:
            first -= 1
        return self.slots[first : bisect_left(self.starts, address + count)]


class SunSpecMap:
    """The registers of a chain of models from `base` on, and what requests do to them.

    `advance` brings the physics up to now; it runs before every request is answered.
    """

    def __init__(
        self,
        models: Sequence[Model],
        advance: Callable[[], None],
        base: int = BASE,
        marker: Sequence[int] = MARKER,
        end: Sequence[int] = END,
    ) -> None:
        self._models = models
        self._advance = advance
        self._base = base
        self._marker, self._end = list(marker), list(end)
        self._chains: dict[tuple[tuple[int, ...], ...], _Chain] = {}
        self._chain()

    def image(self) -> list[int]:
        """All registers as they are now, from the base to the end of the chain."""
        return self.read(_READ, self._base, len(self._chain().words))

    def read(self, function_code: int, address: int, count: int) -> list[int]:
        """Registers by function 3.

        Raises:
            ModbusRefusal: Illegal function or, beyond the chain or in a closed group, illegal address.
        """
        if function_code != _READ:
            raise ModbusRefusal(Refusal.ILLEGAL_FUNCTION)
        self._advance()
        chain, first = self._chain(), address - self._base
        if first < 0 or first + count > len(chain.words):
            raise ModbusRefusal(Refusal.ILLEGAL_ADDRESS)
        words = chain.words[first : first + count]
        for slot in chain.touched(address, count):
            if slot.closed:
                raise ModbusRefusal(Refusal.ILLEGAL_ADDRESS)
            if slot.changes:
                _lay(words, address, slot.address, slot.words())
        return words

    def write(self, function_code: int, address: int, values: Sequence[int]) -> None:
        """Registers by function 6 or 16, all or none; the rest of a point that is written in part stays.

        Raises:
            ModbusRefusal: Illegal function; illegal address where a point cannot be written; illegal value.
        """
        if function_code not in _WRITE:
            raise ModbusRefusal(Refusal.ILLEGAL_FUNCTION)
        self._advance()
        slots = self._chain().touched(address, len(values))
        covered = slots and slots[0].address <= address and slots[-1].end >= address + len(values)
        if not covered or not all(slot.writable for slot in slots):
            raise ModbusRefusal(Refusal.ILLEGAL_ADDRESS)
        model = slots[0].model  # a model's header cannot be written, so no write reaches into the next one
        changes: Changes = {}
        for slot in slots:
            words = slot.words()
            _lay(words, slot.address, address, values)
            raw = decode(slot.field.kind, words)
            if raw is None:
                raise ModbusRefusal(Refusal.ILLEGAL_VALUE)
            changes[slot.field.path] = raw * 10.0 ** slot.scale()
        try:
            apply = model.on_write(changes) if model.on_write else None
        except (RefusedWriteError, TiirError) as refused:
            raise ModbusRefusal(Refusal.ILLEGAL_VALUE) from refused
        if apply:
            apply()

    def absent(self, words: Sequence[int], address: int) -> list[int]:
        """`words`, read from `address` on, with 'not implemented' in every point that changes but scale factors."""
        blank = list(words)
        for slot in self._chain().touched(address, len(blank)):
            if slot.changes and slot.field.kind != "sunssf":
                _lay(blank, address, slot.address, encode(slot.field.kind, slot.field.size, None))
        return blank

    def measured(self, address: int, count: int) -> list[int]:
        """Those of `count` registers from `address` on that change and that nobody can write."""
        return [
            register
            for slot in self._chain().touched(address, count)
            if slot.changes and not slot.field.writable
            for register in range(max(address, slot.address), min(address + count, slot.end))
        ]

    def _chain(self) -> _Chain:
        """The chain as it is laid out now; layouts are kept, for most devices have one."""
        counts = [model.counts_now() for model in self._models]
        key = tuple(tuple(of_model.values()) for of_model in counts)
        if key not in self._chains:
            self._chains[key] = self._lay_out(counts)
        return self._chains[key]

    def _lay_out(self, counts: Sequence[Mapping[str, int]]) -> _Chain:
        slots: list[_Slot] = []
        words = self._marker.copy()
        for model, of_model in zip(self._models, counts, strict=True):
            fields = layout(model.model_id, of_model, model.omit)
            start = self._base + len(words)
            length = sum(each.size for each in fields) - 2
            known = {**of_model, **model.fixed, "ID": model.model_id, "L": length}
            for each in fields:
                slot = _Slot(start + each.offset, each, model, known.get(each.path))
                slots.append(slot)
                words += slot.words()
        return _Chain(slots, [slot.address for slot in slots], words + self._end)


def _lay(words: list[int], at: int, address: int, values: Sequence[int]) -> None:
    """Put `values` from `address` on into `words`, which start at `at`; what lies outside is dropped."""
    low, high = max(at, address), min(at + len(words), address + len(values))
    words[low - at : high - at] = values[low - address : high - address]
