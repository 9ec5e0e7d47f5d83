"""Faults of the devices themselves: a restart, a welded contact. The same in virtual time and over Modbus."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial

from sim.files.fault import Fault, FaultKind
from sim.limit import LimitWrite
from sim.plant import Plant

_NO_LIMIT = LimitWrite(enabled=False, cap_pu=1.0, revert_enabled=False, revert_cap_pu=1.0, revert_after_s=0.0)
"""What a device that keeps its controls in volatile memory holds after a restart."""


class PlantFaults:
    """Faults of the devices themselves, and the note of every fault in the truth."""

    def __init__(self, plant: Plant, faults: Sequence[Fault]) -> None:
        self._plant = plant
        self._units = {unit.role: index for index, unit in enumerate(plant.sim.inverter)}
        self._coils = {coil.role: index for index, coil in enumerate(plant.sim.coil)}
        turns: list[tuple[float, int, Callable[[], None]]] = []
        for number, fault in enumerate(faults):
            turns.append((fault.at_s, number, partial(self._begin, fault)))
            turns.append((fault.until_s, number, partial(self._end, fault)))
        self._turns = sorted(turns, key=lambda turn: turn[:2], reverse=True)

    def step(self, now_s: float) -> None:
        """Let begin and end what is due."""
        while self._turns and self._turns[-1][0] <= now_s + 1e-9:
            self._turns.pop()[2]()

    def _begin(self, fault: Fault) -> None:
        self._plant.note(told(fault))
        if fault.kind is FaultKind.CONTACT_WELDED:
            self._plant.coils[self._coils[fault.target or ""]].welded = True
        elif fault.kind is FaultKind.REBOOT:
            self._power(fault.target or "", on=False)

    def _end(self, fault: Fault) -> None:
        self._plant.note(f"end of {told(fault)}")
        if fault.kind is FaultKind.CONTACT_WELDED:
            self._plant.coils[self._coils[fault.target or ""]].welded = False
        elif fault.kind is FaultKind.REBOOT:
            self._power(fault.target or "", on=True)

    def _power(self, role: str, *, on: bool) -> None:
        """The device loses its supply, or comes up with what it holds after a restart: no limit, coil open."""
        if role in self._units:
            unit, fleet = self._units[role], self._plant.fleet
            fleet.connect[unit] = on
            fleet.limit.write(unit, _NO_LIMIT)
        elif role in self._coils:
            self._plant.coils[self._coils[role]].write(closed=False)


def told(fault: Fault) -> str:
    """The fault in a few words, for the truth and the plot."""
    return f"{fault.target}: {fault.kind}" if fault.target else str(fault.kind)
