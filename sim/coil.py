"""A trip module: a coil that must be written again and again, and the contact it holds. No clock."""

from __future__ import annotations

_EPS = 1e-9


class TripCoil:
    """Coil 1 holds the contact closed; without a write for `watchdog_s` the module opens by itself.

    It starts open. The contact follows the coil after the actuation time, either way; while it is `welded` it
    stays where it is.
    """

    def __init__(self, watchdog_s: float, actuation_s: float) -> None:
        self.watchdog_s = watchdog_s
        self.actuation_s = actuation_s
        self.coil = False
        self.contact_closed = False
        self.watchdog_tripped = False
        self.welded = False
        self._since_write_s = 0.0
        self._moving_s = 0.0

    def write(self, closed: bool) -> None:
        """A write to the coil, which also feeds the watchdog."""
        self.coil = closed
        self.watchdog_tripped = False
        self._since_write_s = 0.0

    def step(self, dt_s: float) -> None:
        """Let `dt_s` pass; 0 as watchdog time means that there is none."""
        self._move(dt_s)
        self._since_write_s += dt_s
        lapsed = 0 < self.watchdog_s <= self._since_write_s + _EPS
        if self.coil and lapsed:
            self.coil = False
            self.watchdog_tripped = True

    def _move(self, dt_s: float) -> None:
        if self.welded or self.contact_closed == self.coil:
            self._moving_s = 0.0
            return
        self._moving_s += dt_s
        if self._moving_s >= self.actuation_s - _EPS:
            self.contact_closed = self.coil
            self._moving_s = 0.0
