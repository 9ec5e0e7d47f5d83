"""The picture of one run: export against its limit, what was made and permitted to be made, what happened when."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import numpy.typing as npt
from matplotlib.axes import Axes
from matplotlib.ticker import FuncFormatter

from edge.guard.settings import GuardSettings
from sim.plots.marks import Label, Mark, labels, marks
from sim.plots.style import AVAILABLE, BLACK, EXPORT, GREEN, GREY, LIMIT, LOAD, VERMILION, name_limit, picture
from sim.run import Run
from sim.truth import excursions

_AXES_IN, _LEADER_IN, _WORDS_IN, _CHAR_IN = 2.6, 0.15, 0.25, 0.066
"""Heights: of the axes; of the row of labels its leaders, itself without words, and by letter of the longest."""

_MOST_POINTS = 4000


def draw(done: Run, path: Path) -> None:
    """Write the picture of `done` to the PNG file `path`.

    Raises:
        OSError: The file cannot be written.
    """
    scenario = done.scenario
    happened = marks(done)
    told = labels(happened, scenario.duration_s)
    words = _LEADER_IN + _WORDS_IN + _CHAR_IN * max((len(label.text) for label in told), default=0)
    with picture(
        path,
        _wrapped(scenario.shows),
        rows=3,
        size_in=(9.0, 6.1 + words),
        heights=(_AXES_IN, _AXES_IN, words),
        share_x=True,
    ) as (export, power, below):
        about = f"{scenario.name}, seed {done.seed}: {done.verdict}"
        export.set_title(about, color=GREY, fontsize=9, fontweight="normal")
        _export(export, done)
        _power(power, done)
        _mark(export, happened)
        _mark(power, happened)
        _label(below, told, _LEADER_IN / words)
        below.set_xlabel("time in s")
        below.set_xlim(0.0, scenario.duration_s)


def _export(axes: Axes, done: Run) -> None:
    """Export with its limit and the elements' pickups; excursions shaded."""
    truth, site = done.truth, done.scenario.site_file
    limit_w = site.limit_w
    axes.plot(*_thinned(truth.t_s, truth.export_w), color=EXPORT, label="export")
    name_limit(axes, limit_w, "export limit")
    pickups = {element.pickup_w: element.name for element in GuardSettings.of(site).elements}
    for pickup_w, name in pickups.items():
        if abs(pickup_w - limit_w) > 0.01 * done.metrics.nameplate_w:
            name_limit(axes, pickup_w, f"pickup of {name}", BLACK)
    for one in excursions(truth, limit_w, done.metrics.nameplate_w):
        axes.axvspan(one.start_s, one.start_s + one.duration_s, color=VERMILION, alpha=0.25, linewidth=0)
    if done.scenario.judged_from_s:
        axes.axvspan(0.0, done.scenario.judged_from_s, color=GREY, alpha=0.08, linewidth=0)
    axes.set_ylabel("export in kW")
    _in_kw(axes)


def _power(axes: Axes, done: Run) -> None:
    """Host load, output of all inverters, what the sun offers, and the limits last written."""
    truth = done.truth
    axes.plot(*_thinned(truth.t_s, truth.available_w), color=AVAILABLE, linewidth=1.0, label="available")
    axes.plot(*_thinned(truth.t_s, truth.host_load_w), color=LOAD, label="host load")
    axes.plot(*_thinned(truth.t_s, truth.output_w), color=GREEN, label="output")
    axes.step(
        *_limits(done),
        where="post",
        color=LIMIT,
        linewidth=0.9,
        linestyle=(0, (3, 1.5)),
        label="limits written",
    )
    axes.set_ylabel("power in kW")
    axes.set_ylim(bottom=min(0.0, float(truth.output_w.min())))
    _in_kw(axes)
    axes.legend(loc="lower center", bbox_to_anchor=(0.5, 1.0), ncols=4, borderaxespad=0.2)


def _limits(done: Run) -> tuple[list[float], list[float]]:
    """The sum of what was last written to each inverter, over time."""
    last: dict[str, float] = {}
    sums: dict[float, float] = {}
    for written in done.writes:
        last[written.der] = written.limit_w
        if len(last) == len(done.scenario.site_file.der):
            sums[written.at_s] = sum(last.values())
    return [*sums, done.scenario.duration_s], [*sums.values(), *list(sums.values())[-1:]]


def _mark(axes: Axes, happened: list[Mark]) -> None:
    """A thin line at each time; a loud one is drawn over a quiet one."""
    for mark in sorted(happened, key=lambda mark: mark.colour != GREY):
        axes.axvline(mark.at_s, color=mark.colour, linewidth=0.8, linestyle=":", zorder=1.2)


def _label(axes: Axes, told: list[Label], leader: float) -> None:
    """Words below each time, led to where there is room for them; `leader` of the height is for that."""
    axes.set_ylim(0.0, 1.0)
    axes.set_yticks([])
    axes.grid(visible=False)
    axes.spines["left"].set_visible(False)
    for label in told:
        for at_s in label.times_s:
            axes.plot((at_s, label.place_s), (1.0, 1.0 - leader), color=label.colour, linewidth=0.6)
        axes.annotate(
            label.text,
            (label.place_s, 1.0 - leader),
            (0, -1.5),
            textcoords="offset points",
            color=label.colour,
            rotation=90,
            ha="center",
            va="top",
            fontsize=8,
            annotation_clip=True,
        )


def _wrapped(text: str, width: int = 70) -> str:
    """The sentence on as many lines as it needs."""
    lines = [""]
    for word in text.split():
        if len(lines[-1]) + len(word) >= width:
            lines.append("")
        lines[-1] = f"{lines[-1]} {word}".strip()
    return "\n".join(lines)


def _thinned(
    t_s: npt.NDArray[np.float64], values: npt.NDArray[np.float64]
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """Lowest and highest of each short stretch: no peak is lost in a picture."""
    every = len(t_s) * 2 // _MOST_POINTS
    if every < 4:
        return t_s, values
    whole = len(t_s) // every * every
    blocks = values[:whole].reshape(-1, every)
    times = t_s[:whole].reshape(-1, every)
    both = np.stack((blocks.min(axis=1), blocks.max(axis=1)), axis=1).ravel()
    return np.repeat(times[:, every // 2], 2), both


def _in_kw(axes: Axes) -> None:
    axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value / 1000:g}"))
