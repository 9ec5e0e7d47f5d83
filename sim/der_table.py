"""One unit over a table of inputs: what it gives and does at each of their times."""

from __future__ import annotations

import csv
import tomllib
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import pairwise
from math import ceil, nan
from typing import Any

import numpy as np

from edge.model.strict_toml import FileRefusedError, load, placed, validated
from edge.model.toml_lines import Path, line_index
from sim.der import Fleet, Status
from sim.files.unit import Unit
from sim.limit import LimitWrite
from sim.setpoint import SetpointWrite
from tiir.values import number

REQUIRED = ("t_s", "v_pu", "f_hz", "p_avail_pu")
COLUMNS = (*REQUIRED, "p_limit_pu")
ALLOWED: Mapping[str, tuple[float, float]] = {
    "t_s": (-1e12, 1e12),
    "v_pu": (0.0, 3.0),
    "f_hz": (0.0, 120.0),
    "p_avail_pu": (-1.0, 2.0),
    "p_limit_pu": (0.0, 1.0),
}
LEAST_STEP_S = 1e-3
MOST_STEPS = 50_000_000
"""An hour or two of computing; a table that asks for more has its times wrong."""
COARSEST_STEP_S = 0.1
"""Coarser tables are run through in smaller steps: the shortest trip time is 0.16 s."""


class TableRefusedError(ValueError):
    """A table that cannot be used; `problems` has one line for each mistake."""

    def __init__(self, problems: list[str]) -> None:
        super().__init__("\n".join(problems))
        self.problems = problems


@dataclass(frozen=True, slots=True)
class Inputs:
    """One row of the table: its time in s, voltage, frequency, power offered or demanded, and the limit.

    Without a limit (None) that of the settings holds. Of storage `p_avail_pu` is what is demanded, negative when charging.
    """

    t_s: float
    v_pu: float
    f_hz: float
    p_avail_pu: float
    p_limit_pu: float | None


@dataclass(frozen=True, slots=True)
class Outputs:
    """What the unit gives at the end of a row's time step, in units of its rating in W."""

    t_s: float
    p_pu: float
    q_pu: float
    status: Status


def load_unit(text: str, name: str, rating_w: float) -> Unit:
    """The unit in a TOML text: labels at the top or under [settings], the rest as a sim file says it.

    Raises:
        FileRefusedError: With one sentence for each mistake: file, line, key path, value, what is allowed.
    """
    try:
        data = tomllib.loads(text)
    except (ValueError, RecursionError):
        return load(Unit, text, name)
    if "nameplate_w" in data:
        raise FileRefusedError([placed(text, name, ("nameplate_w",), "is the rating, which is given apart")])
    labels = {key: value for key, value in data.items() if key.isupper()}
    others = {key: value for key, value in data.items() if key not in labels}
    grouped = data.get("settings", {})
    if isinstance(grouped, dict):
        twice = [placed(text, name, (key,), "is in [settings] too") for key in labels if key in grouped]
        if twice:
            raise FileRefusedError(twice)
        others["settings"] = {**grouped, **labels}

    def told_as(path: Path) -> Path:
        return path[1:] if len(path) > 1 and path[1] in labels else path

    return validated(Unit, {**others, "nameplate_w": rating_w}, name, line_index(text), told_as)


def read_inputs(lines: Iterable[str], name: str, *, storage: bool = False) -> list[Inputs]:
    """The rows of a CSV table with the columns `REQUIRED`, and perhaps `p_limit_pu` (an empty cell: that of the settings).

    Raises:
        TableRefusedError: With file, line, column, value and what is allowed, for each mistake.
    """
    reader = csv.reader(lines)
    header = [column.strip() for column in next(reader, [])]
    problems = _header_problems(header, name)
    if problems:
        raise TableRefusedError(problems)
    rows: list[Inputs] = []
    for cells in _cells(reader, name):
        if not any(cell.strip() for cell in cells):
            continue
        where = f"{name}:{reader.line_num}"
        if len(cells) != len(header):
            problems.append(f"{where}: has {len(cells)} cells, and the header {len(header)}")
            continue
        row, mistakes = _row(dict(zip(header, cells, strict=True)), storage=storage)
        problems += [f"{where}: {mistake}" for mistake in mistakes]
        if row is None:
            continue
        if rows and row.t_s < rows[-1].t_s + LEAST_STEP_S * 0.999:
            problems.append(
                f"{where}: column t_s: {row.t_s:g} must be at least {LEAST_STEP_S:g} s after the row before, "
                f"{rows[-1].t_s:g}"
            )
            continue
        rows.append(row)
    if not rows and not problems:
        problems = [f"{name}: has no rows below the header"]
    if problems:
        raise TableRefusedError(problems)
    return rows


def _cells(reader: Any, name: str) -> Iterator[list[str]]:
    """The rows of cells; what cannot be one is told with its line."""
    try:
        yield from reader
    except csv.Error as error:
        raise TableRefusedError([f"{name}:{reader.line_num}: {error}"]) from error


def _header_problems(header: list[str], name: str) -> list[str]:
    allowed = f"allowed are {', '.join(REQUIRED)} and, if wanted, p_limit_pu"
    missing = [column for column in REQUIRED if column not in header]
    unknown = [column for column in header if column not in COLUMNS]
    twice = sorted({column for column in header if header.count(column) > 1})
    told = (("has no column", missing), ("has an unknown column", unknown), ("names twice the column", twice))
    return [f"{name}:1: {what} {column!r}; {allowed}" for what, columns in told for column in columns]


def _row(cells: Mapping[str, str], *, storage: bool) -> tuple[Inputs | None, list[str]]:
    """The row in `cells`, or None and what is wrong with it."""
    values: dict[str, float] = {}
    mistakes = []
    for column, cell in cells.items():
        if column == "p_limit_pu" and not cell.strip():
            continue
        low, high = ALLOWED[column]
        low = 0.0 if column == "p_avail_pu" and not storage else low
        value = _number(cell)
        values[column] = value
        if not low <= value <= high:
            mistakes.append(f"column {column}: {cell.strip()!r} is not a number from {low:g} to {high:g}")
    if mistakes:
        return None, mistakes
    t_s, v_pu, f_hz, p_avail_pu = (values[column] for column in REQUIRED)
    return Inputs(t_s, v_pu, f_hz, p_avail_pu, values.get("p_limit_pu")), []


def _number(cell: str) -> float:
    """The number in a cell; NaN, which is within no bounds, where there is none."""
    try:
        return float(cell)
    except ValueError:
        return nan


def step_of(rows: list[Inputs]) -> float:
    """The time step in s for `rows`: their smallest distance, cut into equal parts that are short enough."""
    smallest_s = min((later.t_s - row.t_s for row, later in pairwise(rows)), default=COARSEST_STEP_S)
    return smallest_s / ceil(smallest_s / COARSEST_STEP_S - 1e-9)


def too_long(rows: list[Inputs], step_s: float) -> str | None:
    """Why a table asks for more steps than anybody waits for, or None."""
    span_s = rows[-1].t_s - rows[0].t_s
    steps = span_s / step_s
    if steps <= MOST_STEPS:
        return None
    return (
        f"column t_s: from {rows[0].t_s:g} to {rows[-1].t_s:g} s are {steps:.3g} steps of {step_s:g} s; "
        f"at most {MOST_STEPS:.3g} are run"
    )


def run(
    unit: Unit, rows: list[Inputs], step_s: float, progress: Callable[[int], None] = lambda _: None
) -> Iterator[Outputs]:
    """Run `unit`, in service and settled at the first row, through `rows`; one output for each.

    A row's values hold from its time until the next row's. Rows need not be evenly apart: each interval takes the
    whole number of steps that comes nearest to its end, at least one.

    Args:
        unit: The unit.
        rows: Inputs in the order of time.
        step_s: Time step in s.
        progress: Told the number of rows done, now and then.
    """
    fleet = Fleet([unit], step_s)
    energised = np.ones(1, dtype=bool)
    before, steps = rows[0], -1
    _put(fleet, unit, before)
    fleet.settle(energised, before.v_pu)
    for done, row in enumerate(rows, start=1):
        until = max(steps + 1, round((row.t_s - rows[0].t_s) / step_s))
        for _ in range(until - steps - 1):
            fleet.step(energised, before.v_pu, before.f_hz)
        _put(fleet, unit, row)
        fleet.step(energised, row.v_pu, row.f_hz)
        before, steps = row, until
        yield Outputs(row.t_s, float(fleet.p_pu[0]), float(fleet.q_pu[0]), Status(int(fleet.status[0])))
        if done % 1000 == 0:
            progress(done)
    progress(len(rows))


def _put(fleet: Fleet, unit: Unit, row: Inputs) -> None:
    """Put a row's offer or demand and its limit in front of the unit."""
    if unit.storage is None:
        fleet.sun_pu[0] = row.p_avail_pu
    elif not (fleet.setpoint.enabled[0] and fleet.setpoint.set_pu[0] == row.p_avail_pu):
        fleet.setpoint.write(0, SetpointWrite(enabled=True, set_pu=row.p_avail_pu))
    cap_pu = _limit_in_file(unit) if row.p_limit_pu is None else row.p_limit_pu
    limited = cap_pu is not None
    if limited != bool(fleet.limit.enabled[0]) or (limited and cap_pu != fleet.limit.cap_pu[0]):
        fleet.limit.write(0, LimitWrite(enabled=limited, cap_pu=cap_pu))


def _limit_in_file(unit: Unit) -> float | None:
    """The limit of the settings, for rows that have none of their own."""
    settings = unit.complete_settings
    return number(settings["AP_LIMIT"]) if settings["AP_LIMIT_ENABLE"] is True else None
