"""Hands each scan to whoever listens; one that does not keep up is dropped, never waited for."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager

from edge.agent.scanned import Scanned

_BEHIND = 100


class FellBehindError(Exception):
    """This listener did not keep up with the scans."""


class Listener:
    """One listener's queue."""

    def __init__(self) -> None:
        self._queue: asyncio.Queue[Scanned] = asyncio.Queue(_BEHIND)
        self._behind = False

    async def next(self) -> Scanned:
        """The next scan.

        Raises:
            FellBehindError: Scans were missed.
        """
        if self._behind:
            raise FellBehindError
        return await self._queue.get()

    def put(self, done: Scanned) -> None:
        """Take a scan, unless the queue is full."""
        if self._queue.full():
            self._behind = True
        else:
            self._queue.put_nowait(done)


class Broadcast:
    """Any number of listeners."""

    def __init__(self) -> None:
        self._listeners: set[Listener] = set()

    def send(self, done: Scanned) -> None:
        """Hand out a scan."""
        for listener in self._listeners:
            listener.put(done)

    @contextmanager
    def listen(self) -> Iterator[Listener]:
        """A listener to the scans from now on."""
        listener = Listener()
        self._listeners.add(listener)
        try:
            yield listener
        finally:
            self._listeners.discard(listener)
