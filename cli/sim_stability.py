"""`dergate sim stability`: the limiter on the grid of plants, as a table and a map."""

from __future__ import annotations

import json
import math
import statistics
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from multiprocessing import get_context
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from cli.exits import PROBLEM, UNREACHABLE, fail

if TYPE_CHECKING:
    from sim.stability import Answer


def stability(
    out: Annotated[Path | None, typer.Option(help="Draw the map into this PNG file.")] = None,
    thin: Annotated[int, typer.Option(min=1, help="Run one plant out of so many.")] = 1,
    noise: Annotated[float, typer.Option(min=0.0, max=0.1, help="Host-load noise over nameplate.")] = 0.002,
    wrong: Annotated[
        bool, typer.Option("--wrong", help="Profiles off by any factor from 0.5 to 2; exact when left out.")
    ] = False,
    jobs: Annotated[int, typer.Option(min=1, help="Worker processes.")] = 2,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """Load drops on up to 1,500 plants: response over the clairvoyant's, undershoot, oscillation."""
    from rich.console import Console
    from rich.progress import Progress

    from sim.stability import answer_to, profiles, thinned

    wanted = list(profiles(thinned(thin), wrong=wrong))
    console = Console(stderr=True)
    pool = ProcessPoolExecutor(jobs, get_context("spawn"))
    with pool, Progress(console=console, transient=True, disable=not console.is_terminal) as bar:
        task = bar.add_task("plants", total=len(wanted))
        answers = []
        for found in pool.map(partial(answer_to, noise_pu=noise), wanted, chunksize=4):
            answers.append(found)
            bar.advance(task)
    said = f"{len(answers)} of 1,500 plants, profiles {'wrong' if wrong else 'exact'}, noise {noise:.1%}"
    about = f"{said}; dead time of the DER over its slope"
    if out is not None:
        _draw(out, about, answers)
    if as_json:
        print(json.dumps({"plants": len(answers), "wrong": wrong, "noise_pu": noise, **figures(answers)}))
    else:
        print(said)
        for name, value in figures(answers).items():
            print(f"  {name:<22} {value}")
    if any(math.isinf(found.ratio) for found in answers):
        raise typer.Exit(PROBLEM)


def figures(answers: list[Answer]) -> dict[str, float | str]:
    """What the measures table asks of these plants."""
    ratios = sorted(found.ratio for found in answers)
    return {
        "ratio_median": _short(statistics.median(ratios)),
        "ratio_99_pct": _short(ratios[math.ceil(0.99 * len(ratios)) - 1]),
        "ratio_worst": _short(ratios[-1]),
        "undershoot_worst_pu": _short(max(found.undershoot_pu for found in answers)),
        "oscillation_worst_pu": _short(max(found.oscillation_pu for found in answers)),
        "margin_median_pu": _short(statistics.median(found.margin_pu for found in answers)),
    }


def _short(value: float) -> float | str:
    """Four digits; JSON has no number for what never ended."""
    return round(value, 4) if math.isfinite(value) else "inf"


def _draw(out: Path, about: str, answers: list[Answer]) -> None:
    from sim.plots.stability import draw_map

    try:
        draw_map(out, "Response over the clairvoyant's, worst of the limits", about, answers)
    except OSError as error:
        fail(UNREACHABLE, f"{out}: cannot be written: {error.strerror}")
