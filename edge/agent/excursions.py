"""Export above the limit, as measured: start, peak, duration and energy. Pure."""

from __future__ import annotations

from dataclasses import dataclass, replace

from edge.agent.tally import Sum

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
        self._grown = Sum()

    @property
    def running(self) -> bool:
        """Whether the last measurement was above."""
        return self._open is not None

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
            self._grown += Sum(count=1 if before is None else 0)
            return None
        self._open = None
        return before

    def end(self, at_s: float) -> Excursion | None:
        """The one that is running, ended because nobody looks any more."""
        before, self._open = self._lasted(at_s), None
        return before

    def grown(self) -> Sum:
        """What all excursions together have grown by since this was last asked for."""
        grown, self._grown = self._grown, Sum()
        return grown

    def _lasted(self, at_s: float) -> Excursion | None:
        """The one that is running, until now: each measurement stands until the next."""
        running = self._open
        if running is None:
            return None
        over_s = at_s - self._seen_s
        over_wh = max(0.0, self._seen_w - self._limit_w) * over_s / 3600
        self._grown += Sum(0, over_s, over_wh)
        return replace(running, duration_s=at_s - running.start_s, energy_wh=running.energy_wh + over_wh)
