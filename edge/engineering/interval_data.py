"""Interval data of the host load, as CSV: one row for each interval, strictly checked. Pure, it is given the text.

Columns, in any order, named in the first row:
- `start`: when the interval starts, ISO 8601 with an offset (`2025-03-09T01:45-05:00`, `...Z`), or local time where
  the zone is given;
- one of `host_load_w`, `host_load_kw` (mean over the interval), `host_load_wh`, `host_load_kwh` (used in it).

Rows are in order of time and stand on one grid of equal intervals, of an hour at most; a missing row is a gap, which
is no mistake here. Every mistake is told with file, line and column.
"""

from __future__ import annotations

import csv
import difflib
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone, tzinfo
from itertools import pairwise

START = "start"
POWER_W = {"host_load_w": 1.0, "host_load_kw": 1000.0}
ENERGY_WH = {"host_load_wh": 1.0, "host_load_kwh": 1000.0}
LONGEST_S = 3600
MISTAKES_TOLD = 20

_LOADS = (*POWER_W, *ENERGY_WH)
_TIME = re.compile(r"(19|20)\d\d-\d\d-\d\d[T ]\d\d:\d\d(:\d\d)?(Z|[+-]\d\d:\d\d)?", re.ASCII)
_NUMBER = re.compile(r"[+-]?\d+(\.\d*)?([eE][+-]?\d{1,3})?", re.ASCII)
_MOST_LOAD = 1e12
_COLUMNS = f"{START} and one of {', '.join(_LOADS)}"


class IntervalDataError(Exception):
    """A file of interval data that cannot be used; `problems` has one line for each mistake."""

    def __init__(self, problems: list[str]) -> None:
        super().__init__("\n".join(problems))
        self.problems = problems


@dataclass(frozen=True, slots=True)
class Interval:
    """The mean host load of one interval; `start` has a fixed offset, `line` counts from 1."""

    start: datetime
    load_w: float
    line: int


@dataclass(frozen=True, slots=True)
class IntervalData:
    """A record of intervals of `interval_s`, in order of time, gaps left out."""

    name: str
    interval_s: int
    rows: tuple[Interval, ...]


@dataclass(frozen=True, slots=True)
class _Columns:
    start: int
    load: int
    load_name: str
    count: int


class _Mistakes:
    def __init__(self, name: str) -> None:
        self._name = name
        self.told: list[str] = []

    def at(self, line: int, sentence: str, column: int | None = None, named: str = "") -> None:
        place = "" if column is None else f"column {column + 1}, {named}: "
        self.told.append(f"{self._name}:{line}: {place}{sentence}")

    def end(self) -> None:
        """Raise if there were any, the first ones spelled out."""
        if self.told:
            more = len(self.told) - MISTAKES_TOLD
            rest = [f"{self._name}: and {more} more"] if more > 0 else []
            raise IntervalDataError([*self.told[:MISTAKES_TOLD], *rest])


def read_intervals(text: str, name: str, zone: tzinfo | None = None) -> IntervalData:
    """The record in `text`, the contents of file `name`; `zone` is that of times without an offset.

    Raises:
        IntervalDataError: With one sentence for each mistake: file, line, column, value, what is allowed.
    """
    mistakes = _Mistakes(name)
    lines = _lines(text, mistakes)
    mistakes.end()
    columns = _columns(lines, mistakes)
    mistakes.end()
    assert columns is not None
    rows = list(_rows(lines[1:], columns, zone, mistakes))
    mistakes.end()
    _in_order(rows, columns, mistakes)
    mistakes.end()
    interval_s = _interval_s(rows, columns, mistakes)
    mistakes.end()
    return IntervalData(name, interval_s, _in_watts(rows, columns, interval_s))


def _lines(text: str, mistakes: _Mistakes) -> list[tuple[int, list[str]]]:
    """Each row's line and fields; empty lines are left out."""
    reader = csv.reader(text.split("\n"), strict=True)
    found = []
    try:
        found = [(reader.line_num, [field.strip() for field in fields]) for fields in reader if fields]
    except csv.Error as error:
        mistakes.at(reader.line_num, f"not valid CSV: {error}")
    return found


def _columns(lines: list[tuple[int, list[str]]], mistakes: _Mistakes) -> _Columns | None:
    if not lines:
        mistakes.at(1, f"is empty; the first row names the columns: {_COLUMNS}")
        return None
    line, names = lines[0]
    for index, name in enumerate(names):
        if name not in {START, *_LOADS}:
            close = difflib.get_close_matches(name, (START, *_LOADS), n=1)
            hint = f"did you mean {close[0]!r}?" if close else f"allowed: {_COLUMNS}"
            mistakes.at(line, f"unknown column; {hint}", index, repr(name))
    loads = [name for name in names if name in _LOADS]
    if names.count(START) != 1:
        mistakes.at(
            line, f"column {START} is {'missing' if START not in names else 'named twice'}; {_COLUMNS}"
        )
    if len(loads) != 1:
        mistakes.at(line, f"{len(loads)} columns of the load ({', '.join(loads) or 'none'}); {_COLUMNS}")
    if mistakes.told:
        return None
    return _Columns(names.index(START), names.index(loads[0]), loads[0], len(names))


def _rows(
    lines: list[tuple[int, list[str]]], columns: _Columns, zone: tzinfo | None, mistakes: _Mistakes
) -> Iterator[Interval]:
    before: datetime | None = None
    for line, fields in lines:
        if len(fields) != columns.count:
            mistakes.at(line, f"has {len(fields)} columns, the first row {columns.count}")
            continue
        try:
            start = _start(fields[columns.start], zone, before)
        except ValueError as error:
            mistakes.at(line, str(error), columns.start, START)
            continue
        before = start
        try:
            yield Interval(start, _load(fields[columns.load]), line)
        except ValueError as error:
            mistakes.at(line, str(error), columns.load, columns.load_name)


def _start(text: str, zone: tzinfo | None, before: datetime | None) -> datetime:
    """The instant in `text`; of the two that a local time has when clocks go back, the one after `before`."""
    if not _TIME.fullmatch(text):
        raise ValueError(f"{text!r} is not a time such as 2025-03-09T01:45-05:00")
    try:
        at = datetime.fromisoformat(text)
    except ValueError as error:
        raise ValueError(f"{text!r} is no time that exists: {error}") from error
    if at.tzinfo is not None:
        return at
    if zone is None:
        raise ValueError(f"{text!r} has no offset from UTC; write it as {text}-05:00, or name the time zone")
    first, second = (_fixed(at.replace(tzinfo=zone, fold=fold)) for fold in (0, 1))
    if first.astimezone(zone).replace(tzinfo=None) != at:
        raise ValueError(
            f"{text!r} does not exist in {zone}: clocks go forward there; a meter that stays on standard time has a"
            " fixed offset"
        )
    return second if before is not None and first <= before < second else first


def _fixed(at: datetime) -> datetime:
    """With its offset from UTC in place of its zone: in one zone Python would compare clocks, not instants."""
    offset = at.utcoffset()
    assert offset is not None
    return at.replace(tzinfo=timezone(offset), fold=0)


def _load(text: str) -> float:
    if not _NUMBER.fullmatch(text):
        raise ValueError(f"{text!r} is not a number" if text else "is empty; leave the row out for a gap")
    value = float(text)
    if value < 0:
        raise ValueError(
            f"{text} is negative: host load is what the site uses, its generation added back to what the meter shows"
        )
    if value > _MOST_LOAD:
        raise ValueError(f"{text} is no load of a site")
    return value


def _in_order(rows: list[Interval], columns: _Columns, mistakes: _Mistakes) -> None:
    for before, row in pairwise(rows):
        if row.start == before.start:
            sentence = f"{row.start.isoformat()} is on line {before.line} already"
        elif row.start < before.start:
            sentence = (
                f"{row.start.isoformat()} is before line {before.line}, {before.start.isoformat()}; rows must be in"
                " order of time"
            )
        else:
            continue
        mistakes.at(row.line, sentence, columns.start, START)


def _interval_s(rows: list[Interval], columns: _Columns, mistakes: _Mistakes) -> int:
    """The commonest distance between rows; every other distance must be a multiple of it."""
    steps = [int((row.start - one.start).total_seconds()) for one, row in pairwise(rows)]
    if not steps:
        mistakes.at(rows[0].line if rows else 1, f"has {len(rows)} rows of data; a record needs at least two")
        return 0
    interval_s = min(Counter(steps).items(), key=lambda item: (-item[1], item[0]))[0]
    if interval_s > LONGEST_S or LONGEST_S % interval_s:
        mistakes.at(
            rows[1].line, f"intervals of {interval_s} s; they must divide an hour", columns.start, START
        )
        return 0
    for row, step in zip(rows[1:], steps, strict=True):
        if step % interval_s:
            told = f"starts {timedelta(seconds=step)} after the row before; intervals are of {interval_s} s"
            mistakes.at(row.line, told, columns.start, START)
    return interval_s


def _in_watts(rows: list[Interval], columns: _Columns, interval_s: int) -> tuple[Interval, ...]:
    if columns.load_name in POWER_W:
        factor = POWER_W[columns.load_name]
    else:
        factor = ENERGY_WH[columns.load_name] * 3600 / interval_s
    return tuple(Interval(row.start, row.load_w * factor, row.line) for row in rows)
