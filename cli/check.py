"""`dergate check`: whether a site file is right, and whether the site can be held within its bounds."""

from __future__ import annotations

import asyncio
import contextlib
import json
import re
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cli import exits

if TYPE_CHECKING:
    from datetime import tzinfo

    from drivers.protocol import Meter
    from edge.engineering.engineering import Engineering
    from edge.engineering.interval_data import IntervalData
    from edge.guard.finding import Finding
    from edge.model.site import Site

_FIXED = re.compile(r"([+-])(\d\d):(\d\d)", re.ASCII)
_SERVICE = {"v_v": "voltage", "f_hz": "frequency"}


def check(
    site_file: Annotated[Path, typer.Argument(metavar="SITE.toml", help="The site file.")],
    probe: Annotated[bool, typer.Option("--probe", help="Also ask every device who it is.")] = False,
    load: Annotated[
        Path | None,
        typer.Option(
            "--load", metavar="CSV", help="Interval data of the host load, for the relative rating."
        ),
    ] = None,
    zone: Annotated[
        str | None,
        typer.Option(
            "--zone", help="Zone of its local times: America/New_York, or an offset such as -05:00."
        ),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Explain every mistake in a site file, add up its time budgets, and state it for the application."""
    from dataclasses import asdict
    from datetime import datetime

    from edge.engineering import engineering
    from edge.guard.fitness import judge

    text = exits.read_text(site_file)
    site = exits.site_of(text, site_file)
    record = _read_load(load, zone)
    stated = engineering.engineer(site, record, datetime.now().astimezone().date())
    probed = asyncio.run(_probe(site)) if probe else []
    findings = [*judge(site), *_profiles(site), *engineering.findings(site, stated), *_unseen(probed)]
    unfit = any(finding.level == "problem" for finding in findings)
    silent = [device for device in probed if device["error"]]
    if as_json:
        print(
            json.dumps(
                {
                    "site": site.site.id,
                    "fit": not unfit,
                    "findings": [
                        {**asdict(finding), "line": line} for finding, line in _lined(findings, text)
                    ],
                    "engineering": asdict(stated),
                    "devices": probed,
                },
                default=_plain,
            )
        )
    else:
        _print(site, stated, _lined(findings, text), probed)
    if unfit:
        raise typer.Exit(exits.PROBLEM)
    if silent:
        raise typer.Exit(exits.UNREACHABLE)


def _lined(findings: list[Finding], text: str) -> list[tuple[Finding, int | None]]:
    """Each finding with the line of the site file that has its key, or the table where that would stand."""
    from edge.model.toml_lines import line_index, line_of, path_of

    lines = line_index(text)
    return [(finding, line_of(lines, path_of(finding.path))) for finding in findings]


def _read_load(file: Path | None, zone: str | None) -> IntervalData | None:
    """The interval data; ends with status 2 and every mistake when it is refused."""
    from edge.engineering.interval_data import IntervalDataError, read_intervals

    if file is None:
        if zone is not None:
            exits.fail(exits.REFUSED, "--zone is of the times in the interval data: it goes with --load")
        return None
    try:
        return read_intervals(exits.read_text(file), str(file), None if zone is None else _zone(zone))
    except IntervalDataError as error:
        exits.fail(exits.REFUSED, *error.problems)


def _zone(name: str) -> tzinfo:
    """The zone called `name`, or a fixed offset."""
    from datetime import timedelta, timezone
    from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

    fixed = _FIXED.fullmatch(name)
    try:
        if not fixed:
            return ZoneInfo(name)
        offset = timedelta(hours=int(fixed[2]), minutes=int(fixed[3]))
        return timezone(offset if fixed[1] == "+" else -offset)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        exits.fail(
            exits.REFUSED, f"--zone: no time zone {name!r} is known here; an offset such as -05:00 always is"
        )


def _plain(value: object) -> object:
    """What JSON has no form for: instants, and tables of the site file."""
    from datetime import datetime

    from pydantic import BaseModel

    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, BaseModel):
        return value.model_dump()
    raise TypeError(f"{type(value).__name__} has no form in JSON")


def _profiles(site: Site) -> list[Finding]:
    """What the drivers add: what is asked of a device that has none of it, storage held another way, a missing driver."""
    from drivers.site_check import missing_packages, unfit_permits, unfit_reversions, unfit_storage
    from edge.guard.finding import Finding

    unfit = (*unfit_reversions(site), *unfit_storage(site), *unfit_permits(site))
    return [
        *(Finding("problem", path, text) for path, text in unfit),
        *(Finding("warning", path, text) for path, text in missing_packages(site)),
    ]


def _unseen(probed: list[dict[str, Any]]) -> list[Finding]:
    """What a meter that answers does not show, though the site cannot enter service without it."""
    from edge.guard.finding import Finding

    answer = probed[0]["answer"] if probed else None
    lacks = [] if answer is None else [key for key, value in answer.items() if value is None]
    return [
        *(
            Finding("problem", "meter", f"gives no {name}: the site would never enter service")
            for key, name in _SERVICE.items()
            if key in lacks
        ),
        *(
            Finding("problem", "meter", f"gives no {key}, which is limited: the site would stay in fallback")
            for key in lacks
            if key.startswith(("export_", "phase_"))
        ),
    ]


async def _probe(site: Site) -> list[dict[str, Any]]:
    """Ask every device who it is, the meter first; trip outputs are asked for their contact."""
    from drivers.bus import Buses
    from drivers.errors import DriverError
    from drivers.factory import make_inverter, make_meter, make_trip_output

    found: list[dict[str, Any]] = []
    with contextlib.closing(Buses()) as buses:
        asked: list[tuple[str, Any]] = [
            ("meter", lambda: _meet_meter(site, make_meter(buses, site.meter, reactive=site.limits_va)))
        ]
        asked += [(der.name, lambda der=der: make_inverter(buses, der).identify()) for der in site.der]
        asked += [
            (one.name, lambda one=one: make_trip_output(buses, one, site.der).read())
            for one in site.trip_output
        ]
        for name, ask in asked:
            try:
                found.append({"name": name, "answer": _told(await ask()), "error": None})
            except DriverError as error:
                found.append({"name": name, "answer": None, "error": str(error)})
    return found


async def _meet_meter(site: Site, meter: Meter) -> dict[str, Any]:
    """Who the meter is, and what enter service and the limits need of it."""
    from dataclasses import asdict

    from edge.model.freshness import Needs

    who, raw = asdict(await meter.identify()), await meter.read()
    return who | {"v_v": raw.v_v, "f_hz": raw.f_hz} | Needs.of(site).given(raw)


def _told(answer: object) -> object:
    from dataclasses import asdict

    from edge.model.readings import Identity

    if isinstance(answer, dict):
        return answer
    return asdict(answer) if isinstance(answer, Identity) else {"closed": answer}


def _shown(answer: dict[str, Any]) -> str:
    """What a device said of itself; what it leaves out goes without saying."""
    said = [f"{key} {value}" for key, value in answer.items() if value is not None]
    return ", ".join(said) or "answers, and shows no contact"


def _print(
    site: Site,
    stated: Engineering,
    findings: list[tuple[Finding, int | None]],
    probed: list[dict[str, Any]],
) -> None:
    from rich.console import Console
    from rich.markup import escape
    from rich.table import Table

    from cli.check_engineering import show

    console = Console()
    show(console, site, stated)
    marks = {"problem": "[red]problem[/]", "warning": "[yellow]warning[/]", "fact": "[green]ok[/]"}
    table = Table(
        title=f"{escape(site.site.name)}: export limit {site.limit_w / 1000:g} kW", title_justify="left"
    )
    table.add_column("")
    table.add_column("line", justify="right")
    table.add_column("where", overflow="fold")
    table.add_column("what", overflow="fold")
    for finding, line in findings:
        where = "" if line is None else str(line)
        table.add_row(marks[finding.level], where, escape(finding.path), escape(finding.text))
    for device in probed:
        mark = marks["warning" if device["error"] else "fact"]
        table.add_row(mark, "", escape(device["name"]), escape(device["error"] or _shown(device["answer"])))
    console.print(table)
    unfit = any(finding.level == "problem" for finding, _ in findings)
    console.print("[red]The site is unfit as declared.[/]" if unfit else "[green]The site is fit.[/]")
    console.print("dergate is not a certified relay or power control system.", style="dim")
