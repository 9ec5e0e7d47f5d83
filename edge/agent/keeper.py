"""Keeps the protective state on disk, without ever making control wait for the disk."""

from __future__ import annotations

import asyncio
import time

from edge.agent.durable_file import DurableFile, DurableFileError
from edge.agent.tell import Happening, Tell, log
from edge.agent.wall import Wall
from edge.model.durable import STATE_LOST, Durable

_CLOCK_EVERY_S = 600.0
_RETRY_S = 1.0


class Keeper:
    """Writes the newest state whenever it changed, and the wall clock's floor every ten minutes.

    `found` is what a start finds on the disk. A trip that cannot be written takes that away: no restart forgets it.
    """

    def __init__(self, file: DurableFile, wall: Wall, tell: Tell, found: Durable) -> None:
        self._file = file
        self._wall = wall
        self._tell = tell
        self._found = found
        self._wanted: Durable | None = None
        self._kept: Durable | None = None
        self._kept_s = time.monotonic()
        self._changed = asyncio.Event()
        self._said = False
        self._writing = asyncio.Lock()

    def keep(self, durable: Durable) -> float:
        """This is the state from now on; for how long the disk has been behind, in s, 0 when it has this state."""
        if durable != self._wanted:
            if self._wanted == self._kept:
                self._kept_s = time.monotonic()
            self._wanted = durable
            self._changed.set()
        return 0.0 if durable == self._kept else max(time.monotonic() - self._kept_s, 1e-6)

    async def flush(self) -> bool:
        """Write now; whether it is on the disk."""
        async with self._writing:
            return await self._write()

    async def _write(self) -> bool:
        durable = self._wanted
        if durable is None:
            return True
        try:
            await asyncio.to_thread(self._file.save, durable, self._wall.moment())
        except DurableFileError as error:
            self._say_once(str(error))
            await self._forbid(durable)
            return False
        self._kept, self._found, self._said = durable, durable, False
        return True

    async def _forbid(self, durable: Durable) -> None:
        """What is on the disk must not allow a start more than the state that it cannot take."""
        if not _allows_more(self._found, durable):
            return
        try:
            await asyncio.to_thread(self._file.set_aside)
        except DurableFileError as error:
            log.debug("%s", error)
            return
        self._found = STATE_LOST
        detail = "the protective state on the disk was set aside: a start finds none, and is tripped"
        self._tell(Happening("alarm", time.monotonic(), detail))

    async def run(self) -> None:
        """Keep for ever."""
        while True:
            try:
                async with asyncio.timeout(_CLOCK_EVERY_S):
                    await self._changed.wait()
            except TimeoutError:
                pass
            self._changed.clear()
            while not await self.flush() or self._kept != self._wanted:
                if self._said:
                    await asyncio.sleep(_RETRY_S)

    def _say_once(self, sentence: str) -> None:
        if not self._said:
            self._said = True
            self._tell(Happening("alarm", time.monotonic(), f"the protective state is not kept: {sentence}"))


def _allows_more(found: Durable, wanted: Durable) -> bool:
    """Whether a start with `found` could do what `wanted` forbids."""
    untripped = wanted.tripped and not found.tripped
    unlocked = wanted.lockout and not found.lockout
    return untripped or unlocked or (found.in_service and not wanted.in_service)
