"""Where a site keeps its evidence, and reading it: with the agent, beside it, or long after it ended."""

from __future__ import annotations

import sys
import tomllib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cli.agents import ask
from cli.exits import PROBLEM, REFUSED, fail, read_text

if TYPE_CHECKING:
    from edge.evidence.incident import Incident
    from edge.spool.reader import Found, StoredEvent

StateDirOption = Annotated[
    Path | None, typer.Option(help="Where the state is kept; default: the site file's state_dir.")
]


@dataclass(frozen=True, slots=True)
class EvidencePlace:
    """A site's name, and the folder of its spool."""

    name: str
    state_dir: Path

    @property
    def spool(self) -> Path:
        """The spool's file."""
        from edge.agent.agent import Place

        return Place(self.state_dir).spool

    @property
    def tally(self) -> Path:
        """The excursion counts' file."""
        from edge.agent.agent import Place

        return Place(self.state_dir).tally


def place_of(site_file: Path | None, state_dir: Path | None) -> EvidencePlace:
    """Where the evidence of a site lies, or of the only running agent's.

    Of the site file only name and `state_dir` are read: evidence can be had although the file has mistakes.
    """
    from contract.client import state_dir as declared_dir

    path = site_file or _running_site()
    name, declared = _said(path)
    return EvidencePlace(name or path.name, state_dir or declared_dir(path, declared))


def _running_site() -> Path:
    from contract.socket import SiteInForce, SiteRequest

    return Path(ask(None, lambda agent: agent.ask(SiteRequest(), SiteInForce)).path)


def _said(path: Path) -> tuple[str | None, str | None]:
    try:
        text = tomllib.loads(read_text(path))
    except tomllib.TOMLDecodeError as error:
        fail(REFUSED, f"{path}: {error}")
    site: Any = text.get("site")
    name = site.get("name") if isinstance(site, dict) else None
    declared = text.get("state_dir")
    return name if isinstance(name, str) else None, declared if isinstance(declared, str) else None


def stored(place: EvidencePlace, last: int | None = None, seq: int | None = None) -> Found:
    """The events in the spool; ends with status 2 when there is none or nothing of it can be read."""
    from edge.spool import SpoolError
    from edge.spool.reader import read_events

    try:
        return read_events(place.spool, last, seq)
    except SpoolError as error:
        fail(REFUSED, str(error))


def end_with(problems: Sequence[str]) -> None:
    """Say what was damaged, and end with status 1 if anything was."""
    for problem in problems:
        print(problem, file=sys.stderr)
    if problems:
        raise typer.Exit(PROBLEM)


def shown_by(found: Sequence[StoredEvent]) -> dict[tuple[str, float, str], int]:
    """The newest record whose capture shows an event, by the event's boot, monotonic time and type.

    `found` is newest first; so the whole capture goes before the part that an event carries itself.
    """
    shown: dict[tuple[str, float, str], int] = {}
    for one in found:
        if one.event.capture is None:
            continue
        for mark in one.event.capture.marks:
            key = (one.envelope.boot, round(one.envelope.mono_s + mark.t_s, 3), mark.type)
            shown.setdefault(key, one.seq)
    return shown


def key_of(one: StoredEvent) -> tuple[str, float, str]:
    """An event's key in `shown_by`."""
    return one.envelope.boot, round(one.envelope.mono_s, 3), one.event.type


class UnreadableError(Exception):
    """A capture cannot be read; the message says which and why."""


def incident_of(one: StoredEvent, name: str) -> Incident:
    """A record with a capture, ready to be shown; ends with status 2 when it has none.

    Raises:
        UnreadableError: What it has is damaged.
    """
    from edge.evidence.incident import Incident

    capture, what = one.event.capture, f"{one.event.type}: {one.event.detail}"
    if capture is None:
        fail(REFUSED, f"record {one.seq} ({what}) has no capture")
    try:
        _ = capture.rows
    except ValueError as error:
        raise UnreadableError(f"the capture of record {one.seq} is damaged: {error}") from error
    return Incident(
        seq=one.seq,
        gateway=one.envelope.gateway,
        station=name,
        detail=one.event.detail if one.event.type == "capture" else what,
        at=one.event.at,
        time_quality=one.envelope.time_quality,
        mono_s=one.envelope.mono_s,
        boot=one.envelope.boot,
        capture=capture,
    )
