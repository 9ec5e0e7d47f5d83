"""Wall time that never runs below the highest value ever persisted, and its quality."""

from __future__ import annotations

import time
from datetime import UTC, datetime

from contract.envelope import TimeQuality
from edge.spool.clock import WallClock


class Wall:
    """The wall clock of one run. Order and durations use monotonic time only."""

    def __init__(self, floor_s: float = 0.0) -> None:
        self._clock = WallClock()
        self._highest_s = floor_s

    def now_s(self) -> float:
        """Seconds since 1970, UTC: the system's clock, held at the highest value seen when that runs below."""
        self._highest_s = max(self._highest_s, time.time())
        return self._highest_s

    def raise_floor(self, floor_s: float) -> None:
        """Time was at least this, says what was kept."""
        self._highest_s = max(self._highest_s, floor_s)

    def offset_s(self) -> float:
        """Wall minus monotonic."""
        return self.now_s() - time.monotonic()

    def at(self, mono_s: float) -> datetime:
        """The UTC time of a monotonic moment."""
        return datetime.fromtimestamp(mono_s + self.offset_s(), UTC)

    def quality(self) -> TimeQuality:
        """How far it can be trusted; a clock that runs below what was seen is not known at all."""
        quality = self._clock.quality()
        return "unknown" if time.time() < self._highest_s - 1.0 else quality
