"""One device task over a scripted device, and waiting for what it does."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

from agent_site import demo_site
from scripted_devices import ScriptedInverter

from edge.agent.der_task import DerTask, Writes
from edge.agent.tell import Happening
from edge.model.site import Der


@asynccontextmanager
async def running(run: Callable[[], Awaitable[None]]) -> AsyncIterator[None]:
    task = asyncio.ensure_future(run())
    try:
        yield
        assert not task.done(), task.exception()
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def until(condition: Callable[[], bool], within_s: float = 2.0) -> None:
    deadline_s = time.monotonic() + within_s
    while not condition():
        assert time.monotonic() < deadline_s, "did not happen in time"
        await asyncio.sleep(0.005)


class Site:
    """One DER task over a scripted inverter."""

    def __init__(self, device: ScriptedInverter, reassert_s: float = 60.0, **changes: float | str) -> None:
        self.told: list[Happening] = []
        self.writes = Writes()
        der: Der = demo_site().der[0].model_copy(update={"poll_s": 0.05, "lost_after_s": 0.3, **changes})
        self.task = DerTask(der, device, 277.0, reassert_s, self.told.append, self.writes)

    def kinds(self) -> list[str]:
        return [happening.kind for happening in self.told]
