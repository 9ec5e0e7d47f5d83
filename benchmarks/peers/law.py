"""What a law may know and what it says: the seam at which one takes the place of the limiter.

A law sees what the limiter sees (meter samples, telemetry, limits read back), at the scans at which the limiter
would see it, and answers with a limit on the output of all DERs in W, or with None to leave the limit as it is.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

_EPS = 1e-9


@dataclass(frozen=True, slots=True)
class Task:
    """The site: its nameplate, and the most it may export, in W."""

    nameplate_w: float
    limit_w: float


@dataclass(frozen=True, slots=True)
class Seen:
    """What is known at a scan; powers in W, times in s.

    `export_w` came at `export_s`; `output_w` was measured at `output_s`; `limit_w` was read back after the write at
    `limit_s`.
    """

    now_s: float
    export_w: float
    export_s: float
    output_w: float
    output_s: float
    limit_w: float
    limit_s: float


Law = Callable[[Seen], float | None]


class Tuning(Protocol):
    """The parameters of a law; a frozen dataclass whose defaults are those that its project documents."""

    def law(self, task: Task) -> Law:
        """The law at these parameters, at its start."""
        ...


class Every:
    """A cadence of a law's own."""

    def __init__(self, period_s: float) -> None:
        self._period_s = period_s
        self._due_s = float("-inf")

    def due(self, now_s: float) -> bool:
        """Whether a period has passed since the last time it was due."""
        if now_s < self._due_s - _EPS:
            return False
        next_s = self._due_s + self._period_s
        self._due_s = next_s if next_s > now_s + _EPS else now_s + self._period_s
        return True


class Telemetry:
    """DER telemetry polled at a law's own cadence: between polls it keeps what it read."""

    def __init__(self, period_s: float) -> None:
        self._every = Every(period_s)
        self._held = (0.0, float("-inf"))

    def read(self, seen: Seen) -> tuple[float, float]:
        """Output in W as last polled, and the time at which it was measured."""
        if self._every.due(seen.now_s):
            self._held = (seen.output_w, seen.output_s)
        return self._held
