"""Work that ends when it is told to, by Ctrl-C, SIGTERM or a closed terminal, also where a shell ignores Ctrl-C."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Coroutine
from typing import Any, TypeVar

T = TypeVar("T")


async def until_told(work: Coroutine[Any, Any, T]) -> T:
    """Do the work; a signal cancels it, so that it can put back what it changed.

    Raises:
        asyncio.CancelledError: It was told to end.
    """
    task = asyncio.ensure_future(work)
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        loop.add_signal_handler(number, task.cancel)
    return await task
