"""A trip contact on a retriggerable watchdog relay, held closed by one pulse for each completed scan.

The relay closes at an edge to active and drops out when none came for its own time. The line rests inactive and a
pulse ends by itself, so a process that dies, hangs or lets go of its line leaves at most an edge to inactive behind.
"""

from __future__ import annotations

import asyncio
import time
from typing import Protocol

from drivers.errors import TooLate


class Line(Protocol):
    """One GPIO line. What the kernel refuses is a DriverError."""

    def set(self, *, active: bool) -> None:
        """Drive it."""

    def get(self) -> bool:
        """Whether it is active."""


class TripPulse:
    """One edge to active for each `hold`, and nothing else ever feeds.

    Args:
        line: the output, into the relay's trigger.
        feedback: the input with the contact (52a), None when there is none.
        pulse_s: how long a pulse is, and the pause after it at least, so that the relay sees both.
        dead_man_s: from the last edge until the contact is open.
    """

    def __init__(self, line: Line, feedback: Line | None, *, pulse_s: float, dead_man_s: float) -> None:
        self._line = line
        self._feedback = feedback
        self._pulse_s = pulse_s
        self._dead_man_s = dead_man_s
        self._calm_s = float("-inf")

    @property
    def dead_man_s(self) -> float:
        """From the last `hold` until the contact is open by itself, in s."""
        return self._dead_man_s

    async def hold(self, not_after_s: float | None = None) -> None:
        """One pulse, once the pause after the last one is over. Past `not_after_s` there is none: TooLate."""
        await asyncio.sleep(self._calm_s - time.monotonic())
        if not_after_s is not None and time.monotonic() > not_after_s:
            raise TooLate("the line had no time for another pulse before its scan was past")
        self._line.set(active=True)
        try:
            await asyncio.sleep(self._pulse_s)
        finally:
            self._line.set(active=False)
            self._calm_s = time.monotonic() + self._pulse_s

    async def open(self) -> None:
        """No more pulses; the contact opens when the relay drops out. The line goes to rest, which is no feed."""
        self._line.set(active=False)

    async def read(self) -> bool | None:
        """Whether the feedback says closed; None without feedback."""
        return None if self._feedback is None else self._feedback.get()

    async def read_watchdog_s(self) -> float | None:
        """None: the relay's time is set at the relay, and proved at commissioning by going silent."""
        return None
