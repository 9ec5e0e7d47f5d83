"""Enter service: a good grid for the whole delay, then a ramp or a random wait (4.10)."""

from __future__ import annotations

from dataclasses import dataclass, replace

from tiir.known import amount, enabled
from tiir.trip import Grid
from tiir.values import Values

_SLACK_S = 1e-9
"""What sums of time steps may be off by."""


def in_window(settings: Values, grid: Grid) -> bool:
    """Whether `grid` lets a DER enter service (4.10.2), the bounds included, and service is permitted (4.10.3)."""
    volts = amount(settings, "ES_V_LOW") <= grid.low_pu and grid.high_pu <= amount(settings, "ES_V_HIGH")
    hertz = amount(settings, "ES_F_LOW") <= grid.f_hz <= amount(settings, "ES_F_HIGH")
    return volts and hertz and enabled(settings, "ES_PERMIT_SERVICE")


@dataclass(frozen=True, slots=True)
class Service:
    """A DER out of service that waits, or one that has entered. A trip starts it over: `Service(draw)`.

    Attributes:
        draw: The share of the random delay that this DER drew for this time, 0 to 1.
        good_s: Since when the grid has been good without a break; None while it is not.
        entered_s: When service was entered; None while out of it.
    """

    draw: float = 0.0
    good_s: float | None = None
    entered_s: float | None = None

    def at(self, settings: Values, grid: Grid, now_s: float) -> Service:
        """The state once `grid` is seen at `now_s` on a monotonic clock.

        In service only the permit is looked at: abnormal voltage and frequency are for trip and ride-through.
        """
        if self.entered_s is not None:
            return self if enabled(settings, "ES_PERMIT_SERVICE") else Service(self.draw)
        if not in_window(settings, grid):
            return replace(self, good_s=None)
        good_s = now_s if self.good_s is None else self.good_s
        entered = now_s - good_s >= self.wait_s(settings) - _SLACK_S
        return replace(self, good_s=good_s, entered_s=now_s if entered else None)

    def wait_s(self, settings: Values) -> float:
        """How long the grid has to be good: the delay, and this DER's part of the random one."""
        return amount(settings, "ES_DELAY") + self.draw * amount(settings, "ES_RANDOMIZED_DELAY")

    def left_s(self, settings: Values, now_s: float) -> float:
        """Time until service is entered if the grid stays good, in s; 0 in service."""
        if self.entered_s is not None:
            return 0.0
        waited_s = 0.0 if self.good_s is None else now_s - self.good_s
        return max(self.wait_s(settings) - waited_s, 0.0)

    def ceiling_pu(self, settings: Values, now_s: float) -> float:
        """Active power allowed at `now_s`, per unit of rating: 0 out of service, then a ramp up to 1."""
        if self.entered_s is None:
            return 0.0
        ramp_s = amount(settings, "ES_RAMP_RATE")
        return min((now_s - self.entered_s) / ramp_s, 1.0) if ramp_s > 0.0 else 1.0
