"""`dergate run`: the agent of one site, in this very process."""

from __future__ import annotations

import asyncio
import hashlib
import logging
import os
import signal
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from cli.exits import PROBLEM, REFUSED, UNREACHABLE, fail, read_site, read_text

if TYPE_CHECKING:
    from edge.agent.agent import Place
    from edge.agent.lock import SiteLock
    from edge.agent.requests import SiteFile
    from edge.model.site import Site
    from edge.step import Settings


def run(
    site_file: Annotated[Path, typer.Argument(metavar="SITE", help="The site file.")],
    new_site: Annotated[
        bool,
        typer.Option("--new-site", help="Create the protective state: once, on purpose, for a new site."),
    ] = False,
    no_link: Annotated[bool, typer.Option("--no-link", help="Do not start the link to the portal.")] = False,
    state_dir: Annotated[
        Path | None, typer.Option(help="Where the state is kept; default: the site file's state_dir.")
    ] = None,
) -> None:
    """Run a site until it is told to stop (Ctrl-C or SIGTERM)."""
    log_to_stderr()
    file, site, settings = load_site(site_file)
    place = _place(site, file.path, state_dir)
    lock = _lock(place)
    try:
        if new_site:
            _create(place)
        _run(site, settings, file, place, with_link=not no_link)
    finally:
        lock.release()


def load_site(path: Path) -> tuple[SiteFile, Site, Settings]:
    """Read, check and compile a site file; exits with 2 and one line for each mistake when it is refused."""
    from edge.agent.requests import SiteFile
    from edge.step import Settings, UnfitError

    text = read_text(path)
    site = read_site(path)
    try:
        settings = Settings.of(site)
    except UnfitError as error:
        fail(REFUSED, *(_placed(text, path, problem) for problem in error.problems))
    sha256 = hashlib.sha256(text.encode()).hexdigest()
    return SiteFile(path.resolve(), text, sha256), site, settings


def _placed(text: str, path: Path, problem: str) -> str:
    """What a site is unfit for, told as other mistakes of its file are: with the line of the key."""
    from edge.model.strict_toml import placed
    from edge.model.toml_lines import path_of

    key, _, sentence = problem.partition(": ")
    return placed(text, str(path), path_of(key), sentence)


def log_to_stderr() -> None:
    """One plain line for each happening; a journal adds its own time."""
    by_journal = "JOURNAL_STREAM" in os.environ
    handler = logging.StreamHandler(sys.stderr)
    layout = "%(message)s" if by_journal else "%(asctime)s.%(msecs)03d %(message)s"
    handler.setFormatter(logging.Formatter(layout, "%H:%M:%S"))
    log = logging.getLogger("dergate")
    log.addHandler(handler)
    log.setLevel(logging.INFO)
    log.propagate = False


def _place(site: Site, path: Path, state_dir: Path | None) -> Place:
    from contract.client import state_dir as declared_dir
    from edge.agent.agent import Place

    return Place((state_dir or declared_dir(path, site.state_dir)).resolve())


def _lock(place: Place) -> SiteLock:
    from edge.agent.lock import SiteLock, SiteLockedError

    try:
        return SiteLock(place.state_dir)
    except SiteLockedError as error:
        fail(UNREACHABLE, str(error))


def _create(place: Place) -> None:
    from edge.agent.durable_file import DurableFile, DurableFileError
    from edge.agent.wall import Wall

    file = DurableFile(place.durable)
    if place.durable.exists():
        fail(REFUSED, f"{place.durable} exists already: start this site without --new-site")
    try:
        file.create(Wall().moment())
    except DurableFileError as error:
        fail(UNREACHABLE, str(error))


def _run(site: Site, settings: Settings, file: SiteFile, place: Place, *, with_link: bool) -> None:
    from drivers.errors import DriverError
    from edge.agent.scanner import StepFailedError
    from edge.agent.socket_server import SocketTakenError
    from edge.spool import SpoolError

    try:
        asyncio.run(_serve(site, settings, file, place, with_link=with_link))
    except (SpoolError, SocketTakenError) as error:
        fail(UNREACHABLE, str(error))
    except DriverError as error:
        fail(REFUSED, f"{file.path}: {error}")
    except StepFailedError as error:
        fail(PROBLEM, str(error))


async def _serve(site: Site, settings: Settings, file: SiteFile, place: Place, *, with_link: bool) -> None:
    from edge.agent.agent import Agent

    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    await Agent(site, settings, file, place, with_link=with_link).run(stop)
