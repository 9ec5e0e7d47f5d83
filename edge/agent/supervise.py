"""Keeps a task alive: when it dies, what it had seen is forgotten, somebody is told, and it starts again."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Collection
from typing import Any

from edge.agent.tell import Happening, Tell, log

_PAUSE_S = 1.0
_CANCELS = 10
_CANCEL_S = 0.3


async def keep_alive(
    name: str, run: Callable[[], Awaitable[None]], forget: Callable[[], None], tell: Tell
) -> None:
    """Run `run` for ever. `forget` must leave nothing that looks fresh."""
    while True:
        try:
            await run()
        except Exception as error:  # noqa: BLE001 - a defect in one task must not take the others with it
            log.debug("%s failed", name, exc_info=True)
            forget()
            tell(Happening("alarm", time.monotonic(), f"{name} failed and starts again: {error!r}"))
            await asyncio.sleep(_PAUSE_S)


async def end_all(tasks: Collection[asyncio.Task[Any]]) -> None:
    """Cancel tasks and see them end.

    Once is not enough: `asyncio.wait_for` of Python 3.11, under the Modbus library, can swallow a cancellation.
    """
    for _ in range(_CANCELS):
        waiting = [task for task in tasks if not task.done()]
        if not waiting:
            return
        for task in waiting:
            task.cancel()
        await asyncio.wait(waiting, timeout=_CANCEL_S)
    log.warning("%d tasks did not end when told to", sum(not task.done() for task in tasks))
