"""What a study comes to: distributions over its runs, and what became of those that did not run."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from sim.study.job import Outcome

Floats = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]

SHARES = (0.5, 0.9, 0.99, 1.0)
"""Of all runs: half of them, nine of ten, 99 of 100, all are no worse than the figures that are told."""

_NUMBER = re.compile(r"-?\d+(\.\d+)?(e[+-]?\d+)?")


@dataclass(frozen=True)
class Measure:
    """One figure over all runs that ran and have it; `worst_low` when small values are the bad ones."""

    key: str
    label: str
    unit: str
    values: Floats
    worst_low: bool = False

    def at(self, share: float) -> float | None:
        """The value that this share of the runs is no worse than; None without runs, infinite for never."""
        if not self.values.size:
            return None
        share, method = (1.0 - share, "lower") if self.worst_low else (share, "higher")
        return float(np.quantile(self.values, share, method=method))  # type: ignore[call-overload]


@dataclass(frozen=True)
class Summary:
    """Counts of runs by outcome, reasons of those that did not run, and the measures.

    Reasons that differ in their numbers only are one, with the numbers of the first site that has it.
    `tripped` has a flag for each run that ran, in the order of the measures' values.
    """

    outcomes: dict[str, int]
    refused: Counter[str]
    errors: Counter[str]
    measures: tuple[Measure, ...]
    above_2_s: int
    above_30_s: int
    tripped: Flags
    with_fallback: int
    with_lost_sensing: int

    @property
    def with_trip(self) -> int:
        """Runs in which the guard tripped."""
        return int(self.tripped.sum())

    @property
    def ran(self) -> int:
        """Runs that came to their end."""
        return self.outcomes[Outcome.RAN]


def summarise(table: pa.Table) -> Summary:
    """The summary of the rows of `Store.table`."""
    outcome = np.array(table.column("outcome").to_pylist(), dtype=object)
    ran = outcome == Outcome.RAN
    columns = {name: _floats(table, name)[ran] for name in _NEEDED}
    length_s = columns["longest_excursion_s"]
    return Summary(
        outcomes={str(one): int((outcome == one).sum()) for one in Outcome},
        refused=_reasons(table, Outcome.REFUSED),
        errors=_reasons(table, Outcome.ERROR),
        measures=_measures(columns),
        above_2_s=int((length_s > 2.0 + _EPS).sum()),
        above_30_s=int((length_s > 30.0 + _EPS).sum()),
        tripped=columns["trips"] > 0,
        with_fallback=int((columns["fallbacks"] > 0).sum()),
        with_lost_sensing=int((columns["lost_sensing"] > 0).sum()),
    )


_EPS = 1e-6
_NEEDED = (
    "nameplate_w", "longest_excursion_s", "peak_over_w", "energy_over_wh", "response_s", "harvest_pu",
    "mean_margin_w", "trips", "fallbacks", "lost_sensing",
)  # fmt: skip


def _measures(columns: dict[str, Floats]) -> tuple[Measure, ...]:
    kw = columns["nameplate_w"] / 1000.0
    response_s = columns["response_s"]
    return (
        Measure("longest_excursion_s", "longest excursion", "s", columns["longest_excursion_s"]),
        Measure("peak_over_pct", "peak above the limit", "% of nameplate", columns["peak_over_w"] / kw / 10.0),
        Measure("energy_over_wh_per_kw", "energy above the limit", "Wh per kW", columns["energy_over_wh"] / kw),
        Measure("response_s", "response to a step", "s", response_s[~np.isnan(response_s)]),
        Measure("harvest_pct", "harvest", "% of permitted", columns["harvest_pu"] * 100.0, worst_low=True),
        Measure("mean_margin_pct", "margin kept", "% of nameplate", columns["mean_margin_w"] / kw / 10.0),
    )  # fmt: skip


def _floats(table: pa.Table, name: str) -> Floats:
    """A column with missing values as NaN."""
    values: Floats = table.column(name).cast(pa.float64()).to_numpy()
    return values


def _reasons(table: pa.Table, outcome: Outcome) -> Counter[str]:
    rows: list[dict[str, Any]] = table.select(["site", "seed", "outcome", "reason"]).to_pylist()
    reasons = [
        row["reason"]
        for row in sorted(rows, key=lambda row: (row["site"], row["seed"]))
        if row["outcome"] == outcome
    ]
    first: dict[str, str] = {}
    return Counter(first.setdefault(_NUMBER.sub("", reason), reason) for reason in reasons)
