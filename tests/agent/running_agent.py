"""An agent in this process, with a runtime folder of its own, and clients to its real socket."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from agent_site import site_of

from contract.client import AgentClient, AgentUnreachableError, socket_path
from edge.agent.agent import Agent, Place
from edge.agent.durable_file import DurableFile
from edge.agent.requests import SiteFile
from edge.agent.scanner import Step
from edge.agent.wall import Wall
from edge.step import Settings, step


@asynccontextmanager
async def agent_running(file: SiteFile, *, new: bool = True, run_step: Step = step) -> AsyncIterator[Agent]:
    """Run an agent until the block ends; what ended it early is raised."""
    place = Place(file.path.parent / "here.state")
    if new:
        DurableFile(place.durable).create(Wall().moment())
    site = site_of(file.text)
    agent = Agent(site, Settings.of(site), file, place, with_link=False, run_step=run_step)
    stop = asyncio.Event()
    task = asyncio.create_task(agent.run(stop))
    try:
        await answering(file.path, task)
        yield agent
    finally:
        stop.set()
        await task


async def answering(site_file: Path, task: asyncio.Task[None] | None = None) -> None:
    """Wait until the agent's socket answers."""
    for _ in range(500):
        if task is not None and task.done():
            task.result()
        try:
            async with AgentClient(socket_path(site_file)):
                return
        except AgentUnreachableError:
            await asyncio.sleep(0.01)
    raise AssertionError("the agent's socket does not answer")


async def raw_line(site_file: Path, line: bytes) -> dict[str, Any]:
    """Send one line as it is, and read one answer."""
    reader, writer = await asyncio.open_unix_connection(str(socket_path(site_file)))
    writer.write(line + b"\n")
    answer = json.loads(await reader.readline())
    writer.close()
    assert isinstance(answer, dict)
    return answer
