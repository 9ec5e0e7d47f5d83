"""`python -m benchmarks peers`: the comparison on a thinned grid, with a few of the tunings found before."""

from __future__ import annotations

from benchmarks.peers.study import THIN, study
from benchmarks.peers.table import rows
from benchmarks.rows import Row


def measure() -> list[Row]:
    """Rows for everybody."""
    return rows(study(THIN, few=True))
