"""The map of the grid: a panel for each meter, in it a cell for each DER, the worst ratio of all limits as colour."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import Normalize

from sim.plots import style
from sim.stability.answer import Answer
from sim.stability.grid import DEAD_TIMES_S, LATENCIES_S, PERIODS_S, SLOPES_PCT_S

WORST = 2.0
"""Ratios from here on have one colour."""
READABLE = 1.6
"""Up to this ratio black is read on the colour."""


def draw_map(path: Path, title: str, about: str, answers: Sequence[Answer]) -> None:
    """Rows are meter periods, columns latencies; plants that were not run stay white.

    Raises:
        OSError: The file cannot be written.
    """
    with style.picture(
        path, title, about, rows=len(PERIODS_S), columns=len(LATENCIES_S), size_in=(11.0, 12.5)
    ) as axes:
        for number, panel in enumerate(axes):
            row, column = divmod(number, len(LATENCIES_S))
            _panel(panel, PERIODS_S[row], LATENCIES_S[column], answers)


def _panel(axes: Axes, period_s: float, latency_s: float, answers: Sequence[Answer]) -> None:
    worst = np.full((len(DEAD_TIMES_S), len(SLOPES_PCT_S)), np.nan)
    for answer in answers:
        cell = answer.case.cell
        if (cell.period_s, cell.latency_s) == (period_s, latency_s):
            at = DEAD_TIMES_S.index(cell.dead_time_s), SLOPES_PCT_S.index(cell.slope_pct_s)
            worst[at] = np.fmax(worst[at], answer.ratio)
    axes.imshow(worst, norm=Normalize(1.0, WORST), cmap="YlOrRd", aspect="auto", origin="lower")
    for (y, x), ratio in np.ndenumerate(worst):
        if not np.isnan(ratio):
            color = style.BLACK if ratio < READABLE else "white"
            axes.text(x, y, f"{ratio:.2f}", ha="center", va="center", fontsize=6.5, color=color)
    axes.grid(visible=False)
    axes.set_title(f"meter {period_s:g} s, latency {latency_s:g} s", fontsize=8)
    labels = ["1 s lag" if slope is None else f"{slope:g} %/s" for slope in SLOPES_PCT_S]
    axes.set_xticks(range(len(SLOPES_PCT_S)), labels, fontsize=6.5)
    axes.set_yticks(range(len(DEAD_TIMES_S)), [f"{dead_s:g} s" for dead_s in DEAD_TIMES_S], fontsize=6.5)
