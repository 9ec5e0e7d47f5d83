"""Finding the running agent that a command means, and asking it."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, TypeVar

import typer

from cli.exits import PROBLEM, REFUSED, UNREACHABLE, fail

if TYPE_CHECKING:
    from contract.client import AgentClient

T = TypeVar("T")

SiteArgument = Annotated[
    Path | None,
    typer.Argument(
        metavar="[SITE]", help="The site file; the only running agent when left out.", show_default=False
    ),
]


def ask(site_file: Path | None, question: Callable[[AgentClient], Awaitable[T]]) -> T:
    """Ask the agent of a site, or the only one; exits with 2 (which one?) or 3 (none answers)."""
    return asyncio.run(_ask(site_file, question))


def ask_if_running(site_file: Path | None, question: Callable[[AgentClient], Awaitable[T]]) -> T | None:
    """Ask the agent of a site, or the only one; None when it does not answer."""
    return asyncio.run(_ask_if_running(site_file, question))


async def _ask_if_running(
    site_file: Path | None, question: Callable[[AgentClient], Awaitable[T]]
) -> T | None:
    from contract.client import AgentClient, AgentRefusedError, AgentUnreachableError

    try:
        async with AgentClient(await find(site_file)) as agent:
            return await question(agent)
    except (AgentUnreachableError, AgentRefusedError):
        return None


async def _ask(site_file: Path | None, question: Callable[[AgentClient], Awaitable[T]]) -> T:
    from contract.client import AgentClient, AgentRefusedError, AgentUnreachableError

    path = await find(site_file)
    try:
        async with AgentClient(path) as agent:
            return await question(agent)
    except AgentUnreachableError as error:
        where = f" for {site_file}" if site_file else ""
        fail(UNREACHABLE, f"no agent answers{where}: {error}")
    except AgentRefusedError as error:
        fail(PROBLEM, f"the agent refused: {error}")


async def find(site_file: Path | None) -> Path:
    """The socket of a site's agent, or of the only one that answers."""
    from contract.client import running_sockets

    if site_file is not None:
        return _named(site_file)
    answers = [(path, await _site_of(path)) for path in running_sockets()]
    running = {path: site for path, site in answers if site is not None}
    if not running:
        fail(UNREACHABLE, "no agent is running here; start one with: dergate run SITE.toml")
    if len(running) > 1:
        names = ", ".join(sorted(running.values()))
        fail(REFUSED, f"several agents are running, name the site file of one: {names}")
    return next(iter(running))


def _named(site_file: Path) -> Path:
    from contract.client import socket_path

    if not site_file.exists():
        fail(REFUSED, f"{site_file}: No such file or directory")
    return socket_path(site_file)


async def _site_of(path: Path) -> str | None:
    """The site file of the agent behind a socket, None when nobody answers."""
    from contract.client import AgentClient, AgentRefusedError, AgentUnreachableError
    from contract.socket import SiteInForce, SiteRequest

    try:
        async with AgentClient(path, timeout_s=2.0) as agent:
            return (await agent.ask(SiteRequest(), SiteInForce)).path
    except (AgentUnreachableError, AgentRefusedError):
        return None
