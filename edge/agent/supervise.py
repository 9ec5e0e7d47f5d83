"""Keeps a task alive: when it dies, what it had seen is forgotten, somebody is told, and it starts again."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable

from edge.agent.tell import Happening, Tell, log

_PAUSE_S = 1.0


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
