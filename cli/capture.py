"""`dergate capture`: the recording around a trip, a pickup, a fallback or an excursion."""

from __future__ import annotations

import json
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cli.evidence import (
    EvidencePlace,
    StateDirOption,
    UnreadableError,
    end_with,
    incident_of,
    key_of,
    place_of,
    shown_by,
    stored,
)
from cli.exits import REFUSED, UNREACHABLE, fail

if TYPE_CHECKING:
    from edge.evidence.incident import Incident
    from edge.spool.reader import Found, StoredEvent


def capture(
    number: Annotated[
        str | None,
        typer.Argument(metavar="[ID]", help="The capture's number; a list of all when left out."),
    ] = None,
    site_file: Annotated[
        Path | None,
        typer.Argument(metavar="[SITE]", help="The site file; the only running agent's when left out."),
    ] = None,
    plot: Annotated[Path | None, typer.Option(metavar="OUT.png", help="Draw it.")] = None,
    comtrade: Annotated[
        Path | None,
        typer.Option(metavar="DIR", help="Write it there as IEEE C37.111-2013 COMTRADE: .cfg, .dat, .hdr."),
    ] = None,
    state_dir: StateDirOption = None,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object for machines.")] = False,
) -> None:
    """Show the captures of a site, or one of them; the site's agent need not be running."""
    if number is None or (site_file is None and not number.isdecimal()):
        site_file = site_file or (None if number is None else Path(number))
        if plot or comtrade:
            fail(REFUSED, "say which capture: its number comes first; without one they are listed")
        _list(place_of(site_file, state_dir), as_json=as_json)
        return
    if not (number.isascii() and number.isdecimal()) or int(number) >= 2**63:
        fail(REFUSED, f"{number!r} is no capture's number")
    place = place_of(site_file, state_dir)
    found = stored(place, seq=int(number))
    if not found.events:
        fail(
            REFUSED,
            *found.problems,
            f"there is no event {number} in {place.spool}; without a number they are listed",
        )
    try:
        incident = incident_of(found.events[0], place.name)
    except UnreadableError as error:
        fail(REFUSED, str(error))
    if plot is not None:
        _plot(incident, plot)
    written = [] if comtrade is None else _comtrade(incident, comtrade)
    _show(incident, _whole(place, found.events[0]), [*([plot] if plot else []), *written], as_json=as_json)


def _whole(place: EvidencePlace, one: StoredEvent) -> int | None:
    """The record that has all of a capture of which `one` has the beginning; None when it is whole, or all there is."""
    if one.event.type == "capture":
        return None
    seq = shown_by(stored(place).events).get(key_of(one), one.seq)
    return None if seq == one.seq else seq


def _plot(incident: Incident, path: Path) -> None:
    try:
        from edge.evidence.plot import draw
    except ModuleNotFoundError as error:
        fail(REFUSED, f"a plot needs {error.name}: install the extra 'report', pip install 'dergate[report]'")
    try:
        draw(incident, path)
    except OSError as error:
        fail(UNREACHABLE, f"{path}: cannot be written: {error.strerror}")


def _comtrade(incident: Incident, folder: Path) -> list[Path]:
    from edge.evidence.comtrade import NoSamplesError, comtrade

    offset = incident.at.astimezone().utcoffset() or timedelta()
    try:
        return comtrade(incident, offset).write(folder, f"{incident.gateway}-{incident.seq}")
    except NoSamplesError as error:
        fail(REFUSED, str(error))
    except OSError as error:
        fail(UNREACHABLE, f"{folder}: cannot be written: {error.strerror}")


def _show(incident: Incident, whole: int | None, written: list[Path], *, as_json: bool) -> None:
    if as_json:
        said = _said(incident) | {
            "whole": whole,
            "gateway": incident.gateway,
            "written": [str(path) for path in written],
            **incident.capture.model_dump(mode="json", exclude={"scans"}),
            "rows": incident.capture.rows,
        }
        print(json.dumps(said))
        return
    print(f"capture {incident.seq}: {incident.detail}")
    print(
        f"{incident.at.isoformat(timespec='milliseconds')}, clock {incident.time_quality}; {_span(incident)}"
    )
    for mark in incident.capture.marks:
        print(f"{mark.t_s:+10.3f} s  {mark.type}: {mark.detail}")
    if whole is not None:
        print(f"this is its beginning; all of it is capture {whole}")
    for path in written:
        print(f"written: {path}")


def _span(incident: Incident) -> str:
    times_s = incident.t_s
    if not times_s:
        return "no scans"
    return f"{len(times_s)} scans from {times_s[0]:+.1f} to {times_s[-1]:+.1f} s"


def _said(incident: Incident) -> dict[str, Any]:
    times_s = incident.t_s
    return {
        "id": incident.seq,
        "at": incident.at.isoformat(timespec="milliseconds"),
        "time_quality": incident.time_quality,
        "mono_s": incident.mono_s,
        "boot": incident.boot,
        "detail": incident.detail,
        "scans": len(times_s),
        "from_s": times_s[0] if times_s else None,
        "until_s": times_s[-1] if times_s else None,
    }


def _list(place: EvidencePlace, *, as_json: bool) -> None:
    found = stored(place)
    captures = []
    for one in _worth_showing(found):
        try:
            captures.append((incident_of(one, place.name), one.event.type == "capture"))
        except UnreadableError as error:
            found.problems.append(str(error))
    if as_json:
        print(json.dumps({"captures": [_said(one) | {"complete": whole} for one, whole in captures]}))
    else:
        _print(captures)
    end_with(found.problems)


def _worth_showing(found: Found) -> list[StoredEvent]:
    """Every capture, oldest first; of an event's own, which ends with it, only what no later one shows."""
    shown = shown_by(found.events)
    worth = [
        one
        for one in found.events
        if one.event.capture is not None
        and (one.event.type == "capture" or shown.get(key_of(one), one.seq) == one.seq)
    ]
    return worth[::-1]


def _print(captures: list[tuple[Incident, bool]]) -> None:
    """One line for each capture."""
    if not captures:
        print("no captures")
        return
    print(f"{'ID':>7}  {'when (UTC)':23}  {'clock':12}  of")
    for one, whole in captures:
        when = one.at.isoformat(sep=" ", timespec="milliseconds").removesuffix("+00:00")
        span = _span(one) if whole else f"{_span(one)}, what came after is not there"
        print(f"{one.seq:7}  {when:23}  {one.time_quality:12}  {one.detail} ({span})")
