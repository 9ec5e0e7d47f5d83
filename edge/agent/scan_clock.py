"""How the scans keep their time: what is late, and the rolling p99."""

from __future__ import annotations

from collections import deque

_KEPT = 1000
_GAP_ALLOWANCE = 2.0


class ScanClock:
    """Judges each scan against its period. Pure: times are given, in monotonic seconds.

    A scan is late when it took longer than the period, or when more than two periods went by since the scan
    before it started (a healthy loop starts one each period). What is late feeds no dead-man and no watchdog.
    """

    def __init__(self, period_s: float) -> None:
        self.period_s = period_s
        self.count = 0
        self.late = 0
        self._started_s: float | None = None
        self._took_s: deque[float] = deque(maxlen=_KEPT)

    def due_s(self, now_s: float) -> float:
        """How long until the next scan must start even without a new sample."""
        if self._started_s is None:
            return 0.0
        return max(0.0, self._started_s + self.period_s - now_s)

    def done(self, started_s: float, ended_s: float) -> bool:
        """Count a complete scan; True when it was on time."""
        before_s, self._started_s = self._started_s, started_s
        late_gap = before_s is not None and started_s - before_s > _GAP_ALLOWANCE * self.period_s
        overran = ended_s - started_s > self.period_s
        self._took_s.append(self._lateness_s(before_s, started_s, ended_s))
        self.count += 1
        self.late += late_gap or overran
        return not (late_gap or overran)

    def missed(self, started_s: float) -> None:
        """Count a scan that did not become complete."""
        self._started_s = started_s
        self.count += 1
        self.late += 1

    def _lateness_s(self, before_s: float | None, started_s: float, ended_s: float) -> float:
        """From when the scan was due at the latest (or started, if earlier) until it was complete."""
        due_s = started_s if before_s is None else min(started_s, before_s + self.period_s)
        return ended_s - due_s

    @property
    def p99_s(self) -> float:
        """99th percentile, over the last thousand scans, of the time from due to complete."""
        ordered = sorted(self._took_s)
        return ordered[int(0.99 * (len(ordered) - 1))] if ordered else 0.0
