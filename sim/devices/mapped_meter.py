"""The PCC meter with registers of a maker's own, out of its map."""

from __future__ import annotations

import struct
from collections.abc import Callable, Sequence
from itertools import pairwise

from sim.devices.meter import Shown
from sim.devices.unit import ModbusRefusal, Refusal
from sim.files.meter_map import SIZES, MeterMap, Register

_FORMATS = {"int16": "h", "uint16": "H", "int32": "i", "uint32": "I", "int64": "q", "uint64": "Q"}
_FLOATS = {"float32": "f", "float64": "d"}

_LONGEST_GAP = 100
"""Unused registers in a row that read as 0; an address in a longer gap does not exist."""


class MappedMeter:
    """Reads compute what they show; nothing can be written."""

    def __init__(self, meter: MeterMap, shown: Shown, advance: Callable[[], None]) -> None:
        self._meter = meter
        self._shown = shown
        self._advance = advance
        self._registers = sorted(meter.registers, key=lambda each: each.address)
        self._constants = {each.address: each.word for each in meter.constants}
        used = {address for each in self._registers for address in range(each.address, each.end)}
        self._there = _with_short_gaps(sorted(used | self._constants.keys()))

    def read(self, function_code: int, address: int, count: int) -> list[int]:
        """Registers as the meter last published them.

        Raises:
            ModbusRefusal: Illegal function, or an address that does not exist.
        """
        if function_code not in self._meter.function_codes:
            raise ModbusRefusal(Refusal.ILLEGAL_FUNCTION)
        if not self._there.issuperset(range(address, address + count)):
            raise ModbusRefusal(Refusal.ILLEGAL_ADDRESS)
        self._advance()
        words = dict.fromkeys(range(address, address + count), 0) | self._constants
        for register in self._registers:
            if register.end > address and register.address < address + count:
                words |= dict(enumerate(self._words(register), start=register.address))
        return [words[each] for each in range(address, address + count)]

    def write(self, function_code: int, address: int, values: Sequence[int]) -> None:
        """Nothing here can be written.

        Raises:
            ModbusRefusal: Always.
        """
        del function_code, address, values
        raise ModbusRefusal(Refusal.ILLEGAL_FUNCTION)

    def _words(self, register: Register) -> list[int]:
        value = self._value(register.quantity) / register.scale
        if register.type in _FLOATS:
            data = struct.pack(">" + _FLOATS[register.type], value)
        else:
            data = struct.pack(">" + _FORMATS[register.type], _inside(round(value), register))
        words = list(struct.unpack(f">{SIZES[register.type]}H", data))
        return words if self._meter.word_order == "high_first" else words[::-1]

    def _value(self, quantity: str) -> float:
        name, _, phase = quantity.rpartition("_")
        if phase in ("a", "b", "c"):
            return _BY_PHASE[name](self._shown, "abc".index(phase))
        return _WHOLE[quantity](self._shown)


_BY_PHASE: dict[str, Callable[[Shown, int], float]] = {
    "v": Shown.phase_v,
    "a": Shown.amps,
    "w": Shown.watts,
    "var": Shown.vars,
    "va": Shown.voltamps,
    "pf": Shown.power_factor,
    "imported_wh": Shown.imported_wh,
    "exported_wh": Shown.exported_wh,
}

_WHOLE: dict[str, Callable[[Shown], float]] = {
    "v": Shown.phase_v,
    "w": Shown.watts,
    "var": Shown.vars,
    "va": Shown.voltamps,
    "pf": Shown.power_factor,
    "hz": Shown.hz,
    "imported_wh": Shown.imported_wh,
    "exported_wh": Shown.exported_wh,
}


def _inside(raw: int, register: Register) -> int:
    """`raw` kept inside the register's type."""
    values = 1 << 16 * SIZES[register.type]
    low = 0 if register.type.startswith("u") else -values // 2
    return min(low + values - 1, max(low, raw))


def _with_short_gaps(used: Sequence[int]) -> frozenset[int]:
    there = set(used)
    for left, right in pairwise(used):
        if right - left <= _LONGEST_GAP:
            there |= set(range(left, right))
    return frozenset(there)
