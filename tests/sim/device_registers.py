"""An inverter's unit without a wire: its registers by model and point, and its plant."""

from __future__ import annotations

from typing import Any

from site_tables import site_of

from sim.devices.assembly import inverter_unit
from sim.devices.layout import layout
from sim.devices.sunspec import BASE
from sim.plant import Plant
from tiir.values import Value

COUNTS = ("NPt", "NCrv", "NCrvSet", "NCtl", "NPrt", "module", "curve", "repeating")


class Registers:
    """An inverter's unit without a wire, and its points by model and path."""

    def __init__(self, unit: dict[str, Any]) -> None:
        self.plant = Plant(site_of(unit))
        self.unit = inverter_unit(self.plant, 0, lambda: None)
        self._at: dict[tuple[int, str], tuple[int, int, str]] = {}
        address = BASE + 2
        while (model := self._word(address)) != 0xFFFF:
            length = self._word(address + 1)
            for each in layout(model, self._counts(model, address, length)):
                self._at[model, each.path] = (address + each.offset, each.size, each.kind)
            address += length + 2

    def _word(self, address: int) -> int:
        return self.unit.read(3, address, 1)[0]

    def _counts(self, model: int, address: int, length: int) -> dict[str, int]:
        plain = {each.path: each.offset for each in layout(model, dict.fromkeys(COUNTS, 0))}
        counts = {name: self._word(address + plain[name]) for name in COUNTS if name in plain}
        return {**dict.fromkeys(COUNTS, 0), **counts, "curve": 1 if model == 134 else 3}

    def at(self, model: int, path: str) -> tuple[int, int, str]:
        """Address, size and type of a point."""
        return self._at[model, path]

    def raw(self, model: int, path: str) -> int:
        address, size, kind = self._at[model, path]
        value = 0
        for word in self.unit.read(3, address, size):
            value = value << 16 | word
        signed = kind.startswith("int") or kind == "sunssf"
        return value - (1 << 16 * size) if signed and value >> (16 * size - 1) else value

    def write(self, model: int, path: str, raw: int) -> None:
        address, size, _ = self._at[model, path]
        words = [raw >> 16 * (size - 1 - index) & 0xFFFF for index in range(size)]
        self.unit.write(16, address, words)

    def run(self, seconds: float) -> None:
        for _ in range(round(seconds / self.plant.dt_s)):
            self.plant.step()

    def setting(self, label: str) -> Value:
        return self.plant.fleet.settings(0)[label]
