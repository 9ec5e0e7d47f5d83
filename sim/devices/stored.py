"""The sets that a model stores, and what a device makes of one before it puts it in force."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise

from sim.devices.inverter import Inverter
from sim.devices.sets import Base, Place
from sim.devices.sunspec import Changes, RefusedWriteError
from tiir.values import Values

SETS = 3
"""How many sets a model stores."""


TRIP_POINTS = 2
"""Trip levels of a model: the standard has two on each side (6.4.1, 6.5.1)."""


@dataclass(frozen=True)
class SetKind:
    """What a set of one model holds.

    Attributes:
        model_id: The model.
        group: Name of its repeating group.
        places: The settings in it.
        own: Points that are no settings, with their first value: how many points are active, what a percentage
            is of, what comes first.
        only: For some of those the values that the device takes; it takes any for the others.
        bases: For each code of DeptRef that the device takes, what a percentage is of.
        ascending: Points that have to grow from one to the next.
        bounded: Points that have to lie between two bounds, in the model's unit.
    """

    model_id: int
    group: str
    places: Sequence[Place]
    own: Mapping[str, float] = field(default_factory=dict)
    only: Mapping[str, Sequence[float]] = field(default_factory=dict)
    bases: Mapping[int, Base] = field(default_factory=dict)
    ascending: Sequence[str] = ()
    bounded: Mapping[str, tuple[float, float]] = field(default_factory=dict)

    def points(self, changes: Changes) -> dict[int, dict[str, float]]:
        """The written points of sets, by set and by path inside it."""
        found: dict[int, dict[str, float]] = {}
        for path, amount in changes.items():
            group, _, inside = path.partition(".")
            if group == self.group:
                number, _, point = inside.partition(".")
                found.setdefault(int(number), {})[point] = amount
        return found


class StoredSets:
    """All sets of one model of one inverter: set `active` shows what is in force, the others what was written."""

    def __init__(self, inverter: Inverter, kind: SetKind) -> None:
        self.inverter = inverter
        self.kind = kind
        self.active = 1
        first = dict(kind.own)
        self._stored = {number: dict(first) for number in range(1, SETS + 1)}
        for number in self._stored:
            self._stored[number] |= {place.path: self._shown(place) for place in kind.places}
        self._places = {place.path: place for place in kind.places}

    def paths(self) -> list[str]:
        """Paths of all points inside a set."""
        return [*self.kind.own, *self._places]

    def amount(self, number: int, path: str) -> float:
        """What a point of set `number` (from 1) shows, in the model's unit."""
        if number == self.active and path in self._places:
            return self._shown(self._places[path])
        return self._stored[number][path]

    def put(self, points: Mapping[int, Mapping[str, float]]) -> None:
        """Store points by set and path; a set may be inconsistent until it is put in force."""
        for number, of_set in points.items():
            self._stored[number] |= of_set

    def values(self, number: int, changed: Mapping[str, float] | None = None) -> Values:
        """Set `number` as settings, with points of it `changed`.

        Raises:
            RefusedWriteError: When the device does not take it.
        """
        stored = {**self._stored.get(number, {}), **(changed or {})}
        if number not in self._stored or not self._fits(stored):
            raise RefusedWriteError
        base = self._base(stored)
        return {place.label: place.to_setting(stored[place.path], base) for place in self.kind.places}

    def move_own(self, number: int, to: int) -> None:
        """Take the points that are no settings from one set over into another."""
        self._stored[to] |= {path: self._stored[number][path] for path in self.kind.own}

    def keep(self) -> None:
        """Store what the active set shows, so that it stays there when another becomes active."""
        for place in self.kind.places:
            self._stored[self.active][place.path] = self._shown(place)

    def _shown(self, place: Place) -> float:
        return place.to_model(self.inverter.setting(place.label), self._base(self._stored[self.active]))

    def _base(self, stored: Mapping[str, float]) -> float:
        base = self.kind.bases.get(int(stored.get("DeptRef", -1)))
        return base(self.inverter) if base else 1.0

    def _fits(self, stored: Mapping[str, float]) -> bool:
        kind = self.kind
        allowed = all(stored[path] in values for path, values in kind.only.items())
        in_order = all(stored[left] < stored[right] for left, right in pairwise(kind.ascending))
        inside = all(low <= stored[path] <= high for path, (low, high) in kind.bounded.items())
        return allowed and in_order and inside and (not kind.bases or int(stored["DeptRef"]) in kind.bases)
