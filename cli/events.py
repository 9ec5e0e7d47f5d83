"""`dergate events`: what happened on a site."""

from __future__ import annotations

import sys
import time
from typing import TYPE_CHECKING, Annotated

import typer

from cli.agents import SiteArgument, ask_if_running
from cli.evidence import EvidencePlace, StateDirOption, end_with, key_of, place_of, shown_by

if TYPE_CHECKING:
    from contract.socket import Events, EventStatus
    from contract.status import ExcursionStatus
    from edge.spool.reader import StoredEvent


def events(
    site_file: SiteArgument = None,
    last: Annotated[int, typer.Option(min=1, max=10_000, help="How many of the newest.")] = 100,
    state_dir: StateDirOption = None,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object for machines.")] = False,
) -> None:
    """Show the newest events of a site, oldest first; its agent need not be running."""
    from contract.socket import Events, EventsRequest

    place = place_of(site_file, state_dir)
    live = ask_if_running(site_file, lambda agent: agent.ask(EventsRequest(last=last), Events))
    kept, problems = _kept(place, last, live)
    shown = Events(
        events=_merged(kept, live.events if live else ())[-last:],
        excursions=live.excursions if live else _counted(place),
    )
    if as_json:
        print(shown.model_dump_json())
    else:
        _print(shown)
    if live is None:
        print("no agent answers: this is what it has stored", file=sys.stderr)
    end_with(problems)


def _kept(place: EvidencePlace, last: int, live: Events | None) -> tuple[list[EventStatus], list[str]]:
    """What the spool holds; without one the agent's memory has to do."""
    from cli.evidence import stored
    from edge.spool import SpoolError
    from edge.spool.reader import read_events

    if live is None:
        found = stored(place, last)
    else:
        try:
            found = read_events(place.spool, last)
        except SpoolError as error:
            return [], [f"{error}; only what the agent remembers is shown"]
    shown = shown_by(found.events)
    kept = [_status(one, shown.get(key_of(one))) for one in found.events if one.event.type != "capture"]
    return kept[::-1], found.problems


def _status(one: StoredEvent, shown_in: int | None) -> EventStatus:
    from contract.socket import EventStatus

    event = one.event
    return EventStatus(
        kind=event.type,
        at_s=one.envelope.mono_s,
        wall=event.at.isoformat(timespec="milliseconds"),
        time_quality=one.envelope.time_quality,
        detail=event.detail,
        values=event.values,
        boot=one.envelope.boot,
        seq=one.seq,
        capture=shown_in,
    )


def _merged(kept: list[EventStatus], remembered: tuple[EventStatus, ...]) -> tuple[EventStatus, ...]:
    """Both, each event once: boot after boot, and by monotonic time within a boot."""
    known = {(one.boot, one.at_s, one.detail) for one in kept}
    fresh = [one for one in remembered if (one.boot, one.at_s, one.detail) not in known]
    boots: dict[str | None, list[EventStatus]] = {}
    for one in [*kept, *fresh]:
        boots.setdefault(one.boot, []).append(one)
    return tuple(one for boot in boots.values() for one in sorted(boot, key=lambda event: event.at_s))


def _counted(place: EvidencePlace) -> ExcursionStatus:
    from edge.agent.summary import excursion_status
    from edge.agent.tally_file import TallyFile

    tallies, problem = TallyFile(place.tally).load()
    if problem is not None:
        print(problem, file=sys.stderr)
    return excursion_status(tallies, time.time())


def _print(shown: Events) -> None:
    """One line for each event, as wide as it is: for eyes and for grep."""
    from rich.console import Console

    from cli.picture import excursions

    print(f"{'when (UTC)':23}  {'clock':12}  {'monotonic s':>12}  {'kind':16}  {'capture':>7}  what")
    for event in shown.events:
        when = event.wall.removesuffix("+00:00").replace("T", " ")
        number = "" if event.capture is None else str(event.capture)
        print(
            f"{when:23}  {event.time_quality:12}  {event.at_s:12.3f}  {event.kind:16}  {number:>7}  {event.detail}"
        )
    Console(soft_wrap=True).print(excursions(shown.excursions), highlight=False)
