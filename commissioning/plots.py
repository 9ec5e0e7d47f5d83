"""A test's series as a plot: export against limit, pickup and target; the DERs; contacts; marks as numbers."""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import dataclass

from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from contract.report import Mark, Series, TestResult

DPI = 200
WIDTH_IN = 7.1

_AROUND_S = 0.5
_ZOOMS = (
    ("element picked up", "contact open"),
    ("DER output capped", "at target"),
    ("meter hidden", "DER output down"),
)
"""Where a closer look is worth a plot of its own: from the first of these marks to the next of those."""

_LINES = {
    "export": ("#0b3d91", "-", 1.4),
    "export limit": ("#c1121f", "--", 1.2),
    "pickup": ("#b8860b", "-.", 1.1),
    "target": ("#2a7f3f", ":", 1.4),
}
_DER_COLOURS = ("#00796b", "#c2571a", "#6a4c93", "#4a4a4a", "#9d2667", "#3c6e9f")


@dataclass(frozen=True, slots=True)
class Window:
    """A stretch of a test to draw, s from its start."""

    start_s: float
    end_s: float
    caption: str


def windows(test: TestResult) -> list[Window]:
    """The whole test, and a closer look where its marks give one."""
    t_s = test.series[0].t_s
    found = [Window(t_s[0], t_s[-1], "The whole test")]
    for first, last in _ZOOMS:
        start = next((mark for mark in test.marks if mark.text.startswith(first)), None)
        end = start and next(
            (mark for mark in test.marks if mark.text.startswith(last) and mark.t_s >= start.t_s), None
        )
        if start and end:
            caption = f"Closer: {start.text} (mark {_number(test, start)}) to {end.text} (mark {_number(test, end)})"
            found.append(Window(max(t_s[0], start.t_s - 1), min(t_s[-1], end.t_s + 1), caption))
    return found


def draw(test: TestResult, window: Window) -> tuple[bytes, float]:
    """The plot as PNG, and its height over its width."""
    shown = [_clipped(item, window) for item in test.series]
    groups = [group for group in _groups(shown) if group]
    heights = [1.15 if group[0].unit == "W" else 0.12 + 0.18 * len(group) for group in groups]
    figure = Figure(figsize=(WIDTH_IN, 0.6 + sum(heights)), layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.subplots(len(groups), 1, sharex=True, squeeze=False, height_ratios=heights)[:, 0]
    for axis, group in zip(axes, groups, strict=True):
        (_powers if group[0].unit == "W" else _states)(axis, group)
        axis.tick_params(labelsize=7)
        axis.grid(visible=True, color="#dddddd", linewidth=0.5)
        for side in ("top", "right"):
            axis.spines[side].set_visible(False)
        for mark in _marks_in(test.marks, window):
            axis.axvline(mark.t_s, color="#888888", linewidth=0.6, zorder=0.5)
    axes[0].set_ylabel("PCC, kW", fontsize=8)
    axes[-1].set_xlabel("time from the start of the test, s", fontsize=8)
    axes[-1].set_xlim(window.start_s, window.end_s)
    _number_marks(axes[0], test, window)
    png = io.BytesIO()
    figure.savefig(png, dpi=DPI, format="png")
    width, height = figure.get_size_inches()
    return png.getvalue(), float(height / width)


def _clipped(series: Series, window: Window) -> Series:
    """Only what the window shows and a little around it, so that the axes fit it."""
    start_s, end_s = window.start_s - _AROUND_S, window.end_s + _AROUND_S
    points = [(t_s, y) for t_s, y in zip(series.t_s, series.y, strict=True) if start_s <= t_s <= end_s]
    return series.model_copy(update={"t_s": tuple(t for t, _ in points), "y": tuple(y for _, y in points)})


def _groups(series: Sequence[Series]) -> list[list[Series]]:
    """PCC powers, DER powers, states that ever change."""
    pcc = [item for item in series if item.name in _LINES]
    ders = [item for item in series if item.unit == "W" and item.name not in _LINES]
    states = [item for item in series if item.unit != "W"]
    return [pcc, ders, states]


def _powers(axis: Axes, group: Sequence[Series]) -> None:
    ders = sorted({_der(item.name) for item in group if item.name not in _LINES})
    for item in group:
        if item.name in _LINES:
            colour, style, width = _LINES[item.name]
        else:
            limit = item.name.endswith(" limit")
            colour = _DER_COLOURS[ders.index(_der(item.name)) % len(_DER_COLOURS)]
            style, width = ("--", 0.9) if limit else ("-", 1.3)
        y = [float("nan") if value is None else value / 1e3 for value in item.y]
        axis.plot(item.t_s, y, style, color=colour, linewidth=width, drawstyle="steps-post", label=item.name)
    axis.axhline(0, color="#555555", linewidth=0.5)
    axis.set_ylabel("DER, kW", fontsize=8)
    axis.legend(
        fontsize=6.5,
        ncols=1,
        loc="center left",
        bbox_to_anchor=(1.005, 0.5),
        frameon=False,
        borderaxespad=0.2,
    )


def _states(axis: Axes, group: Sequence[Series]) -> None:
    """Each state on a line of its own: up is closed, or picked up."""
    for row, item in enumerate(reversed(group)):
        y = [float("nan") if value is None else row * 1.4 + value for value in item.y]
        axis.plot(item.t_s, y, color="#333333", linewidth=1.2, drawstyle="steps-post")
    axis.set_yticks([row * 1.4 + 0.5 for row in range(len(group))], [item.name for item in reversed(group)])
    axis.set_ylim(-0.2, 1.4 * len(group))


def _number_marks(axis: Axes, test: TestResult, window: Window) -> None:
    """Numbers over the plot, raised where they would touch."""
    gap_s = (window.end_s - window.start_s) * 0.022
    last_s, level = float("-inf"), 0
    for mark in _marks_in(test.marks, window):
        level = (level + 1) % 3 if mark.t_s - last_s < gap_s else 0
        last_s = mark.t_s
        axis.annotate(
            str(_number(test, mark)),
            (mark.t_s, 1.0),
            xycoords=("data", "axes fraction"),
            xytext=(0, 2 + 7 * level),
            textcoords="offset points",
            ha="center",
            va="bottom",
            fontsize=6.5,
            color="#444444",
        )


def _marks_in(marks: Sequence[Mark], window: Window) -> list[Mark]:
    return [mark for mark in marks if window.start_s <= mark.t_s <= window.end_s]


def _number(test: TestResult, mark: Mark) -> int:
    return next(number for number, one in enumerate(test.marks, start=1) if one is mark)


def _der(name: str) -> str:
    return name.rpartition(" ")[0]
