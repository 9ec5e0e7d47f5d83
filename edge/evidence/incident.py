"""One capture with what must be known to read it: whose, about what, when, and how far the clock is trusted."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from contract.envelope import TimeQuality
from contract.records import Capture


@dataclass(frozen=True, slots=True)
class Incident:
    """`at` is the UTC time of the event, `mono_s` the same on the monotonic clock of `boot`."""

    seq: int
    gateway: str
    station: str
    detail: str
    at: datetime
    time_quality: TimeQuality
    mono_s: float
    boot: str
    capture: Capture

    @property
    def t_s(self) -> list[float]:
        """Seconds after the event, by row."""
        return self.capture.t_s

    def series(self, column: str) -> list[float | None]:
        """A column by row; None where nothing was known, and everywhere when there is no such column."""
        if column not in self.capture.columns:
            return [None] * len(self.capture.rows)
        place = self.capture.columns.index(column)
        return [row[place] for row in self.capture.rows]

    def moment(self, t_s: float) -> datetime:
        """The UTC time of a moment `t_s` after the event."""
        return self.at + timedelta(seconds=t_s)
