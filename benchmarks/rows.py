"""A row of the table of measures, and how it is judged."""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypedDict

RESULTS = Path(__file__).parent / "results.json"


class Result(TypedDict):
    """A row as it stands in results.json."""

    measure: str
    value: float | str
    unit: str
    reference: str | None
    ratio: float | str | None
    goal: float | None
    passed: bool | None


@dataclass(frozen=True, slots=True)
class Row:
    """One measured figure.

    `goal` is the most that `value` may be, None where the design sets none. `reference` says in words what
    `ratio` divides by.
    """

    measure: str
    value: float
    unit: str
    reference: str | None = None
    ratio: float | None = None
    goal: float | None = None

    @property
    def passed(self) -> bool | None:
        """Whether the goal is met; None without one."""
        return None if self.goal is None else self.value <= self.goal

    def result(self) -> Result:
        """For results.json."""
        return Result(
            measure=self.measure,
            value=_short(self.value),
            unit=self.unit,
            reference=self.reference,
            ratio=None if self.ratio is None else _short(self.ratio),
            goal=self.goal,
            passed=self.passed,
        )


def write(rows: Sequence[Row], path: Path = RESULTS) -> None:
    """Write rows as a list of objects."""
    path.write_text(json.dumps([row.result() for row in rows], indent=1) + "\n", encoding="utf-8")


def percentile(values: Sequence[float], share: float) -> float:
    """The smallest value that at least `share` (0 to 1) of all do not exceed."""
    rank = math.ceil(share * len(values) - 1e-9)
    return sorted(values)[max(0, rank - 1)]


def _short(value: float) -> float | str:
    """Four significant digits: more would pretend. JSON has no number for what never ended."""
    return float(f"{value:.4g}") if math.isfinite(value) else "inf"
