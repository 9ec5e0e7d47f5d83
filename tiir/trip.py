"""Voltage and frequency trip: definite-time elements that start over when the value returns (6.4.1, 6.5.1)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from math import inf
from typing import Literal, get_args

from tiir.known import amount
from tiir.values import Values

Name = Literal["OV2", "OV1", "UV1", "UV2", "OF2", "OF1", "UF1", "UF2"]

NAMES: tuple[Name, ...] = get_args(Name)

_SLACK_S = 1e-9
"""What sums of time steps may be off by."""


@dataclass(frozen=True, slots=True)
class Grid:
    """What a DER sees of the grid.

    Attributes:
        low_pu: Least applicable voltage among the phases, per unit of nominal.
        high_pu: Greatest one.
        f_hz: Frequency.
    """

    low_pu: float
    high_pu: float
    f_hz: float


@dataclass(frozen=True, slots=True)
class Element:
    """One of the eight trips: operates when its value has been beyond the threshold for the clearing time."""

    name: Name
    threshold: float
    clearing_s: float

    def beyond(self, grid: Grid) -> bool:
        """Whether its value is beyond the threshold; at the threshold it is not."""
        over = self.name[0] == "O"
        if self.name[1] == "F":
            return grid.f_hz > self.threshold if over else grid.f_hz < self.threshold
        return grid.high_pu > self.threshold if over else grid.low_pu < self.threshold


def elements(settings: Values) -> tuple[Element, ...]:
    """The eight trips as set.

    Raises:
        TiirError: A threshold or a time is missing.
    """
    return tuple(
        Element(name, amount(settings, f"{name}_TRIP_{name[1]}"), amount(settings, f"{name}_TRIP_T"))
        for name in NAMES
    )


@dataclass(frozen=True, slots=True)
class Timers:
    """Since when each running element has been beyond its threshold, by name, on a monotonic clock."""

    since_s: Mapping[str, float]

    def at(self, trips: tuple[Element, ...], grid: Grid, now_s: float) -> Timers:
        """The timers once `grid` is seen at `now_s`; one whose value has returned is dropped."""
        return Timers({e.name: self.since_s.get(e.name, now_s) for e in trips if e.beyond(grid)})

    def operated(self, trips: tuple[Element, ...], now_s: float) -> tuple[str, ...]:
        """Names of the elements whose clearing time has run out."""
        return tuple(e.name for e in trips if self._run_s(e, now_s) >= e.clearing_s - _SLACK_S)

    def left_s(self, trips: tuple[Element, ...], now_s: float) -> float | None:
        """Time until the next element operates if nothing changes; None when none is running."""
        left = [e.clearing_s - self._run_s(e, now_s) for e in trips if e.name in self.since_s]
        return max(min(left), 0.0) if left else None

    def _run_s(self, element: Element, now_s: float) -> float:
        return now_s - self.since_s.get(element.name, inf)
