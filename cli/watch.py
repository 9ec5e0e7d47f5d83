"""`dergate watch`: the live picture of a site."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from cli.agents import SiteArgument, find
from cli.exits import UNREACHABLE, fail

if TYPE_CHECKING:
    from rich.live import Live

_EVERY_S = 0.25
_JSON_EVERY_S = 0.5


def watch(
    site_file: SiteArgument = None,
    duration: Annotated[float | None, typer.Option(min=0.1, help="Stop after this many seconds.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object a line, twice a second.")] = False,
) -> None:
    """Watch a running site until interrupted."""
    try:
        asyncio.run(_print(site_file, duration) if as_json else _watch(site_file, duration))
    except KeyboardInterrupt:
        return


async def _watch(site_file: Path | None, duration: float | None) -> None:
    from rich.live import Live

    from contract.client import AgentRefusedError, AgentUnreachableError

    path = await find(site_file)
    try:
        with Live(auto_refresh=False, screen=False) as live:
            async with asyncio.timeout(duration):
                await _show(path, live)
    except TimeoutError:
        return
    except (AgentUnreachableError, AgentRefusedError) as error:
        fail(UNREACHABLE, f"no agent answers: {error}")


async def _print(site_file: Path | None, duration: float | None) -> None:
    from contract.client import AgentClient, AgentRefusedError, AgentUnreachableError

    path = await find(site_file)
    try:
        async with asyncio.timeout(duration), AgentClient(path) as agent:
            while True:
                print((await agent.status()).model_dump_json(), flush=True)
                await asyncio.sleep(_JSON_EVERY_S)
    except TimeoutError:
        return
    except (AgentUnreachableError, AgentRefusedError) as error:
        fail(UNREACHABLE, f"no agent answers: {error}")


async def _show(path: Path, live: Live) -> None:
    from cli.picture import History, picture
    from contract.client import AgentClient

    history = History()
    async with AgentClient(path) as agent:
        while True:
            status = await agent.status()
            history.take(status.image.at_s, status.image.pcc.export_w.value)
            live.update(picture(status, history), refresh=True)
            await asyncio.sleep(_EVERY_S)
