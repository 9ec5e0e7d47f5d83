"""What a case showed: times held against their bounds, and what was not as it must be."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field

from benchmarks.dead.sites import INVERTERS, LIMIT_W, NAMEPLATE_W, SAFE_W, Kind
from sim.truth import BAND_PU, Row

BAND_W = LIMIT_W + BAND_PU * NAMEPLATE_W * len(INVERTERS)
"""True export above this is an excursion."""

CAP_W = SAFE_W + BAND_PU * NAMEPLATE_W
"""An inverter at or below this is at its safe cap."""


@dataclass(frozen=True, slots=True)
class Timing:
    """How long something took, and the most it may take, in s."""

    what: str
    took_s: float
    bound_s: float

    @property
    def met(self) -> bool:
        """Whether it was in time."""
        return self.took_s <= self.bound_s


@dataclass
class Record:
    """What one run of a case showed.

    `starved`: its processes were kept waiting for a core; `spoilt`: so many runs before it were, and are not counted.
    """

    kind: Kind
    starved: bool = False
    spoilt: int = 0
    timings: list[Timing] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)

    def timed(self, what: str, took_s: float, bound_s: float) -> None:
        """Keep a time."""
        self.timings.append(Timing(what, took_s, bound_s))

    def require(self, holds: bool, sentence: str) -> None:
        """Keep a sentence when something does not hold."""
        if not holds:
            self.say(sentence)

    def say(self, sentence: str) -> None:
        """Keep what went wrong."""
        self.wrong.append(f"{self.kind.name}: {sentence}")

    @property
    def problems(self) -> list[str]:
        """All that is not as it must be, bounds included."""
        late = [
            f"{self.kind.name}: {each.what} took {each.took_s:.2f} s, at most {each.bound_s:g} s are allowed"
            for each in self.timings
            if not each.met
        ]
        return [*late, *self.wrong]


def unsafe_s(kind: Kind, rows: Sequence[Row], since_s: float) -> float:
    """From `since_s` until the site was safe and stayed so to the end of the rows; infinite when it is not."""
    return _until_good([row.t_s for row in rows if not is_safe(kind, row)], rows, since_s)


def above_s(rows: Sequence[Row], since_s: float) -> float:
    """From `since_s` until true export was within the limit for good; 0 when it always was."""
    return _until_good([row.t_s for row in rows if row.export_w > BAND_W], rows, since_s)


def is_safe(kind: Kind, row: Row) -> bool:
    """Export within the limit, and the contact open, or without one every inverter at its safe cap."""
    disconnected = not row.coil_closed if kind.contact else max(row.inverter_w) <= CAP_W
    return disconnected and row.export_w <= BAND_W


def _until_good(bad_s: Sequence[float], rows: Sequence[Row], since_s: float) -> float:
    later_s = [t_s for t_s in bad_s if t_s > since_s]
    if not later_s:
        return 0.0
    following_s = [row.t_s for row in rows if row.t_s > later_s[-1]]
    return following_s[0] - since_s if following_s else math.inf
