"""What the agent says of itself while it lives: its scans as they are streamed, kept with their monotonic times."""

from __future__ import annotations

import asyncio
import contextlib
import threading
from pathlib import Path

from contract.client import AgentClient, AgentUnreachableError
from contract.socket import Scan


class Watcher:
    """Follows the scans of the agent behind a socket in a thread, until told to end."""

    def __init__(self, socket: Path) -> None:
        self.scans: list[Scan] = []
        self._socket = socket
        self._loop = asyncio.new_event_loop()
        self._task = self._loop.create_task(self._watch())
        self._thread = threading.Thread(target=self._run, name="watcher", daemon=True)
        self._thread.start()

    def last_s(self) -> float:
        """When the last complete scan was made that the agent had the time to tell; -inf when there was none."""
        return self.scans[-1].at_s if self.scans else float("-inf")

    def end(self) -> None:
        """Follow no longer."""
        if self._thread.is_alive():
            with contextlib.suppress(RuntimeError):
                self._loop.call_soon_threadsafe(self._task.cancel)
            self._thread.join(5.0)

    def _run(self) -> None:
        with contextlib.suppress(asyncio.CancelledError):
            self._loop.run_until_complete(self._task)
        self._loop.close()

    async def _watch(self) -> None:
        while True:
            with contextlib.suppress(AgentUnreachableError):
                async with AgentClient(self._socket) as agent:
                    async for scan in agent.stream():
                        self.scans.append(scan)
            await asyncio.sleep(0.05)
