"""Export above the limit, as measured: start, peak, duration, energy, and how often of late. Pure."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, replace

DAY_S = 86_400.0
TOLERANCE = 0.005
"""Of nameplate: export up to this much above the limit is not counted as an excursion."""


@dataclass(frozen=True, slots=True)
class Excursion:
    """One excursion; times monotonic, power in W, energy above the limit in Wh."""

    start_s: float
    duration_s: float
    peak_w: float
    energy_wh: float


class Excursions:
    """Follows new PCC samples of a site."""

    def __init__(self, limit_w: float, nameplate_w: float) -> None:
        self._limit_w = limit_w
        self._above_w = limit_w + TOLERANCE * nameplate_w
        self._open: Excursion | None = None
        self._seen_s = 0.0
        self._seen_w = 0.0
        self._ended_s: deque[float] = deque()

    def take(self, export_w: float, at_s: float) -> Excursion | None:
        """Take a new measurement; the excursion that it ended, if it ended one."""
        before = self._lasted(at_s)
        self._seen_w, self._seen_s = export_w, at_s
        if export_w > self._above_w:
            self._open = (
                Excursion(at_s, 0.0, export_w, 0.0)
                if before is None
                else replace(before, peak_w=max(before.peak_w, export_w))
            )
            return None
        self._open = None
        if before is not None:
            self._ended_s.append(at_s)
        return before

    def end(self, at_s: float) -> Excursion | None:
        """The one that is running, ended because nobody looks any more."""
        before, self._open = self._lasted(at_s), None
        return before

    def counts(self, now_s: float) -> tuple[int, int]:
        """How many ended in the last 24 hours and 30 days, as far as this process has seen."""
        while self._ended_s and now_s - self._ended_s[0] > 30 * DAY_S:
            self._ended_s.popleft()
        return sum(now_s - end_s <= DAY_S for end_s in self._ended_s), len(self._ended_s)

    def _lasted(self, at_s: float) -> Excursion | None:
        """The one that is running, until now: each measurement stands until the next."""
        running = self._open
        if running is None:
            return None
        over_wh = max(0.0, self._seen_w - self._limit_w) * (at_s - self._seen_s) / 3600
        return replace(running, duration_s=at_s - running.start_s, energy_wh=running.energy_wh + over_wh)
