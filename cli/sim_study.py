"""`dergate sim study`: a scenario family over thousands of sites and seeds."""

from __future__ import annotations

import json
import os
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from cli.exits import PROBLEM, REFUSED, UNREACHABLE, fail

if TYPE_CHECKING:
    from sim.study.conduct import Runner
    from sim.study.plan import Plan
    from sim.study.store import Store

_NEEDS = {"numpy": "sim", "matplotlib": "sim", "pyarrow": "study"}


@dataclass
class Progress:
    """How far a study has come, for whoever shows it."""

    total: int
    before: int
    done: int = 0
    refused: int = 0
    errors: int = 0

    def take(self, outcome: str) -> None:
        """One more run has come."""
        self.done += 1
        self.refused += outcome == "refused"
        self.errors += outcome == "error"


def study(
    file: Annotated[str, typer.Argument(metavar="FILE", help="A study file, or the name of a shipped one.")],
    scheduler: Annotated[
        str | None, typer.Option(help="Run on the Dask cluster at tcp://host:port.", show_default=False)
    ] = None,
    jobs: Annotated[
        int | None,
        typer.Option(min=1, help="Worker processes; every core when left out.", show_default=False),
    ] = None,
    sites: Annotated[
        int | None, typer.Option(min=1, help="Only so many of the study's sites.", show_default=False)
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option(help="Folder for the results; study-NAME when left out.", show_default=False),
    ] = None,
    resume: Annotated[bool, typer.Option("--resume", help="Go on with what the folder holds.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Run a study, show what it comes to, and leave Parquet and pictures in a folder.

    Exit status 1 when a run broke or the study was stopped; what was done is kept.
    """
    _have({**_NEEDS, **({"distributed": "study"} if scheduler else {})})
    from edge.model.strict_toml import FileRefusedError
    from sim.study.file import study_path
    from sim.study.plan import load_plan
    from sim.study.store import OtherStudyError, Store

    try:
        plan = load_plan(study_path(file), sites)
    except FileRefusedError as error:
        fail(REFUSED, *error.problems)
    folder = out or Path(f"study-{plan.study.name}")
    try:
        store = Store(folder, plan, resume=resume)
    except OtherStudyError as error:
        fail(REFUSED, str(error))
    except OSError as error:
        fail(REFUSED, f"{folder}: cannot be written: {error.strerror or error}")
    workers = jobs or len(os.sched_getaffinity(0))
    progress = Progress(plan.study.sites * plan.study.seeds, len(store.done))
    began_s = time.monotonic()
    try:
        stopped = _run(plan, store, _runner(scheduler, workers), progress, shown=not as_json)
        _report(plan, store, progress, time.monotonic() - began_s, as_json=as_json)
    except OSError as error:
        kept = "it keeps what was written, --resume goes on"
        fail(UNREACHABLE, f"{folder}: cannot be written: {error.strerror or error}; {kept}")
    if stopped:
        fail(stopped[0], f"{stopped[1]}; {store.folder} keeps what was done, --resume goes on")
    if progress.errors:
        raise typer.Exit(PROBLEM)


def _have(needed: dict[str, str]) -> None:
    for module, extra in needed.items():
        if find_spec(module) is None:
            fail(
                REFUSED,
                f"a study needs {module}: install the extra {extra!r}, pip install 'dergate[{extra}]'",
            )


def _runner(scheduler: str | None, workers: int) -> Runner:
    if scheduler is None:
        from sim.study.cores import on_cores

        return partial(on_cores, workers=workers)
    from sim.study.cluster import on_cluster

    return partial(on_cluster, address=scheduler)


def _run(
    plan: Plan, store: Store, runner: Runner, progress: Progress, *, shown: bool
) -> tuple[int, str] | None:
    """Conduct the study; how it was stopped, or None when it came to its end."""
    from sim.study.conduct import conduct
    from sim.study.errors import NoClusterError, WorkersLostError

    try:
        with _told_to_end(), _bar(progress, plan.study.name, shown=shown) as advance:
            conduct(plan, store, runner, lambda row: advance(row["outcome"]))
    except NoClusterError as error:
        return UNREACHABLE, str(error)
    except WorkersLostError as error:
        return PROBLEM, str(error)
    except KeyboardInterrupt:
        return PROBLEM, "stopped"
    return None


@contextmanager
def _told_to_end() -> Iterator[None]:
    """Ctrl-C, SIGTERM and a closed terminal end the study the same way, also where a shell ignores Ctrl-C."""
    numbers = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
    before = [signal.signal(number, signal.default_int_handler) for number in numbers]
    try:
        yield
    finally:
        for number, handler in zip(numbers, before, strict=True):
            signal.signal(number, handler)


@contextmanager
def _bar(progress: Progress, name: str, *, shown: bool) -> Iterator[Callable[[str], None]]:
    """A bar on standard error, where that is a terminal."""
    from rich import progress as bars
    from rich.console import Console

    columns = (
        "[bold]{task.description}",
        bars.BarColumn(None),
        bars.MofNCompleteColumn(),
        "runs",
        bars.TimeElapsedColumn(),
        "left",
        bars.TimeRemainingColumn(),
        "{task.fields[note]}",
    )
    console = Console(stderr=True)
    with bars.Progress(*columns, console=console, disable=not (shown and console.is_terminal)) as bar:
        task = bar.add_task(name, total=progress.total, completed=progress.before, note="")

        def advance(outcome: str) -> None:
            progress.take(outcome)
            bar.update(task, completed=progress.before + progress.done, note=_note(progress))

        yield advance


def _note(progress: Progress) -> str:
    parts = [f"{progress.refused} refused"] * bool(progress.refused)
    return ", ".join([*parts, *[f"[red]{progress.errors} broke[/]"] * bool(progress.errors)])


def _report(plan: Plan, store: Store, progress: Progress, took_s: float, *, as_json: bool) -> None:
    """Table or JSON, and the pictures."""
    from rich.console import Console

    from cli import sim_study_table
    from sim.plots.study import draw_feeder, draw_study
    from sim.study.feeder import sections
    from sim.study.summary import summarise

    table = store.table()
    summary = summarise(table)
    feeder = None
    if plan.study.feeder is not None:
        feeder = sections(plan.study, table, store.rows(("site", "seed", "over_w")))
    about = f"{summary.ran} runs of {plan.study.name}: {plan.base.shows}"
    if summary.ran:
        draw_study(store.folder / "study.png", plan.study.asks, about, summary)
    if feeder is not None:
        draw_feeder(store.folder / "feeder.png", plan.study.asks, about, feeder)
    speed = progress.done / took_s
    if as_json:
        machine = sim_study_table.as_object(plan.study, summary, feeder)
        print(json.dumps({**machine, "out": str(store.folder), "done_now": progress.done, "took_s": took_s}))
    else:
        Console(highlight=False).print(sim_study_table.as_table(plan.study, summary, feeder))
        print(f"{progress.done} runs in {took_s:.1f} s, {speed:.2f} a second; results in {store.folder}")
