"""The grid of plants of the design, 1,500 of them, the fast ones among them, and how far profiles may be off."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from itertools import product

PERIODS_S = (0.1, 0.2, 0.5, 1.0, 2.0)
LATENCIES_S = (0.0, 0.2, 0.5, 1.0)
DEAD_TIMES_S = (0.1, 0.5, 1.0, 2.0, 3.0)
SLOPES_PCT_S = (2.5, 5.0, 20.0, 100.0, None)
"""None is a first-order lag that takes 1 s to 90 % of a step."""
LIMITS_PU = (-0.05, 0.0, 0.25)

MIXED_METERS_S = ((0.1, 0.0), (0.5, 0.2), (1.0, 0.2), (2.0, 0.5))
"""Periods and latencies of the meters of plants with several DERs."""

LAG_S = 1.0
LAG_SLOPE_PCT_S = 90.0
"""What the profile of a DER with a lag says."""
MOST_WRONG = 2.0
LOW_LOAD_PU = 0.1


class Unheard(StrEnum):
    """How the last DER of a plant is lost, from a moment on: it does not answer, or takes writes and ignores them."""

    SILENT = "silent"
    IGNORES = "ignores"


@dataclass(frozen=True, slots=True)
class Unit:
    """A DER: dead time in s, slope in % of its nameplate a second, its share of the plant's nameplate."""

    dead_time_s: float
    slope_pct_s: float | None
    share: float = 1.0

    @property
    def told_slope_pct_s(self) -> float:
        """The slope that an exact profile states."""
        return LAG_SLOPE_PCT_S if self.slope_pct_s is None else self.slope_pct_s

    def __str__(self) -> str:
        slope = "1 s lag" if self.slope_pct_s is None else f"{self.slope_pct_s:g} %/s"
        return f"{self.dead_time_s:g} s, {slope}"


@dataclass(frozen=True, slots=True)
class Cell:
    """One plant. Times in s, slope in % of nameplate a second, limit over nameplate.

    Dead time and slope are the first DER's, on the grid the only one; `others` stand beside it. The last of them is
    `unheard`, from the step on or (`early`) well before it.
    """

    period_s: float
    latency_s: float
    dead_time_s: float
    slope_pct_s: float | None
    limit_pu: float
    others: tuple[Unit, ...] = ()
    unheard: Unheard | None = None
    early: bool = False

    @property
    def units(self) -> tuple[Unit, ...]:
        """All its DERs."""
        share = 1.0 - sum(unit.share for unit in self.others)
        return (Unit(self.dead_time_s, self.slope_pct_s, share), *self.others)

    @property
    def told_slope_pct_s(self) -> float:
        """The slope that an exact profile of the first DER states."""
        return self.units[0].told_slope_pct_s

    @property
    def slowest_s(self) -> float:
        """The longest dead time of its DERs."""
        return max(unit.dead_time_s for unit in self.units)

    @property
    def high_load_pu(self) -> float:
        """Host load before it falls: the plant is held at its limit, and below what its DERs can make.

        One that is lost early has gone to its reversion value by then, its share of the limit.
        """
        missing_pu = 0.0
        if self.early:
            missing_pu = self.units[-1].share * (1.0 - max(0.0, self.limit_pu))
        return min(0.9, 0.95 - missing_pu - self.limit_pu)

    @property
    def fast(self) -> bool:
        """Whether it belongs to the grid of fast plants."""
        meter = self.period_s <= 0.2 and self.latency_s <= 0.2
        return meter and all(
            unit.dead_time_s <= 0.5 and unit.told_slope_pct_s >= LAG_SLOPE_PCT_S for unit in self.units
        )

    def __str__(self) -> str:
        meter = f"meter {self.period_s:g} s + {self.latency_s:g} s"
        ders = " and ".join(str(unit) for unit in self.units)
        lost = "" if self.unheard is None else f", the last {self.unheard}{' early' if self.early else ''}"
        return f"{meter}, DER {ders}{lost}, limit {self.limit_pu:.0%}"


MIXES = (
    (Unit(0.1, 100.0, 0.5), Unit(1.0, 20.0, 0.3), Unit(2.0, 5.0, 0.2)),
    (Unit(0.1, None, 0.4), Unit(0.5, 100.0, 0.4), Unit(2.0, 20.0, 0.2)),
    (Unit(3.0, 5.0, 0.25), Unit(0.5, 20.0, 0.25), Unit(0.5, 20.0, 0.25), Unit(0.1, 100.0, 0.25)),
    (
        Unit(0.1, 100.0, 0.2),
        Unit(0.5, None, 0.2),
        Unit(1.0, 20.0, 0.2),
        Unit(2.0, 20.0, 0.2),
        Unit(3.0, 5.0, 0.2),
    ),
)
"""DERs behind one meter: the slow one small, a lag among them, the slow one first, one of every kind."""


def grid() -> list[Cell]:
    """All plants."""
    return [
        Cell(*values) for values in product(PERIODS_S, LATENCIES_S, DEAD_TIMES_S, SLOPES_PCT_S, LIMITS_PU)
    ]


def thinned(cells: Sequence[Cell], thin: int) -> list[Cell]:
    """One plant out of `thin`, drawn evenly from them all, the same at each call."""
    shuffled = list(cells)
    random.Random(thin).shuffle(shuffled)
    return shuffled[::thin]


def fast() -> list[Cell]:
    """The fast plants."""
    return [cell for cell in grid() if cell.fast]


def mixed() -> list[Cell]:
    """Plants of several DERs of mixed speeds."""
    return [
        Cell(*meter, first.dead_time_s, first.slope_pct_s, limit_pu, tuple(others))
        for meter, (first, *others), limit_pu in product(MIXED_METERS_S, MIXES, LIMITS_PU)
    ]


def unheard() -> list[Cell]:
    """The same, each with its last DER lost in every way: silent or deaf, well before the step or from it on."""
    return [
        replace(cell, unheard=how, early=early)
        for cell in mixed()
        for how in Unheard
        for early in (True, False)
    ]


def profiles(cells: Sequence[Cell], *, wrong: bool) -> Iterator[tuple[Cell, tuple[float, float]]]:
    """Each plant with the factors by which its dead time and slope differ from its profile, 0.5 to 2.

    A plant has the same factors in whatever part of the grid it is run.
    """
    for cell in cells:
        draw = random.Random(str(cell))
        factors = [MOST_WRONG ** draw.uniform(-1.0, 1.0) for _ in range(2)] if wrong else [1.0, 1.0]
        yield cell, (factors[0], factors[1])
