"""The grid of plants of the design, 1,500 of them, the fast ones among them, and how far profiles may be off."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import product

PERIODS_S = (0.1, 0.2, 0.5, 1.0, 2.0)
LATENCIES_S = (0.0, 0.2, 0.5, 1.0)
DEAD_TIMES_S = (0.1, 0.5, 1.0, 2.0, 3.0)
SLOPES_PCT_S = (2.5, 5.0, 20.0, 100.0, None)
"""None is a first-order lag that takes 1 s to 90 % of a step."""
LIMITS_PU = (-0.05, 0.0, 0.25)

LAG_S = 1.0
LAG_SLOPE_PCT_S = 90.0
"""What the profile of a DER with a lag says."""
MOST_WRONG = 2.0
LOW_LOAD_PU = 0.1


@dataclass(frozen=True, slots=True)
class Cell:
    """One plant of the grid. Times in s, slope in % of nameplate a second, limit over nameplate."""

    period_s: float
    latency_s: float
    dead_time_s: float
    slope_pct_s: float | None
    limit_pu: float

    @property
    def told_slope_pct_s(self) -> float:
        """The slope that an exact profile states."""
        return LAG_SLOPE_PCT_S if self.slope_pct_s is None else self.slope_pct_s

    @property
    def high_load_pu(self) -> float:
        """Host load before it falls: the plant is held at its limit, and below its nameplate."""
        return min(0.9, 0.95 - self.limit_pu)

    @property
    def fast(self) -> bool:
        """Whether it belongs to the grid of fast plants."""
        meter = self.period_s <= 0.2 and self.latency_s <= 0.2
        return meter and self.dead_time_s <= 0.5 and self.told_slope_pct_s >= LAG_SLOPE_PCT_S

    def __str__(self) -> str:
        slope = "1 s lag" if self.slope_pct_s is None else f"{self.slope_pct_s:g} %/s"
        meter = f"meter {self.period_s:g} s + {self.latency_s:g} s"
        return f"{meter}, DER {self.dead_time_s:g} s, {slope}, limit {self.limit_pu:.0%}"


def grid() -> list[Cell]:
    """All plants."""
    return [
        Cell(*values) for values in product(PERIODS_S, LATENCIES_S, DEAD_TIMES_S, SLOPES_PCT_S, LIMITS_PU)
    ]


def thinned(thin: int) -> list[Cell]:
    """One plant out of `thin`, drawn evenly from the whole grid, the same at each call."""
    cells = grid()
    random.Random(thin).shuffle(cells)
    return cells[::thin]


def fast() -> list[Cell]:
    """The fast plants."""
    return [cell for cell in grid() if cell.fast]


def profiles(cells: Sequence[Cell], *, wrong: bool) -> Iterator[tuple[Cell, tuple[float, float]]]:
    """Each plant with the factors by which its dead time and slope differ from its profile, 0.5 to 2.

    A plant has the same factors in whatever part of the grid it is run.
    """
    for cell in cells:
        draw = random.Random(str(cell))
        factors = [MOST_WRONG ** draw.uniform(-1.0, 1.0) for _ in range(2)] if wrong else [1.0, 1.0]
        yield cell, (factors[0], factors[1])
