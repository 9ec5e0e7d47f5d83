"""A GPIO line and a retriggerable watchdog relay behind it, in memory: what a trip output on pulses acts on."""

from __future__ import annotations

import time

from drivers.errors import Unreachable


class Relay:
    """Closed for `drop_out_s` from each edge to active; no level and no other edge does anything to it."""

    def __init__(self, drop_out_s: float, *, welded: bool | None = None) -> None:
        self.drop_out_s = drop_out_s
        self.welded = welded
        self.edges: list[float] = []
        self._active = False

    def level(self, *, active: bool) -> None:
        """The line behind its trigger."""
        if active and not self._active:
            self.edges.append(time.monotonic())
        self._active = active

    @property
    def closed(self) -> bool:
        """Its contact now."""
        if self.welded is not None:
            return self.welded
        return bool(self.edges) and time.monotonic() - self.edges[-1] < self.drop_out_s


class TriggerLine:
    """The output line into the relay's trigger; it keeps what it was told."""

    def __init__(self, relay: Relay) -> None:
        self.relay = relay
        self.told: list[bool] = []
        self.gone = False

    def set(self, *, active: bool) -> None:
        if self.gone:
            raise Unreachable("the chip is gone")
        self.told.append(active)
        self.relay.level(active=active)

    def get(self) -> bool:
        return bool(self.told) and self.told[-1]


class FeedbackLine:
    """The input line with the relay's contact."""

    def __init__(self, relay: Relay) -> None:
        self.relay = relay

    def set(self, *, active: bool) -> None:
        raise Unreachable("an input cannot be driven")

    def get(self) -> bool:
        return self.relay.closed
