"""`dergate sim run` and `dergate sim list`: scenarios in virtual time."""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cli.exits import FINE, PROBLEM, REFUSED, UNREACHABLE, fail

if TYPE_CHECKING:
    from sim.run import Run
    from sim.scenario import Scenario

_COLOURS = {"held": "green", "missed": "red", "known failure": "yellow", "stale": "red"}
_SAID = {
    "held": "everything held that was expected",
    "missed": "not everything held that was expected",
    "known failure": "fails as it is known to",
    "stale": "marked as a known failure, and everything held: the mark is stale",
}


def run(
    scenario: Annotated[str, typer.Argument(help="Name of a shipped scenario, or a file.")],
    seed: Annotated[
        int | None, typer.Option(min=0, max=2**63 - 1, help="Another seed than the scenario's own.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
    plot: Annotated[Path | None, typer.Option(help="Draw the run into this PNG file.")] = None,
) -> None:
    """Run a scenario in virtual time with the shipped step, and hold it against what it expects."""
    from edge.step import UnfitError
    from sim.network import CollapseError
    from sim.run import run as run_scenario

    if plot is not None and plot.suffix.lower() != ".png":
        fail(REFUSED, f"{plot}: a picture is written as PNG; let its name end in .png")
    wanted = _loaded(scenario)
    try:
        done = _with_progress(lambda progress: run_scenario(wanted, seed, progress), quiet=as_json)
    except UnfitError as error:
        fail(REFUSED, *(f"{scenario}: the agent would refuse this site: {text}" for text in error.problems))
    except CollapseError as error:
        fail(REFUSED, f"{scenario}: the grid cannot carry this site: {error}")
    if plot is not None:
        _draw(done, plot)
    if as_json:
        print(json.dumps(_as_json(done)))
    else:
        _show(done)
    raise typer.Exit(FINE if done.verdict in {"held", "known failure"} else PROBLEM)


def list_scenarios(
    as_json: Annotated[bool, typer.Option("--json", help="Print a JSON array.")] = False,
) -> None:
    """Show the shipped scenarios: what each shows, and which fail today."""
    from sim.scenario import scenario_names

    scenarios = [_loaded(name) for name in scenario_names()]
    if as_json:
        print(json.dumps([_listed(scenario) for scenario in scenarios]))
        return
    from rich.console import Console
    from rich.table import Table

    table = Table(box=None, padding=(0, 2, 0, 0))
    table.add_column("scenario", header_style="dim", no_wrap=True)
    table.add_column("s", header_style="dim", justify="right", no_wrap=True)
    table.add_column("shows", header_style="dim")
    for scenario in scenarios:
        failing = scenario.known_failure
        shows = scenario.shows if failing is None else f"{scenario.shows} [yellow]Fails today: {failing}[/]"
        table.add_row(f"[bold]{scenario.name}[/]", f"{scenario.duration_s:g}", shows)
    Console().print(table)


def _loaded(name: str) -> Scenario:
    from edge.model.strict_toml import FileRefusedError
    from sim.scenario import load_scenario

    try:
        return load_scenario(name)
    except FileRefusedError as error:
        fail(REFUSED, *error.problems)


def _with_progress(work: Callable[[Callable[[float], None]], Run], *, quiet: bool) -> Run:
    """Do `work` with a bar on a terminal's standard error."""
    from rich.console import Console
    from rich.progress import Progress

    console = Console(stderr=True)
    with Progress(console=console, transient=True, disable=quiet or not console.is_terminal) as bar:
        task = bar.add_task("running", total=1.0)
        return work(lambda part: bar.update(task, completed=part))


def _draw(done: Run, path: Path) -> None:
    from sim.plots.run import draw

    try:
        draw(done, path)
    except OSError as error:
        fail(UNREACHABLE, f"{path}: cannot be written: {error.strerror}")


def _show(done: Run) -> None:
    from rich.console import Console
    from rich.markup import escape
    from rich.table import Table

    console = Console()
    scenario = done.scenario
    console.print(f"[bold]{scenario.name}[/]  {escape(scenario.shows)}", highlight=False)
    table = Table(box=None, padding=(0, 2, 0, 0))
    for heading in ("", "expected", "wanted", "got"):
        table.add_column(heading, header_style="dim", overflow="fold")
    for finding in done.findings:
        mark = "[green]held[/]" if finding.held else "[bold red]missed[/]"
        table.add_row(mark, finding.key, escape(finding.wanted), escape(finding.told()))
    console.print(table)
    figures = done.metrics
    console.print(
        f"{figures.generated_wh:.0f} Wh generated of {figures.permitted_wh:.0f} Wh permitted and"
        f" {figures.available_wh:.0f} Wh available; export at most {figures.max_export_w / 1000:.1f} kW,"
        f" limit {figures.limit_w / 1000:.1f} kW; seed {done.seed}",
        style="dim",
        highlight=False,
    )
    reason = f": {scenario.known_failure}" if done.verdict in {"known failure", "stale"} else ""
    console.print(f"[{_COLOURS[done.verdict]}]{_SAID[done.verdict]}[/]{escape(reason)}", highlight=False)


def _as_json(done: Run) -> dict[str, Any]:
    from dataclasses import asdict

    return {
        **_listed(done.scenario),
        "seed": done.seed,
        "verdict": done.verdict,
        "findings": [asdict(finding) | {"got": _number(finding.got)} for finding in done.findings],
        "metrics": {key: _number(value) for key, value in asdict(done.metrics).items()},
        "events": [
            {"at_s": round(event.at_s, 3), "kind": event.kind, "detail": event.detail}
            for event in done.events
        ],
    }


def _listed(scenario: Scenario) -> dict[str, Any]:
    return {
        "name": scenario.name,
        "shows": scenario.shows,
        "lesson": list(scenario.lesson),
        "duration_s": scenario.duration_s,
        "known_failure": scenario.known_failure,
    }


def _number(value: float | str | None) -> float | str | None:
    """JSON has no number for what never ended."""
    return "inf" if value == math.inf else value
