"""The reactive power of one DER whose volt-var runs here: told when it changed, and again before the device forgets."""

from __future__ import annotations

import asyncio
import time

from drivers.errors import DriverError
from drivers.protocol import Reactive
from edge.agent.tell import Happening, Tell
from edge.guard.budget import REACTIVE_GAP_S
from edge.model.site import Der

STEP = 0.01
"""Of the apparent rating: a change by less waits for the next re-assertion."""


class ReactiveTask:
    """Owns the device's constant reactive power. Without a command nothing is written: the device lets go by itself."""

    def __init__(
        self, der: Der, device: Reactive, reassert_s: float, tell: Tell, gap_s: float = REACTIVE_GAP_S
    ) -> None:
        self.der = der
        self._device = device
        self._reassert_s = reassert_s
        self._gap_s = gap_s
        self._tell = tell
        self._changed = asyncio.Event()
        self._said = False
        self.forget()

    def forget(self) -> None:
        """Nothing is wanted and nothing known: at the start, and when the task died."""
        self._wanted: float | None = None
        self._written: float | None = None

    def command(self, var: float | None) -> None:
        """The latest command; None lets go."""
        self._wanted = var
        if var is None:
            self._written = None
        elif self._written is None or abs(var - self._written) >= STEP * self.der.rated_va:
            self._changed.set()

    async def run(self) -> None:
        """Write for ever, when something changed or when it is time to say it again."""
        while True:
            try:
                async with asyncio.timeout(self._reassert_s):
                    await self._changed.wait()
            except TimeoutError:
                pass
            self._changed.clear()
            await self._write()
            await asyncio.sleep(self._gap_s)

    async def settle(self) -> bool:
        """Let go now, while `run` no longer runs; whether the device took it."""
        try:
            return (await self._device.write_var(0.0)).verified
        except DriverError:
            return False

    async def _write(self) -> None:
        var = self._wanted
        if var is None:
            return
        try:
            result = await self._device.write_var(var)
        except DriverError as error:
            self._written = None
            self._say(str(error))
            return
        self._written = var if result.verified else None
        self._say("" if result.verified else result.reason)

    def _say(self, problem: str) -> None:
        """Once when it fails, and once when it works again."""
        if bool(problem) == self._said:
            return
        self._said = bool(problem)
        kind = "write-unverified" if problem else "device-return"
        what = f"reactive power is not in the device: {problem}" if problem else "takes reactive power again"
        self._tell(Happening(kind, time.monotonic(), f"{self.der.name}: {what}", self.der.name))
