"""A SunSpec device: a chain of models whose live points are computed when they are asked for."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from itertools import groupby

from pymodbus.constants import ExcCodes
from pymodbus.simulator import DataType, SimData, SimDevice

from sim.devices.codec import decode, encode
from sim.devices.layout import Field, layout
from sim.devices.request import Request, action

BASE = 40_000
"""Where the chain starts; the first of the three addresses that SunSpec allows."""

_END = [0xFFFF, 0]

Value = float | int | str | None
Changes = dict[str, float]
Live = Callable[[], float | None]


class RefusedWriteError(Exception):
    """A write that the device answers with 'illegal data value'."""


@dataclass(frozen=True)
class Model:
    """What one model of a device holds, in real units.

    `fixed` values never change, `live` ones are asked for at each request; a point in neither is not
    implemented. Points that the definition makes writable can be written when they are in `live` and not
    `locked`; `on_write` gets the new values by path before they take effect.
    """

    model_id: int
    fixed: Mapping[str, Value]
    live: Mapping[str, Live] = field(default_factory=dict)
    on_write: Callable[[Changes], None] | None = None
    counts: Mapping[str, int] = field(default_factory=dict)
    locked: Collection[str] = ()


@dataclass(frozen=True, slots=True)
class _Slot:
    """A point at its address."""

    address: int
    field: Field
    model: Model
    scale: int
    live: Live | None
    writable: bool

    @property
    def end(self) -> int:
        return self.address + self.field.size

    def raw(self, value: Value) -> int | str | None:
        if value is None or isinstance(value, str):
            return value
        return round(value / 10.0**self.scale)

    def words(self, value: Value) -> list[int]:
        return encode(self.field.kind, self.field.size, self.raw(value))


class SunSpecMap:
    """The registers of a chain of models, and what requests do to them.

    `advance` brings the physics up to now; it runs before every request is answered.
    """

    def __init__(self, models: list[Model], advance: Callable[[], None]) -> None:
        self._advance = advance
        self._slots: list[_Slot] = []
        words = [*encode("string", 2, "SunS")]
        for model in models:
            words += self._add(model, BASE + len(words))
        self._words = words + _END
        self._starts = [slot.address for slot in self._slots]

    def device(self, unit_id: int) -> SimDevice:
        """The Modbus device that serves this map."""
        return SimDevice(id=unit_id, simdata=self._blocks(), action=action(self._act))

    def _add(self, model: Model, start: int) -> list[int]:
        fields = layout(model.model_id, model.counts)
        length = sum(each.size for each in fields) - 2
        known = {**model.fixed, "ID": model.model_id, "L": length, **model.counts}
        words: list[int] = []
        for each in fields:
            slot = self._slot(model, each, start + each.offset, known)
            self._slots.append(slot)
            words += slot.words(slot.live() if slot.live else known.get(each.path))
        return words

    def _slot(self, model: Model, each: Field, address: int, known: Mapping[str, Value]) -> _Slot:
        scale = known.get(each.sf) if isinstance(each.sf, str) else each.sf
        live = model.live.get(each.path)
        writable = each.writable and live is not None and each.path not in model.locked
        return _Slot(address, each, model, int(scale or 0), live, writable)

    def _blocks(self) -> list[SimData]:
        """Runs of registers with the same access; the identifier and the end marker cannot be written."""
        writable = [False] * len(self._words)
        for slot in self._slots:
            writable[slot.address - BASE : slot.end - BASE] = [slot.writable] * slot.field.size
        blocks: list[SimData] = []
        for is_writable, run in groupby(range(len(writable)), key=writable.__getitem__):
            offsets = list(run)
            words = [self._words[offset] for offset in offsets]
            blocks.append(
                SimData(
                    BASE + offsets[0], values=words, datatype=DataType.REGISTERS, readonly=not is_writable
                )
            )
        return blocks

    def _act(self, request: Request) -> ExcCodes | None:
        """Refresh what is read, apply what is written."""
        self._advance()
        slots = self._touched(request.address, request.count)
        if request.values is not None:
            return self._write(slots, request)
        for slot in slots:
            if slot.live:
                at = slot.address - request.start
                request.registers[at : at + slot.field.size] = slot.words(slot.live())
        return None

    def _touched(self, address: int, count: int) -> list[_Slot]:
        first = bisect_left(self._starts, address)
        if first and self._slots[first - 1].end > address:
            first -= 1
        return self._slots[first : bisect_left(self._starts, address + count)]

    def _write(self, slots: list[_Slot], request: Request) -> ExcCodes | None:
        image = request.registers.copy()
        first = request.address - request.start
        image[first : first + request.count] = [int(word) for word in request.values or ()]
        by_model: dict[int, tuple[Model, Changes]] = {}
        for slot in slots:
            at = slot.address - request.start
            raw = decode(slot.field.kind, image[at : at + slot.field.size])
            if raw is None:
                return ExcCodes.ILLEGAL_VALUE
            _, changes = by_model.setdefault(id(slot.model), (slot.model, {}))
            changes[slot.field.path] = raw * 10.0**slot.scale
        try:
            for model, changes in by_model.values():
                if model.on_write:
                    model.on_write(changes)
        except RefusedWriteError:
            return ExcCodes.ILLEGAL_VALUE
        return None
