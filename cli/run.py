"""`dergate run`: the agent of one site, in this very process."""

from __future__ import annotations

import asyncio
import hashlib
import logging
import os
import signal
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, NoReturn

import typer

if TYPE_CHECKING:
    from edge.agent.agent import Place
    from edge.agent.lock import SiteLock
    from edge.agent.requests import SiteFile
    from edge.model.site import Site
    from edge.step import Settings

FINE, PROBLEM, USAGE, UNREACHABLE = 0, 1, 2, 3


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
    from edge.model.site import Site
    from edge.model.strict_toml import FileRefusedError, load
    from edge.step import Settings, UnfitError

    try:
        text = path.read_text(encoding="utf-8")
        site = load(Site, text, str(path))
        settings = Settings.of(site)
    except OSError as error:
        fail(f"{path}: cannot be read: {error.strerror}", USAGE)
    except UnicodeDecodeError:
        fail(f"{path}: cannot be read: not UTF-8 text", USAGE)
    except FileRefusedError as error:
        fail("\n".join(error.problems), USAGE)
    except UnfitError as error:
        fail("\n".join(f"{path}: {problem}" for problem in error.problems), USAGE)
    sha256 = hashlib.sha256(text.encode()).hexdigest()
    return SiteFile(path.resolve(), text, sha256), site, settings


def state_dir_of(site: Site, path: Path) -> Path:
    """The state folder of a site: as the file says, relative to the file, or `<name>.state` beside it."""
    return path.parent / (site.state_dir or f"{path.stem}.state")


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


def fail(message: str, status: int) -> NoReturn:
    """Say why on stderr, and exit."""
    typer.echo(message, err=True)
    raise typer.Exit(status)


def _place(site: Site, path: Path, state_dir: Path | None) -> Place:
    from edge.agent.agent import Place

    return Place((state_dir or state_dir_of(site, path)).resolve())


def _lock(place: Place) -> SiteLock:
    from edge.agent.lock import SiteLock, SiteLockedError

    try:
        return SiteLock(place.state_dir)
    except SiteLockedError as error:
        fail(str(error), UNREACHABLE)


def _create(place: Place) -> None:
    from edge.agent.durable_file import DurableFile, DurableFileError

    file = DurableFile(place.durable)
    if place.durable.exists():
        fail(f"{place.durable} exists already: start this site without --new-site", USAGE)
    try:
        file.create(time.time())
    except DurableFileError as error:
        fail(str(error), UNREACHABLE)


def _run(site: Site, settings: Settings, file: SiteFile, place: Place, *, with_link: bool) -> None:
    from drivers.errors import DriverError
    from edge.agent.scanner import StepFailedError
    from edge.agent.socket_server import SocketTakenError
    from edge.spool import SpoolError

    try:
        asyncio.run(_serve(site, settings, file, place, with_link=with_link))
    except (SpoolError, SocketTakenError) as error:
        fail(str(error), UNREACHABLE)
    except DriverError as error:
        fail(f"{file.path}: {error}", USAGE)
    except StepFailedError as error:
        fail(str(error), PROBLEM)


async def _serve(site: Site, settings: Settings, file: SiteFile, place: Place, *, with_link: bool) -> None:
    from edge.agent.agent import Agent

    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    await Agent(site, settings, file, place, with_link=with_link).run(stop)
