"""One trip output: held only by scans that were complete and on time, opened ahead of everything."""

from __future__ import annotations

import asyncio
import math
import time
from typing import Literal

from drivers.errors import DriverError
from drivers.protocol import TripOutput
from edge.agent.tell import Happening, Tell
from edge.model import site as site_model
from edge.model.image import OutputReading
from edge.model.sample import Sample

_REOPEN_S = 1.0
_RETRY_S = 0.1
_LOST_AFTER_S = 2.0
_PROVE_EVERY_S = 30.0
_PROVE_AGAIN_S = 1.0
_PROVE_TRIES = 3


class OutputTask:
    """Owns one trip output. A `hold` that could not be written soon is dropped: the next scan brings another.

    A contact that was not held for as long as its watchdog has opened by itself. It shows open from then on, and is
    held again only after it was commanded open: so the guard brings it back by enter service.
    """

    def __init__(
        self,
        output: site_model.TripOutput,
        device: TripOutput,
        hold_valid_s: float,
        feedback_every_s: float,
        tell: Tell,
    ) -> None:
        self.output = output
        self.tried = asyncio.Event()
        self.reachable = False
        self._commanded_closed = False
        self._device = device
        self._hold_valid_s = hold_valid_s
        self._feedback_every_s = feedback_every_s
        self._tell = tell
        self._wake = asyncio.Event()
        self._answered_s = time.monotonic()
        self._said_lost = False
        self._provable = (
            isinstance(output, site_model.ModbusCoil)
            and output.watchdog_s is not None
            and output.watchdog_register is not None
        )
        self._watchdog_s = math.inf if output.watchdog_s is None else output.watchdog_s
        self._held_s = float("-inf")
        self._unproved = 0
        self._watchdog_fits: bool | None
        self._doubt_watchdog()
        self.forget()

    def forget(self) -> None:
        """Nothing is known of the contact: at the start, and when the task died."""
        self._closed = Sample.none()
        self._hold_by_s = float("-inf")
        self._open_due_s = float("-inf")
        self._feedback_due_s = 0.0

    def reading(self) -> OutputReading:
        """The contact's feedback; open for certain when it was not held for as long as its watchdog."""
        now_s = time.monotonic()
        if self._lapsed(now_s):
            return OutputReading(self.output.name, Sample.good(0.0, now_s))
        return OutputReading(self.output.name, self._closed)

    def open(self) -> None:
        """Open at once, and say so again every second; a hold that was not written yet is forgotten."""
        if self._commanded_closed:
            self._open_due_s = time.monotonic()
        self._hold_by_s = float("-inf")
        self._commanded_closed = False
        self._wake.set()

    def hold(self) -> None:
        """Hold once: a scan that was complete and on time wants the contact closed."""
        now_s = time.monotonic()
        if not self._commanded_closed:
            self._commanded_closed, self._held_s = True, now_s
        self._hold_by_s = now_s + self._hold_valid_s
        self._wake.set()

    async def run(self) -> None:
        """Write and read for ever."""
        while True:
            now_s = time.monotonic()
            try:
                await self._act(self._next(now_s))
            except DriverError as error:
                self._missed(str(error))
                await asyncio.sleep(_RETRY_S)
            self.tried.set()
            await self._rest()

    async def settle(self) -> bool:
        """Open once, while `run` no longer runs; whether the module took it."""
        try:
            await self._device.open()
        except DriverError:
            return False
        return True

    def _next(self, now_s: float) -> Literal["open", "hold", "prove", "feedback", "rest"]:
        if not self._commanded_closed and now_s >= self._open_due_s:
            return "open"
        if self._watchdog_fits is None:
            return "prove"
        if now_s <= self._hold_by_s and self._watchdog_fits and not self._lapsed(now_s):
            return "hold"
        if now_s >= self._prove_due_s:
            return "prove"
        return "feedback" if now_s >= self._feedback_due_s else "rest"

    async def _act(self, action: Literal["open", "hold", "prove", "feedback", "rest"]) -> None:
        match action:
            case "open":
                await self._device.open()
                self._open_due_s = time.monotonic() + _REOPEN_S
            case "prove":
                self._prove_due_s = time.monotonic() + _PROVE_AGAIN_S
                await self._prove()
            case "hold":
                # Consumed before it is sent: what happens to this one says nothing about the next.
                not_after_s, self._hold_by_s = self._hold_by_s, float("-inf")
                sent_s = time.monotonic()
                await self._device.hold(not_after_s)
                # Answered too late, it may have reached a contact that had opened: that stays a lapse.
                if not self._lapsed(time.monotonic()):
                    self._held_s = sent_s
            case "feedback":
                self._feedback_due_s = time.monotonic() + self._feedback_every_s
                await self._read()
            case "rest":
                return
        self._answered()

    async def _prove(self) -> None:
        """See that the module's own watchdog is the one the budgets were computed with; a restart may reset it."""
        declared_s = self.output.watchdog_s or 0.0
        found_s = await self._device.read_watchdog_s()
        if found_s is not None and 0 < found_s <= declared_s + 0.001:
            self._unproved, self._watchdog_fits = 0, True
            self._watchdog_s = min(found_s, declared_s)
            self._prove_due_s = time.monotonic() + _PROVE_EVERY_S
            return
        self._unproved += 1
        if self._watchdog_fits and found_s is None and self._unproved < _PROVE_TRIES:
            return
        if self._watchdog_fits is not False:
            shown = "cannot be read" if found_s is None else f"is {found_s:g} s"
            self._say("alarm", f"its watchdog {shown}, declared are {declared_s:g} s; it is not closed")
        # Nothing opens it by itself: it counts as open, so that the guard commands it open.
        self._watchdog_fits, self._held_s = False, float("-inf")

    def _doubt_watchdog(self) -> None:
        """To be proved before the next hold, where it can be read at all."""
        self._watchdog_fits = None if self._provable else True
        self._prove_due_s = 0.0 if self._provable else math.inf

    def _lapsed(self, now_s: float) -> bool:
        """Whether the contact, commanded closed, may have been opened by its own watchdog."""
        return self._commanded_closed and now_s - self._held_s > self._watchdog_s

    async def _read(self) -> None:
        asked_s = time.monotonic()
        closed = await self._device.read()
        self._closed = (
            Sample.none() if closed is None else Sample.good(float(closed), asked_s, time.monotonic())
        )

    async def _rest(self) -> None:
        self._wake.clear()
        now_s = time.monotonic()
        if self._next(now_s) != "rest":
            await asyncio.sleep(0)
            return
        due_s = (
            self._feedback_due_s if self._commanded_closed else min(self._feedback_due_s, self._open_due_s)
        )
        try:
            async with asyncio.timeout(max(0.0, due_s - now_s)):
                await self._wake.wait()
        except TimeoutError:
            return

    def _answered(self) -> None:
        self._answered_s, self.reachable = time.monotonic(), True
        if self._said_lost:
            self._said_lost = False
            self._say("device-return", "answers again")

    def _missed(self, reason: str) -> None:
        now_s = time.monotonic()
        first = not self.tried.is_set()
        if not self._said_lost and (first or now_s - self._answered_s > _LOST_AFTER_S):
            self._said_lost, self.reachable = True, False
            self._doubt_watchdog()
            self._say("device-loss", f"does not answer: {reason}")

    def _say(self, kind: str, what: str) -> None:
        self._tell(Happening(kind, time.monotonic(), f"{self.output.name}: {what}", self.output.name))
