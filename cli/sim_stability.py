"""`dergate sim stability`: the limiter on the grid of plants, as a table and a map."""

from __future__ import annotations

import json
import math
import time
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict
from enum import StrEnum
from functools import partial
from multiprocessing import get_context
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from cli.exits import PROBLEM, UNREACHABLE, fail

if TYPE_CHECKING:
    from sim.stability.answer import Answer
    from sim.stability.bench import Case
    from sim.stability.table import Measured

_LINE_EVERY_S = 60.0


class Asked(StrEnum):
    """What is asked of each plant."""

    DROP = "drop"
    SECOND_DROP = "second-drop"
    RISE = "rise"
    CLOUDS = "clouds"


class Plants(StrEnum):
    """Which plants."""

    GRID = "grid"
    FAST = "fast"
    MIXED = "mixed"
    UNHEARD = "unheard"


def stability(
    ask: Annotated[Asked, typer.Option(help="What the load does to each plant.")] = Asked.DROP,
    plants: Annotated[
        Plants,
        typer.Option(
            help="The grid, its fast plants, several DERs of mixed speeds, or those with one that is lost."
        ),
    ] = Plants.GRID,
    thin: Annotated[int, typer.Option(min=1, help="Run one plant out of so many.")] = 1,
    noise: Annotated[float, typer.Option(min=0.0, max=0.1, help="Host-load noise over nameplate.")] = 0.002,
    wrong: Annotated[
        bool, typer.Option("--wrong", help="Profiles off by any factor from 0.5 to 2; exact when left out.")
    ] = False,
    jobs: Annotated[int, typer.Option(min=1, help="Worker processes.")] = 2,
    worst: Annotated[int, typer.Option(min=0, help="Name so many of the slowest plants.")] = 0,
    out: Annotated[Path | None, typer.Option(help="Draw the map into this PNG file.")] = None,
    save: Annotated[Path | None, typer.Option(help="Write every plant's answer into this JSON file.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """Load drops on up to 1,500 plants: response over the clairvoyant's, undershoot, oscillation, bound."""
    from sim.stability import grid
    from sim.stability.bench import cases
    from sim.stability.table import table

    if out is not None and plants in (Plants.MIXED, Plants.UNHEARD):
        raise typer.BadParameter("only plants of the grid have a map", param_hint="--out")
    every = {
        Plants.GRID: grid.grid,
        Plants.FAST: grid.fast,
        Plants.MIXED: grid.mixed,
        Plants.UNHEARD: grid.unheard,
    }[plants]()
    answers = _answers(ask, cases(grid.thinned(every, thin), noise, wrong=wrong), jobs)
    said = f"profiles {'wrong' if wrong else 'exact'}, noise {noise:.1%}"
    about = f"{ask}: {len(answers):,} of {len(every):,} plants ({plants}), {said}"
    rows = table(answers, wrong=wrong)
    slowest = sorted(answers, key=lambda found: -found.ratio)[:worst]
    if save is not None:
        _save(save, [_told(found) for found in answers])
    if out is not None:
        white = "" if len(answers) == len(grid.grid()) else "; white: not run"
        _draw(out, f"{about}; dead time of the DER over its slope{white}", answers)
    if as_json:
        shown = [{**asdict(row), "value": _short(row.value), "met": row.met} for row in rows]
        print(json.dumps({"about": about, "rows": shown, "worst": [_told(found) for found in slowest]}))
    else:
        _print(about, rows, slowest)
    if any(math.isinf(found.ratio) for found in answers):
        raise typer.Exit(PROBLEM)


def _answers(ask: Asked, plants: Sequence[Case], jobs: int) -> list[Answer]:
    """What they answer. How far it is goes to stderr: a bar at a terminal, elsewhere a line now and then."""
    from rich.console import Console
    from rich.progress import Progress

    from sim.stability.answer import answer

    console = Console(stderr=True)
    pool = ProcessPoolExecutor(jobs, get_context("spawn"))
    with pool, Progress(console=console, transient=True, disable=not console.is_terminal) as bar:
        task = bar.add_task("plants", total=len(plants))
        told_s = time.monotonic()
        answers = []
        for found in pool.map(partial(answer, ask.value), plants, chunksize=4):
            answers.append(found)
            bar.advance(task)
            if not console.is_terminal and time.monotonic() - told_s >= _LINE_EVERY_S:
                told_s = time.monotonic()
                console.print(f"{len(answers)} of {len(plants)} plants")
    return answers


def _print(about: str, rows: Sequence[Measured], slowest: Sequence[Answer]) -> None:
    print(about)
    for row in rows:
        print(f"  {row.name:<52} {_short(row.value)!s:>8} {row.unit:<3} {_judged(row)}")
    for found in slowest:
        factors = " and ".join(f"{factor:.2f}" for factor in found.case.wrong)
        print(f"  {found.ratio:.2f}: {found.case.cell}; dead time and slope times {factors}")


def _judged(row: Measured) -> str:
    return "" if row.goal is None else f"{'met' if row.met else 'missed'}, at most {row.goal:g}"


def _told(found: Answer) -> dict[str, object]:
    """An answer for JSON, which has no number for what never ended."""
    said = {**asdict(found), "ratio": found.ratio, "oscillation_pu": found.oscillation_pu}
    told: dict[str, object] = json.loads(json.dumps(said), parse_constant=lambda _: "inf")
    return told


def _short(value: float) -> float | str:
    return round(value, 4) if math.isfinite(value) else "inf"


def _save(path: Path, answers: list[dict[str, object]]) -> None:
    try:
        path.write_text(json.dumps(answers), encoding="utf-8")
    except OSError as error:
        fail(UNREACHABLE, f"{path}: cannot be written: {error.strerror}")


def _draw(out: Path, about: str, answers: list[Answer]) -> None:
    from sim.plots.stability import draw_map

    try:
        draw_map(out, "Response over the clairvoyant's, worst of the limits", about, answers)
    except OSError as error:
        fail(UNREACHABLE, f"{out}: cannot be written: {error.strerror}")
