"""Wall time for records, with an honest word about its quality. Order and durations use monotonic time only."""

from __future__ import annotations

import ctypes
import time
from datetime import UTC, datetime, timedelta

from contract.envelope import TimeQuality

_TIME_ERROR = 5
_TIMEX_BYTES = 256
"""More than any kernel's `struct timex`; all zero it only reads (modes = 0)."""


def kernel_is_synchronised() -> bool:
    """Whether the kernel's clock is being disciplined (adjtimex(2))."""
    try:
        state = ctypes.CDLL(None, use_errno=True).adjtimex(ctypes.create_string_buffer(_TIMEX_BYTES))
    except (AttributeError, OSError):
        return False
    return 0 <= int(state) < _TIME_ERROR


class WallClock:
    """Turns monotonic seconds into UTC; "holdover" means synchronised earlier in this run, not now."""

    def __init__(self) -> None:
        self._was_synchronised = False

    def quality(self) -> TimeQuality:
        """How far the wall clock can be trusted now."""
        if kernel_is_synchronised():
            self._was_synchronised = True
            return "synchronised"
        return "holdover" if self._was_synchronised else "unknown"

    def at(self, mono_s: float) -> datetime:
        """The UTC time of a moment on `time.monotonic()`'s scale."""
        return datetime.now(UTC) - timedelta(seconds=time.monotonic() - mono_s)
