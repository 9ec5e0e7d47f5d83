"""A recording: values over time from a CSV file with two named columns."""

from __future__ import annotations

import csv
from bisect import bisect_right
from dataclasses import dataclass
from itertools import pairwise
from math import isfinite
from pathlib import Path

LOAD_COLUMN = "load_w"
WEATHER_COLUMN = "irradiance_pu"


@dataclass(frozen=True)
class Series:
    """Values at rising times in s; before the first and after the last it stays as it is there."""

    t_s: tuple[float, ...]
    values: tuple[float, ...]

    def held(self, t_s: float) -> float:
        """The value of the last row at or before `t_s`."""
        return self.values[max(0, bisect_right(self.t_s, t_s) - 1)]

    def between(self, t_s: float) -> float:
        """The value at `t_s` on the straight line between its two rows."""
        after = bisect_right(self.t_s, t_s)
        if after in {0, len(self.t_s)}:
            return self.held(t_s)
        low_s, high_s = self.t_s[after - 1], self.t_s[after]
        share = (t_s - low_s) / (high_s - low_s)
        return self.values[after - 1] + share * (self.values[after] - self.values[after - 1])


def read_series(path: Path, column: str) -> Series:
    """Read the columns `t_s` and `column` of a CSV file; values are finite and not negative.

    Raises:
        OSError: When it cannot be read.
        ValueError: When it is not such a file; tells the line.
    """
    with path.open(encoding="utf-8", newline="") as file:
        rows = csv.DictReader(file)
        missing = [name for name in ("t_s", column) if name not in (rows.fieldnames or ())]
        if missing:
            raise ValueError(f"{path}: there is no column {missing[0]!r}")
        read = [
            (_number(row["t_s"], path, line), _number(row[column], path, line))
            for line, row in enumerate(rows, 2)
        ]
    if not read:
        raise ValueError(f"{path}: there are no rows")
    for line, (before, after) in enumerate(pairwise(read), 3):
        if after[0] <= before[0]:
            raise ValueError(f"{path}:{line}: times must rise")
    return Series(tuple(t_s for t_s, _ in read), tuple(value for _, value in read))


def _number(text: str | None, path: Path, line: int) -> float:
    try:
        value = float(text or "")
    except ValueError:
        raise ValueError(f"{path}:{line}: {text!r} is not a number") from None
    if not isfinite(value) or value < 0:
        raise ValueError(f"{path}:{line}: {text} must be finite and not negative")
    return value
