"""Devices in memory that keep to the drivers' protocols: they hold values, count calls, and fail on demand."""

from __future__ import annotations

import asyncio
import time

from drivers.errors import Timeout, TooLate
from drivers.protocol import Outcome, WriteResult
from edge.model.readings import DerRaw, Identity

IDENTITY = Identity("Maker", "Model", "1", "SN1", 20_000.0)


class ScriptedInverter:
    """Holds a limit. `silent`: no answers; `refuses`: writes come back refused; `ignores`: acknowledged, not taken."""

    def __init__(self, limit_w: float | None = None) -> None:
        self.limit_w = limit_w
        self.written: list[float] = []
        self.calls: list[str] = []
        self.reversions = 0
        self.polls = 0
        self.silent = self.refuses = self.ignores = False
        self.reversion_fails = False
        self.output_w: float | None = 5_000.0
        self.takes_s = 0.0
        self.identity = IDENTITY
        self.loses_acks = False
        self.poll_fails = False

    async def identify(self) -> Identity:
        await self._answer()
        return self.identity

    async def measure(self) -> DerRaw:
        sent_s = time.monotonic()
        await self._answer()
        if self.poll_fails:
            raise Timeout("no answer")
        self.polls += 1
        self.calls.append("poll")
        return DerRaw(sent_s, time.monotonic(), self.output_w, 277.0, 60.0)

    async def write_limit(self, limit_w: float) -> WriteResult:
        await self._answer()
        self.written.append(limit_w)
        self.calls.append("write")
        if self.refuses:
            return WriteResult(Outcome.REFUSED, {"limit_w": limit_w}, {}, "illegal value")
        if not self.ignores:
            self.limit_w = limit_w
        if self.loses_acks:
            raise Timeout("no answer")
        found = {"limit_w": self.limit_w}
        if self.limit_w != limit_w:
            return WriteResult(Outcome.MISMATCH, {"limit_w": limit_w}, found, "reads back differently")
        return WriteResult(Outcome.VERIFIED, {"limit_w": limit_w}, found)

    async def read_limit(self) -> float | None:
        await self._answer()
        return self.limit_w

    async def set_reversion(self, safe_w: float, timer_s: int) -> WriteResult:
        await self._answer()
        self.reversions += 1
        outcome = Outcome.REFUSED if self.reversion_fails else Outcome.VERIFIED
        return WriteResult(outcome, {"safe_w": safe_w, "timer_s": timer_s}, {}, "")

    async def _answer(self) -> None:
        await asyncio.sleep(self.takes_s)
        if self.silent:
            raise Timeout("no answer")


class ScriptedCoil:
    """A contact with feedback and a watchdog register."""

    dead_man_s = 0.55

    def __init__(self, watchdog_s: float | None = 0.5) -> None:
        self.closed = False
        self.calls: list[str] = []
        self.silent = False
        self.watchdog_s = watchdog_s
        self.not_after_s: float | None = None

    async def hold(self, not_after_s: float | None = None) -> None:
        if not_after_s is not None and time.monotonic() > not_after_s:
            raise TooLate("held up")
        self._call("hold")
        self.closed, self.not_after_s = True, not_after_s

    async def open(self) -> None:
        self._call("open")
        self.closed = False

    async def read(self) -> bool | None:
        self._call("read")
        return self.closed

    async def read_watchdog_s(self) -> float | None:
        self._call("watchdog")
        return self.watchdog_s

    def _call(self, name: str) -> None:
        if self.silent:
            raise Timeout("no answer")
        self.calls.append(name)
