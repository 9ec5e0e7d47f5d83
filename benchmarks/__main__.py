"""`python -m benchmarks [MEASURE...]`: measure, print a table, write results.json.

A missed goal is printed as missed and is no failure of the run; exit status 1 when something could not be
measured, 2 for a measure that does not exist.
"""

from __future__ import annotations

import sys
import time
from pathlib import Path

from rich.console import Console
from rich.table import Table

from benchmarks.calibration import PI4_LOOP_MS, loop_ms
from benchmarks.progress import SHOWN
from benchmarks.registry import MEASURES, UnmeasuredError, load
from benchmarks.rows import RESULTS, Row, write

_WIDTH = 160
"""Columns of a table that goes into a file."""


def main(names: list[str] | None = None, results: Path = RESULTS) -> int:
    """Take the named measures, all of them by default; the exit status."""
    if names and names[0] in {"-h", "--help"}:
        print((__doc__ or "").strip(), f"The measures: {', '.join(MEASURES)}.", sep="\n\n")
        return 0
    wanted = names or list(MEASURES)
    unknown = [name for name in wanted if name not in MEASURES]
    if unknown:
        print(f"no measure is called {unknown[0]!r}; there are: {', '.join(MEASURES)}", file=sys.stderr)
        return 2
    loops_ms: list[float] = []
    rows, problems = _measured(wanted, loops_ms)
    write(rows, results)
    console = Console()
    if not console.is_terminal:
        console.width = _WIDTH
    console.print(table(rows), _calibrated(loops_ms))
    for problem in problems:
        print(problem, file=sys.stderr)
    return 1 if problems else 0


def _measured(wanted: list[str], loops_ms: list[float]) -> tuple[list[Row], list[str]]:
    """The rows, and a sentence for what could not be measured; `loops_ms` gets the loop's time before each."""
    rows: list[Row] = []
    problems = []
    with SHOWN.over(len(wanted)):
        for name in wanted:
            SHOWN.begin(name)
            begun_s = time.monotonic()
            # A shared machine is not equally fast all the time.
            loop_ms.cache_clear()
            loops_ms.append(loop_ms())
            try:
                rows += load(name)()
            except UnmeasuredError as error:
                problems.append(f"{name} could not be measured: {error}")
            SHOWN.end(time.monotonic() - begun_s)
    return rows, problems


def table(rows: list[Row]) -> Table:
    """The rows for people."""
    shown = Table()
    for heading in ("measure", "value", "goal", "", "ratio", "reference"):
        shown.add_column(heading, justify="right" if heading in {"value", "goal", "ratio"} else "left")
    for row in rows:
        verdict = {None: "", True: "[green]met[/]", False: "[red]missed[/]"}[row.passed]
        goal = "" if row.goal is None else f"<= {row.goal:g}"
        ratio = "" if row.ratio is None else f"{row.ratio:.3g}"
        shown.add_row(row.measure, f"{row.value:.4g} {row.unit}", goal, verdict, ratio, row.reference or "")
    return shown


def _calibrated(loops_ms: list[float]) -> str:
    low_ms, high_ms = min(loops_ms), max(loops_ms)
    return (
        f"The calibration loop took {low_ms:.1f} to {high_ms:.1f} ms on this machine, taken before each measure. A Pi 4"
        f" is assumed to take {PI4_LOOP_MS:g} ms (unmeasured)."
    )


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
