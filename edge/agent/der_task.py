"""One DER: polled, and told its limit. The latest command wins, and goes before the next poll."""

from __future__ import annotations

import asyncio
import math
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from drivers.errors import DriverError
from drivers.protocol import Inverter, Outcome, WriteResult
from edge.agent.tell import Happening, Tell, log
from edge.model.freshness import DerFreshness, der_grid
from edge.model.image import DerReading
from edge.model.readings import Identity
from edge.model.sample import Sample
from edge.model.site import Der

Action = Callable[[], Awaitable[None]]

STEP = 0.001
"""Of nameplate: what is written is rounded down to this, so that a noisy target does not hammer the device."""

_RETRY_S = 0.25
_REWRITE_S = 0.5


@dataclass
class Writes:
    """Limit writes since the start, of all DERs."""

    sent: int = 0
    verified: int = 0
    refused: int = 0


class DerTask:
    """Owns one device's limit: nobody else writes it. `writes` is shared by all DERs of the site."""

    def __init__(
        self, der: Der, device: Inverter, nominal_v: float, reassert_s: float, tell: Tell, writes: Writes
    ) -> None:
        self.der = der
        self.device = device
        self.identity: Identity | None = None
        self.tried = asyncio.Event()
        self._nominal_v = nominal_v
        self._reassert_s = reassert_s
        self._tell = tell
        self._writes = writes
        self._wake = asyncio.Event()
        self.forget()
        self._answered_s = time.monotonic()  # the grace of a start; a task that died gets none

    def forget(self) -> None:
        """Nothing is known of the device: at the start, and when the task died."""
        self._freshness = DerFreshness(self.der)
        self._v_pu, self._f_hz, self._limit_w = Sample.none(), Sample.none(), Sample.none()
        self._known = False
        self._refused = False
        self._reversion_fails = False
        self._wanted_w: float | None = None
        self._written_w: float | None = None
        self._held_w: float | None = None
        self._asked_w: float | None = None
        self._answered_s = float("-inf")
        self._said_lost = False
        self._poll_due_s = 0.0
        self._reassert_due_s = 0.0
        self._write_after_s = 0.0

    def reading(self, now_s: float) -> DerReading:
        """The DER as last seen."""
        return DerReading(
            name=self.der.name,
            output_w=self._freshness.output_w,
            limit_w=self._limit_w,
            reachable=not self._lost(now_s),
            refused=self._refused or self._reversion_fails,
            v_pu=self._v_pu,
            f_hz=self._f_hz,
        )

    @property
    def reachable(self) -> bool:
        """Whether it answered within its allowance, and answered at all."""
        return self.tried.is_set() and not self._lost(time.monotonic())

    def command(self, limit_w: float) -> None:
        """The latest command; an earlier one that was not written yet is forgotten."""
        step_w = STEP * self.der.nameplate_w
        self._wanted_w = min(self.der.nameplate_w, math.floor(max(0.0, limit_w) / step_w + 1e-9) * step_w)
        if self._known and time.monotonic() >= self._write_due_s():
            self._wake.set()

    async def run(self) -> None:
        """Write and poll for ever."""
        while True:
            now_s = time.monotonic()
            if not self._known:
                await self._attempt(self._meet)
            elif now_s >= self._write_due_s():
                await self._attempt(self._write)
            elif now_s >= self._poll_due_s:
                await self._attempt(self._poll)
            await self._rest()

    async def settle(self, limit_w: float) -> bool:
        """Write one limit now, once, while `run` no longer runs; whether it was verified."""
        self.command(limit_w)
        if self._known and self._wanted_w is not None:
            await self._attempt(self._write)
        return self._written_w == self._wanted_w and not self._refused

    async def _rest(self) -> None:
        """Until a command, the next poll or the next re-assertion."""
        self._wake.clear()
        now_s = time.monotonic()
        due_s = self._poll_due_s
        if self._known:
            due_s = min(due_s, self._write_due_s())
        if due_s <= now_s:
            await asyncio.sleep(0)
            return
        try:
            async with asyncio.timeout(due_s - now_s):
                await self._wake.wait()
        except TimeoutError:
            return

    def _lost(self, now_s: float) -> bool:
        return self._said_lost or now_s - self._answered_s > self.der.lost_after_s

    def _write_due_s(self) -> float:
        """When the next write may go; a limit below the last one asked for waits for no pause after a failure."""
        if self._wanted_w is None:
            return float("inf")
        if self._asked_w is not None and self._wanted_w < self._asked_w:
            return 0.0
        changed = self._wanted_w != self._written_w
        return self._write_after_s if changed else max(self._write_after_s, self._reassert_due_s)

    async def _attempt(self, action: Action) -> None:
        try:
            await action()
        except DriverError as error:
            now_s = time.monotonic()
            if action == self._write:
                self._write_after_s = now_s + _RETRY_S
            self._poll_due_s = max(self._poll_due_s, now_s + min(_RETRY_S, self.der.poll_s))
            self._missed(now_s, str(error))
        else:
            self._answered(time.monotonic())
        self.tried.set()

    async def _meet(self) -> None:
        """First contact, and again after each loss: who it is, what it holds, and its reversion."""
        self.identity = await self.device.identify()
        log.info("%s: %s %s answers", self.der.name, self.identity.manufacturer, self.identity.model)
        self._held_w = await self._read_limit()
        await self._set_reversion()
        self._known, self._written_w, self._poll_due_s = True, None, 0.0

    async def _set_reversion(self) -> None:
        wanted = self.der.reversion
        if wanted is None:
            return
        result = await self.device.set_reversion(wanted.safe_w, wanted.timer_s)
        if not result.verified and not self._reversion_fails:
            self._say("write-unverified", f"its reversion is not in the device: {result.reason}")
        self._reversion_fails = not result.verified

    async def _poll(self) -> None:
        self._poll_due_s = max(self._poll_due_s + self.der.poll_s, time.monotonic())
        answer = await self.device.measure()
        if self._freshness.take(answer):
            self._v_pu, self._f_hz = der_grid(answer, self._nominal_v)

    async def _read_limit(self) -> float:
        """The limit in force, nameplate when none is."""
        asked_s = time.monotonic()
        limit_w = await self.device.read_limit()
        held_w = self.der.nameplate_w if limit_w is None else limit_w
        self._limit_w = Sample.good(held_w, asked_s, time.monotonic())
        return held_w

    async def _write(self) -> None:
        wanted_w = self._wanted_w
        if wanted_w is None:
            return
        if wanted_w == self._written_w:
            await self._look_for_drift(wanted_w)
            if self._reversion_fails:
                await self._set_reversion()
        # The first write after meeting a device never loosens what it holds. It is that one write only: how fast
        # the limit may rise after it is for the caps of the control.
        limit_w = wanted_w if self._held_w is None else min(wanted_w, self._held_w)
        sent_s = time.monotonic()
        self._writes.sent += 1
        # Until it is verified nothing is known: an acknowledgement that gets lost leaves either limit in force.
        self._asked_w, self._written_w = limit_w, None
        result = await self.device.write_limit(limit_w)
        now_s = time.monotonic()
        self._reassert_due_s = now_s + self._reassert_s
        self._take_result(result, limit_w, sent_s, now_s)

    async def _look_for_drift(self, wanted_w: float) -> None:
        before_w = self._limit_w.otherwise(wanted_w)
        found_w = await self._read_limit()
        if abs(found_w - before_w) > STEP * self.der.nameplate_w:
            self._say("write-unverified", f"its limit drifted from {before_w:.0f} W to {found_w:.0f} W")

    def _take_result(self, result: WriteResult, limit_w: float, sent_s: float, now_s: float) -> None:
        if "limit_w" in result.found:
            found = result.found["limit_w"]
            held_w = float(found) if isinstance(found, int | float) else self.der.nameplate_w
            self._limit_w = Sample.good(held_w, sent_s, now_s)
        if result.outcome is Outcome.VERIFIED:
            self._writes.verified += 1
            if self._refused:
                self._say("device-return", "takes its limit again")
            self._written_w, self._held_w, self._refused = limit_w, None, False
            return
        self._writes.refused += result.outcome is Outcome.REFUSED
        self._write_after_s = now_s + _REWRITE_S
        if not self._refused:
            self._say("write-unverified", f"a limit of {limit_w:.0f} W is not in the device: {result.reason}")
        self._refused = True

    def _answered(self, now_s: float) -> None:
        self._answered_s = now_s
        if self._said_lost:
            self._said_lost = False
            self._say("device-return", "answers again")

    def _missed(self, now_s: float, reason: str) -> None:
        first = not self.tried.is_set()
        if not self._said_lost and (first or now_s - self._answered_s > self.der.lost_after_s):
            self._said_lost, self._known = True, False
            self._say("device-loss", f"does not answer: {reason}")

    def _say(self, kind: str, what: str) -> None:
        self._tell(Happening(kind, time.monotonic(), f"{self.der.name}: {what}", self.der.name))
