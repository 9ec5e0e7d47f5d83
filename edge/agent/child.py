"""A process beside the agent, such as the link: started, never waited on, started again when it dies."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import time
from asyncio.subprocess import Process

from edge.agent.tell import log

_FIRST_S = 1.0
_LONGEST_S = 60.0
_STEADY_S = 60.0
_GRACE_S = 3.0


class Child:
    """Keeps one command running; `pid` is None while it does not run."""

    def __init__(self, name: str, command: list[str], environment: dict[str, str] | None = None) -> None:
        self._name = name
        self._command = command
        self._environment = {**os.environ, **(environment or {})}
        # The child must not speak to systemd in the agent's name.
        self._environment.pop("NOTIFY_SOCKET", None)
        self._process: Process | None = None

    @property
    def pid(self) -> int | None:
        """Its process id while it runs."""
        process = self._process
        return process.pid if process is not None and process.returncode is None else None

    async def run(self) -> None:
        """Start it, and start it again after a growing pause whenever it ends."""
        pause_s = _FIRST_S
        while True:
            started_s = time.monotonic()
            status = await self._once()
            if time.monotonic() - started_s > _STEADY_S:
                pause_s = _FIRST_S
            log.warning("%s ended with status %s; it is started again in %g s", self._name, status, pause_s)
            await asyncio.sleep(pause_s)
            pause_s = min(2 * pause_s, _LONGEST_S)

    async def run_once(self) -> None:
        """Start it and see it end."""
        status = await self._once()
        log.info("%s ended with status %s", self._name, status)

    async def _once(self) -> int | str:
        try:
            self._process = await asyncio.create_subprocess_exec(
                *self._command, stdin=asyncio.subprocess.DEVNULL, env=self._environment
            )
        except OSError as error:
            return f"{error.strerror}"
        try:
            return await self._process.wait()
        except asyncio.CancelledError:
            await self._end(self._process)
            raise

    @staticmethod
    async def _end(process: Process) -> None:
        """Ask it to end, then make it."""
        with contextlib.suppress(ProcessLookupError):
            process.send_signal(signal.SIGTERM)
            try:
                async with asyncio.timeout(_GRACE_S):
                    await process.wait()
            except TimeoutError:
                process.kill()
                await process.wait()
