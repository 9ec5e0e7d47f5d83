"""One DER: polled, and told its limit. The latest command wins, and goes before the next poll."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from drivers.errors import DriverError
from drivers.protocol import Inverter, Outcome, Storage, WriteResult
from edge.agent.tell import Happening, Tell, log
from edge.model.band import STEP, Band
from edge.model.freshness import DerFreshness, der_grid
from edge.model.image import DerReading
from edge.model.readings import Identity
from edge.model.refusal import Refusal
from edge.model.sample import Sample
from edge.model.site import Der

Action = Callable[[], Awaitable[None]]

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
        # Asked once: whether an object fits a Protocol takes longer than to send a frame.
        self._storage = device if isinstance(device, Storage) else None
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
        self._floor_w, self._soc_pu = Sample.none(), Sample.none()
        self._known = False
        self._refusal = Refusal(self.der.nameplate_w)
        self._reversion_fails = False
        self._wanted: Band | None = None
        self._written: Band | None = None
        self._held: Band | None = None
        self._asked: Band | None = None
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
            refused=self._refusal.active or self._reversion_fails,
            v_pu=self._v_pu,
            f_hz=self._f_hz,
            floor_w=self._floor_w,
            soc_pu=self._soc_pu,
        )

    @property
    def reachable(self) -> bool:
        """Whether it answered within its allowance, and answered at all."""
        return self.tried.is_set() and not self._lost(time.monotonic())

    def command(self, limit_w: float, floor_w: float = 0.0) -> None:
        """The latest command; an earlier one that was not written yet is forgotten."""
        self._wanted = Band.commanded(limit_w, floor_w, self.der)
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

    async def settle(self, limit_w: float, floor_w: float = 0.0) -> bool:
        """Write one band now, once, while `run` no longer runs; whether it was verified."""
        self.command(limit_w, floor_w)
        if self._known and self._wanted is not None:
            await self._attempt(self._write)
        return self._written == self._wanted

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
        if self._wanted is None:
            return float("inf")
        if self._wanted.tightens(self._asked):
            return 0.0
        changed = self._wanted != self._written
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
        self._held = await self._read_held()
        await self._set_reversion()
        self._known, self._written, self._poll_due_s = True, None, 0.0

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
        if answer.soc_pu is not None:
            self._soc_pu = Sample.good(answer.soc_pu, answer.request_sent_s, answer.received_s)
        if self._freshness.take(answer):
            self._v_pu, self._f_hz = der_grid(answer, self._nominal_v)

    async def _read_held(self) -> Band:
        """The band in force; an end that is not is as far as the DER goes."""
        asked_s = time.monotonic()
        if self._storage is not None:
            limit_w, floor_w = await self._storage.read_band()
        else:
            limit_w, floor_w = await self.device.read_limit(), None
        return self._hold(limit_w, floor_w, asked_s, time.monotonic())

    def _hold(self, limit_w: object, floor_w: object, oldest_s: float, newest_s: float) -> Band:
        """What was read back of the band."""
        whole = Band.whole(self.der)
        held = Band(
            float(limit_w) if isinstance(limit_w, int | float) else whole.limit_w,
            float(floor_w) if isinstance(floor_w, int | float) else whole.floor_w,
        )
        self._limit_w = Sample.good(held.limit_w, oldest_s, newest_s)
        if self.der.kind == "storage":
            self._floor_w = Sample.good(held.floor_w, oldest_s, newest_s)
        return held

    async def _write(self) -> None:
        wanted = self._wanted
        if wanted is None:
            return
        if wanted == self._written:
            await self._look_for_drift(wanted)
            if self._reversion_fails:
                await self._set_reversion()
        # The first write after meeting a device never loosens what it holds. It is that one write only: how fast
        # the limit may rise after it is for the caps of the control.
        band = wanted.within(self._held)
        sent_s = time.monotonic()
        self._writes.sent += 1
        # Until it is verified nothing is known: an acknowledgement that gets lost leaves either limit in force.
        self._asked, self._written = band, None
        if self._storage is not None:
            result = await self._storage.write_band(*band)
        else:
            result = await self.device.write_limit(band.limit_w)
        now_s = time.monotonic()
        self._reassert_due_s = now_s + self._reassert_s
        self._take_result(result, band, sent_s, now_s)

    async def _look_for_drift(self, wanted: Band) -> None:
        before = Band(self._limit_w.otherwise(wanted.limit_w), self._floor_w.otherwise(wanted.floor_w))
        found = await self._read_held()
        if found.differs(before, STEP * self.der.nameplate_w):
            self._say(
                "write-unverified", f"its limit drifted from {before.limit_w:.0f} W to {found.limit_w:.0f} W"
            )

    def _take_result(self, result: WriteResult, band: Band, sent_s: float, now_s: float) -> None:
        found = None
        if "limit_w" in result.found:
            found = self._hold(result.found["limit_w"], result.found.get("floor_w"), sent_s, now_s)
        if result.outcome is Outcome.VERIFIED:
            self._writes.verified += 1
            self._written, self._held = band, None
            if self._refusal.taken(now_s, band):
                self._say("device-return", "takes its limit again")
            return
        self._writes.refused += result.outcome is Outcome.REFUSED
        self._write_after_s = now_s + _REWRITE_S
        if self._refusal.refused(now_s, found):
            self._say(
                "write-unverified", f"a limit of {band.limit_w:.0f} W is not in the device: {result.reason}"
            )

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
