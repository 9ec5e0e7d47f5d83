"""The real agent and the real simulator as processes of their own, for the length of a context."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from benchmarks.registry import UnmeasuredError
from benchmarks.sites import Fleet
from contract.client import AgentClient, AgentUnreachableError, socket_path
from contract.status import Status

SITE_FILE = "fleet.site.toml"

_END_S = 20.0


@contextlib.contextmanager
def process(*arguments: str, folder: Path, piped: bool = False) -> Iterator[subprocess.Popen[str]]:
    """`python` with these arguments, its stderr in `folder`; ended when the context ends."""
    with (folder / "stderr.log").open("a", encoding="utf-8") as log:
        child = subprocess.Popen(
            [sys.executable, *arguments],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE if piped else subprocess.DEVNULL,
            stderr=log,
            text=True,
            env=os.environ | {"DERGATE_RUNTIME_DIR": str(folder / "run")},
        )
    try:
        yield child
    finally:
        child.terminate()
        try:
            child.wait(_END_S)
        except subprocess.TimeoutExpired:
            child.kill()
            child.wait()
        if child.stdout:
            child.stdout.close()


@contextlib.contextmanager
def agent(fleet: Fleet, uris: dict[str, str], folder: Path) -> Iterator[subprocess.Popen[str]]:
    """`dergate run` on a fresh site of this fleet."""
    site_file = folder / SITE_FILE
    site_file.write_text(fleet.site_text(uris), encoding="utf-8")
    arguments = ("-m", "cli.main", "run", str(site_file), "--new-site", "--no-link")
    with process(*arguments, folder=folder) as child:
        yield child


async def status(folder: Path) -> Status:
    """What the agent of this folder says of itself.

    Raises:
        UnmeasuredError: It does not answer.
    """
    try:
        async with AgentClient(folder / "run" / "dergate" / socket_path(folder / SITE_FILE).name) as client:
            return await client.status()
    except AgentUnreachableError as error:
        raise UnmeasuredError(f"{error}; {last_words(folder)}") from error


def must_regulate(folder: Path) -> Status:
    """The agent's status.

    Raises:
        UnmeasuredError: It does not answer, or does something else than regulate.
    """
    found = asyncio.run(status(folder))
    if found.mode != "regulating":
        raise UnmeasuredError(f"the agent is {found.mode}, not regulating: {last_words(folder)}")
    return found


@contextlib.contextmanager
def simulator(sim_file: Path, folder: Path) -> Iterator[dict[str, str]]:
    """`dergate sim serve` on free ports; the URI of each role.

    Raises:
        UnmeasuredError: It did not start.
    """
    arguments = ("-m", "cli.main", "sim", "serve", str(sim_file), "--json", "--port-base", "0")
    with process(*arguments, folder=folder, piped=True) as child:
        line = child.stdout.readline() if child.stdout else ""
        if not line:
            raise UnmeasuredError(f"the simulator did not start: {last_words(folder)}")
        yield {device["role"]: device["uri"] for device in json.loads(line)["devices"]}


def last_words(folder: Path) -> str:
    """The last line of what a process of this folder said on stderr."""
    lines = (folder / "stderr.log").read_text(encoding="utf-8").strip().splitlines()
    return lines[-1] if lines else "it said nothing"
