"""Export of the whole site, or of one phase with a limit of its own, followed: excursions, counts, alarms."""

from __future__ import annotations

from dataclasses import dataclass

from contract import records
from edge.agent.cumulative import Cumulative, nameplate_w
from edge.agent.excursions import Excursion, Excursions
from edge.agent.tally import DAY_S, MONTH_S, Sum, Tallies
from edge.agent.wall import Wall
from edge.model.image import PccReading
from edge.model.sample import Sample
from edge.model.site import Site

PHASES: tuple[records.Phase, ...] = ("a", "b", "c")


@dataclass(frozen=True, slots=True)
class News:
    """What a measurement brought.

    Attributes:
        alarms: Sums that are too much.
        ended: The excursion that it ended: when that began, and its record.
        began: What is said of one that begins with it.
    """

    alarms: tuple[str, ...] = ()
    ended: tuple[float, records.Event] | None = None
    began: str | None = None


class Followed:
    """One limit on export; `kind` is that of its events, `onset` the wall time at which its last excursion began."""

    def __init__(
        self, site: Site, phase: records.Phase | None, tallies: Tallies, wall: Wall, now_s: float
    ) -> None:
        self.kind: records.EventType = "excursion" if phase is None else "phase-excursion"
        self.limit_w = site.limit_w if phase is None else site.phase_limit_w
        self.onset = wall.at(now_s)
        self._phase = phase
        self._what = "export" if phase is None else f"export on phase {phase}"
        self._excursions = Excursions(self.limit_w, nameplate_w(site, phase))
        self._tally = tallies.of(phase)
        self._cumulative = Cumulative(site, phase)
        self._wall = wall

    @staticmethod
    def all_of(site: Site, tallies: Tallies, wall: Wall, now_s: float) -> tuple[Followed, ...]:
        """What there is to follow on a site."""
        limited = (phase for phase in PHASES if phase in site.limited_phases)
        return tuple(Followed(site, phase, tallies, wall, now_s) for phase in (None, *limited))

    def measured(self, pcc: PccReading) -> Sample:
        """What a reading shows of it."""
        return pcc.power_w(None if self._phase is None else PHASES.index(self._phase))

    def take(self, export_w: float, now_s: float) -> News:
        """A new measurement: an excursion may begin with it, or end."""
        was_running = self._excursions.running
        ended = self._excursions.take(export_w, now_s)
        if was_running or not self._excursions.running:
            return self._news(ended)
        self.onset = self._wall.at(now_s)
        return self._news(ended, f"{self._what} of {export_w:.0f} W, above {self.limit_w:.0f} W")

    def end(self, now_s: float) -> News:
        """The one that is running is ended because nobody looks any more."""
        return self._news(self._excursions.end(now_s))

    def _news(self, ended: Excursion | None, began: str | None = None) -> News:
        """Add to the tally what the excursions have grown by; too much in sum is an alarm."""
        grown, wall_s = self._excursions.grown(), self._wall.now_s()
        alarms: tuple[str, ...] = ()
        if grown != Sum():
            self._tally.add(grown, wall_s)
            alarms = tuple(self._cumulative.look(self._tally, wall_s))
        return News(alarms, None if ended is None else (ended.start_s, self._record(ended, wall_s)), began)

    def _record(self, ended: Excursion, wall_s: float) -> records.Event:
        """One record, at its end, so that it counts once."""
        day, month = self._tally.over(DAY_S, wall_s).count, self._tally.over(MONTH_S, wall_s).count
        return records.Event(
            type=self.kind,
            at=self.onset,
            start=self.onset,
            phase=self._phase,
            detail=f"{self._what} above {self.limit_w:.0f} W for {ended.duration_s:.1f} s, at most "
            f"{ended.peak_w:.0f} W, {ended.energy_wh:.2f} Wh",
            limit_w=self.limit_w,
            peak_w=ended.peak_w,
            duration_s=ended.duration_s,
            energy_wh=ended.energy_wh,
            values={"count_24h": float(day), "count_30d": float(month)},
        )
