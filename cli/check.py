"""`dergate check`: whether a site file is right, and whether the site can be held within its bounds."""

from __future__ import annotations

import asyncio
import contextlib
import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cli import exits

if TYPE_CHECKING:
    from drivers.protocol import Meter
    from edge.guard.finding import Finding
    from edge.model.site import Site

_SERVICE = {"v_v": "voltage", "f_hz": "frequency"}


def check(
    site_file: Annotated[Path, typer.Argument(metavar="SITE.toml", help="The site file.")],
    probe: Annotated[bool, typer.Option("--probe", help="Also ask every device who it is.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Explain every mistake in a site file, and add up its time budgets."""
    from edge.guard.fitness import judge

    site = exits.read_site(site_file)
    probed = asyncio.run(_probe(site)) if probe else []
    findings = [*judge(site), *_profiles(site), *_unseen(probed)]
    unfit = any(finding.level == "problem" for finding in findings)
    silent = [device for device in probed if device["error"]]
    if as_json:
        print(
            json.dumps(
                {
                    "site": site.site.id,
                    "fit": not unfit,
                    "findings": [
                        {"level": finding.level, "path": finding.path, "text": finding.text}
                        for finding in findings
                    ],
                    "devices": probed,
                }
            )
        )
    else:
        _print(site, findings, probed)
    if unfit:
        raise typer.Exit(exits.PROBLEM)
    if silent:
        raise typer.Exit(exits.UNREACHABLE)


def _profiles(site: Site) -> list[Finding]:
    """What the device profiles add: a reversion asked of a device that has none."""
    from drivers.site_check import unfit_reversions
    from edge.guard.finding import Finding

    return [Finding("problem", path, text) for path, text in unfit_reversions(site)]


def _unseen(probed: list[dict[str, Any]]) -> list[Finding]:
    """What a meter that answers does not show, though the site cannot enter service without it."""
    from edge.guard.finding import Finding

    answer = probed[0]["answer"] if probed else None
    lacks = [name for key, name in _SERVICE.items() if answer is not None and answer[key] is None]
    return [
        Finding("problem", "meter", f"gives no {name}: the site would never enter service") for name in lacks
    ]


async def _probe(site: Site) -> list[dict[str, Any]]:
    """Ask every device who it is, the meter first; trip outputs are asked for their contact."""
    from drivers.bus import Buses
    from drivers.errors import DriverError
    from drivers.factory import make_inverter, make_meter, make_trip_output

    found: list[dict[str, Any]] = []
    with contextlib.closing(Buses()) as buses:
        asked: list[tuple[str, Any]] = [("meter", lambda: _meet_meter(make_meter(buses, site.meter)))]
        asked += [(der.name, lambda der=der: make_inverter(buses, der).identify()) for der in site.der]
        asked += [(one.name, lambda one=one: make_trip_output(buses, one).read()) for one in site.trip_output]
        for name, ask in asked:
            try:
                found.append({"name": name, "answer": _told(await ask()), "error": None})
            except DriverError as error:
                found.append({"name": name, "answer": None, "error": str(error)})
    return found


async def _meet_meter(meter: Meter) -> dict[str, Any]:
    """Who the meter is, and what enter service needs of it."""
    from dataclasses import asdict

    who, raw = asdict(await meter.identify()), await meter.read()
    return who | {"v_v": raw.v_v, "f_hz": raw.f_hz}


def _told(answer: object) -> object:
    from dataclasses import asdict

    from edge.model.readings import Identity

    if isinstance(answer, dict):
        return answer
    return asdict(answer) if isinstance(answer, Identity) else {"closed": answer}


def _print(site: Site, findings: list[Finding], probed: list[dict[str, Any]]) -> None:
    from rich.console import Console
    from rich.markup import escape
    from rich.table import Table

    console = Console()
    marks = {"problem": "[red]problem[/]", "warning": "[yellow]warning[/]", "fact": "[green]ok[/]"}
    table = Table(
        title=f"{escape(site.site.name)}: export limit {site.limit_w / 1000:g} kW", title_justify="left"
    )
    table.add_column("")
    table.add_column("where", overflow="fold")
    table.add_column("what", overflow="fold")
    for finding in findings:
        table.add_row(marks[finding.level], escape(finding.path), escape(finding.text))
    for device in probed:
        told = ", ".join(f"{key} {value}" for key, value in (device["answer"] or {}).items())
        text = device["error"] or told
        table.add_row(marks["warning" if device["error"] else "fact"], escape(device["name"]), escape(text))
    console.print(table)
    unfit = any(finding.level == "problem" for finding in findings)
    console.print("[red]The site is unfit as declared.[/]" if unfit else "[green]The site is fit.[/]")
    console.print("dergate is not a certified relay or power control system.", style="dim")
