"""The faults of a served site: when they begin and end, on the wire and in the devices."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import inf
from random import Random

from sim.files.fault import OF_THE_GATEWAY, Fault, FaultKind
from sim.plant import Plant
from sim.plant_faults import PlantFaults
from sim.wire.faults import wire_fault
from sim.wire.places import Place


class Injector:
    """Lets faults begin and end as the plant's time passes; random ones are drawn from `seed`.

    Faults of the gateway itself cannot be served and are left out.
    """

    def __init__(
        self, plant: Plant, places: Mapping[str, Place], faults: Sequence[Fault] = (), seed: int = 1
    ) -> None:
        self._plant = plant
        self._places = places
        self._random = Random(seed)
        self._running: list[_Running] = []
        self._next_s = inf
        for fault in faults:
            if fault.kind not in OF_THE_GATEWAY:
                self.add(fault)

    def add(self, fault: Fault) -> None:
        """Take on a fault that fits the site; one that is due begins with the next step."""
        place = self._places[fault.target or ""]
        swapped = self._places[fault.swap_with] if fault.swap_with else None
        self._running.append(_Running(fault, place, swapped, self._plant, self._random))
        self._next_s = min(self._next_s, fault.at_s)

    def step(self, now_s: float) -> None:
        """Let begin and end what is due at the plant's time `now_s`."""
        if now_s < self._next_s:
            return
        for each in self._running:
            each.step(now_s)
        self._running = [each for each in self._running if not each.ended]
        self._next_s = min((each.next_s for each in self._running), default=inf)

    def clear(self) -> None:
        """End every fault, also those that have not begun."""
        for each in self._running:
            each.end()
        self._running.clear()
        self._next_s = inf


class _Running:
    """One fault from before it begins until it has ended."""

    def __init__(
        self, fault: Fault, place: Place, swapped: Place | None, plant: Plant, random: Random
    ) -> None:
        self.ended = False
        self.next_s = fault.at_s
        self._fault = fault
        self._place = place
        self._swapped = swapped
        self._disturbance = wire_fault(fault, random, place.station.unit)
        self._devices = PlantFaults(plant, [fault])
        self._begun = False

    def step(self, now_s: float) -> None:
        if not self._begun and self._fault.at_s <= now_s:
            self._begin(now_s)
        if self._begun and self._fault.until_s <= now_s:
            self.end()

    def end(self) -> None:
        self.ended = True
        if not self._begun:
            return
        self._devices.step(inf)
        self._swap()
        if self._disturbance:
            self._place.station.faults.remove(self._disturbance)
        if self._fault.kind is FaultKind.REBOOT:
            self._place.wire.reset()  # what has started anew knows no connection from before

    def _begin(self, now_s: float) -> None:
        self._begun = True
        self.next_s = self._fault.until_s
        self._devices.step(now_s)
        self._swap()
        if self._disturbance:
            self._place.station.faults.append(self._disturbance)
        if self._fault.kind is FaultKind.RESET:
            self._place.wire.reset()

    def _swap(self) -> None:
        if self._swapped:
            one, other = self._place.station, self._swapped.station
            one.unit, other.unit = other.unit, one.unit
