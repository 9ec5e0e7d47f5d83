"""One-minute aggregates of what was measured. Pure."""

from __future__ import annotations

from dataclasses import dataclass, field

MINUTE_S = 60.0


@dataclass(slots=True)
class _Mean:
    total: float = 0.0
    count: int = 0
    largest: float | None = None

    def take(self, value: float) -> None:
        self.total += value
        self.count += 1
        self.largest = value if self.largest is None else max(self.largest, value)

    @property
    def mean(self) -> float | None:
        return self.total / self.count if self.count else None


@dataclass(frozen=True, slots=True)
class MinuteOver:
    """A minute that is over; None where nothing was known."""

    seconds: float
    export_mean_w: float | None
    export_max_w: float | None
    der_mean_w: float | None


@dataclass(slots=True)
class Minute:
    """Collects until a minute is over."""

    since_s: float
    export: _Mean = field(default_factory=_Mean)
    der: _Mean = field(default_factory=_Mean)

    def take(self, now_s: float, export_w: float | None, der_w: float | None) -> MinuteOver | None:
        """Take what a scan saw (None: nothing new); returns the minute that is over, once."""
        if export_w is not None:
            self.export.take(export_w)
        if der_w is not None:
            self.der.take(der_w)
        if now_s - self.since_s < MINUTE_S:
            return None
        over = MinuteOver(now_s - self.since_s, self.export.mean, self.export.largest, self.der.mean)
        self.since_s, self.export, self.der = now_s, _Mean(), _Mean()
        return over
