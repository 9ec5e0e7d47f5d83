"""Polls the PCC meter, and says when it showed a new measurement."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable

from drivers.errors import DriverError
from drivers.protocol import Meter
from edge.agent.tell import Happening, Tell, log
from edge.guard.slipping import Slipping
from edge.model.freshness import NO_PCC, MeterFreshness, MeterTiming
from edge.model.image import PccReading
from edge.model.readings import Identity
from edge.model.site import Site

_LOST_AFTER_S = 2.0
_LOST_POLL_S = 0.25


class MeterTask:
    """One meter; `reading` is always the latest, `on_new` is called at each new measurement."""

    def __init__(self, site: Site, device: Meter, tell: Tell, on_new: Callable[[], None]) -> None:
        self.identity: Identity | None = None
        self.reachable = False
        self.tried = asyncio.Event()
        self._polling_s = site.meter.polling_s
        self._device = device
        self._tell = tell
        self._on_new = on_new
        self._freshness = MeterFreshness(MeterTiming.of(site))
        self._slipping = Slipping(site)
        self._answered_s = time.monotonic()
        self._said_lost = False

    @property
    def reading(self) -> PccReading:
        """The point of common coupling, as last measured."""
        return self._freshness.reading

    def forget(self) -> None:
        """The task died: nothing that it had seen stands for anything."""
        self._freshness.reading = PccReading(
            NO_PCC.export_w, NO_PCC.v_pu, NO_PCC.f_hz, self._freshness.reading.sequence
        )
        self.reachable, self._answered_s = False, float("-inf")

    async def run(self) -> None:
        """Poll for ever."""
        due_s = time.monotonic()
        while True:
            await self._poll()
            # A meter that is known to be lost is not hammered with connections.
            gap_s = max(self._polling_s, _LOST_POLL_S) if self._said_lost else self._polling_s
            due_s = max(due_s + gap_s, time.monotonic())
            await asyncio.sleep(due_s - time.monotonic())

    async def _poll(self) -> None:
        try:
            if self.identity is None or self._said_lost:  # after a loss it may be another device
                self.identity = await self._device.identify()
                log.info("meter: %s %s answers", self.identity.manufacturer, self.identity.model)
            answer = await self._device.read()
        except DriverError as error:
            self._missed(str(error))
            self.tried.set()
            return
        self._answered(answer.received_s)
        self.tried.set()
        if self._freshness.take(answer):
            self._on_new()
            slips = self._slipping.take(self._freshness.reading.export_w)
            if slips is not None:
                self._tell(Happening("alarm", time.monotonic(), slips, "meter"))

    def _answered(self, now_s: float) -> None:
        self._answered_s = now_s
        if self._said_lost:
            self._tell(Happening("device-return", now_s, "the PCC meter answers again", "meter"))
        self.reachable, self._said_lost = True, False

    def _missed(self, reason: str) -> None:
        now_s = time.monotonic()
        first = not self.tried.is_set()
        if not self._said_lost and (first or now_s - self._answered_s > _LOST_AFTER_S):
            self.reachable, self._said_lost = False, True
            self._tell(Happening("device-loss", now_s, f"the PCC meter does not answer: {reason}", "meter"))
