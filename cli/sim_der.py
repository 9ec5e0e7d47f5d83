"""`dergate sim der`: one DER over a table of voltage, frequency, available power and limit."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, TextIO

import typer

from cli.exits import REFUSED, UNREACHABLE, fail, read_text

if TYPE_CHECKING:
    from collections.abc import Iterable

    from sim.der_table import Inputs, Outputs
    from sim.files.unit import Unit

PROGRESS_FROM_ROWS = 20_000


def der(
    settings: Annotated[
        Path, typer.Option(help="TOML: settings by the standard's label, and what else is known of the unit.")
    ],
    rating_w: Annotated[float, typer.Option(min=1.0, max=1e7, help="Rated active power in W.")],
    table: Annotated[
        Path, typer.Option("--input", help="CSV: t_s, v_pu, f_hz, p_avail_pu and, if wanted, p_limit_pu.")
    ],
    out: Annotated[Path, typer.Option(help="CSV to write: t_s, p_pu, q_pu, status.")],
    step_s: Annotated[
        float | None,
        typer.Option(min=0.001, max=10.0, help="Time step; else the rows' smallest distance, at most 0.1 s."),
    ] = None,
) -> None:
    """Run one DER, in service and settled at the first row, through a table of inputs.

    Power is per unit of --rating-w, reactive power too; injection is positive. A row's values hold until the next
    row's time; rows need not be evenly apart. Of storage, p_avail_pu is the power demanded, negative when charging.
    """
    from sim.der_table import TableRefusedError, read_inputs, run, step_of, too_long

    unit = _unit(settings, rating_w)
    try:
        rows = read_inputs(read_text(table).splitlines(), str(table), storage=unit.storage is not None)
    except TableRefusedError as refused:
        fail(REFUSED, *_shortened(refused.problems))
    step = step_of(rows) if step_s is None else step_s
    if reason := too_long(rows, step):
        fail(REFUSED, f"{table}: {reason}")
    outputs = run(unit, rows, step)
    try:
        file = out.open("w", encoding="utf-8", newline="")
    except OSError as error:
        fail(REFUSED, f"{out}: cannot be written: {error.strerror or error}")
    try:
        with file:
            _write(file, _told(outputs, rows))
    except OSError as error:
        fail(UNREACHABLE, f"{out}: cannot be written: {error.strerror or error}")


def _unit(path: Path, rating_w: float) -> Unit:
    """The unit that a settings file describes; ends with status 2 and every mistake when it is refused."""
    from edge.model.strict_toml import FileRefusedError
    from sim.der_table import load_unit

    try:
        return load_unit(read_text(path), str(path), rating_w)
    except FileRefusedError as refused:
        fail(REFUSED, *refused.problems)


def _told(outputs: Iterable[Outputs], rows: list[Inputs]) -> Iterable[Outputs]:
    """`outputs`, with a bar on standard error while many of them are made and someone watches."""
    import sys

    if len(rows) < PROGRESS_FROM_ROWS or not sys.stderr.isatty():
        return outputs
    from rich.console import Console
    from rich.progress import track

    return track(outputs, "running", total=len(rows), console=Console(stderr=True), transient=True)


def _write(file: TextIO, outputs: Iterable[Outputs]) -> None:
    file.write("t_s,p_pu,q_pu,status\n")
    file.writelines(
        f"{row.t_s:.10g},{row.p_pu:.6f},{row.q_pu:.6f},{row.status.name.lower()}\n" for row in outputs
    )


def _shortened(problems: list[str], most: int = 10) -> list[str]:
    """The first of many mistakes, and how many more there are."""
    rest = len(problems) - most
    return problems if rest <= 0 else [*problems[:most], f"and {rest} more"]
