"""A capture as a picture for a person: export against what judges it, DERs and their limits, states, what happened.

Drawn with Agg, without pyplot. Import it where a picture is drawn: Matplotlib comes with the extra `report`.
"""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.textpath import TextPath
from matplotlib.ticker import FuncFormatter

from edge.evidence.channels import Status, channels
from edge.evidence.incident import Incident
from edge.evidence.labels import Label, grouped

# Okabe and Ito, "Color Universal Design" (2008); the same quantity has the same colour as in the studies' pictures.
EXPORT, LIMIT, PICKUP, DROPOUT, TARGET = "#0072B2", "#D55E00", "#1A1A1A", "#7A7A7A", "#009E73"
_DER_COLOURS = ("#009E73", "#E69F00", "#CC79A7", "#56B4E9", "#0072B2", "#D55E00")
_QUIET, _LOUD, _GREY, _GRID = "#009E73", "#D55E00", "#7A7A7A", "#E3E3E3"

_WIDTH_IN, _CLOSER_IN, _POWER_IN, _LANE_IN, _HEAD_IN = 8.5, 5.0, 2.2, 0.19, 1.1
_LABEL_IN, _LABEL_PT = 0.3, 8.0
_PHASE_COLOURS = {"a": "#D55E00", "b": "#56B4E9", "c": "#CC79A7"}
_OF_PHASE = re.compile(r"-(va|[abc])(-va)?$")
"""How the names of elements end that judge a phase or apparent power."""
_PHASE_EXPORT = " export_w"
"""How the columns of the phases end; that of the total is the bare word."""
_MOST_DERS = 6
"""More are drawn as their sum, or nothing could be told apart."""

_CLOSE_S, _AROUND_S = 10.0, 1.0
"""What happens up to so long after the event gets a closer look, with so much around it."""

Values = Sequence[float | None]
Window = tuple[float, float]


def draw(incident: Incident, path: Path) -> None:
    """Write the picture as a PNG.

    Raises:
        OSError: The file cannot be written.
    """
    lanes, windows = _lanes(incident), _windows(incident)
    labels = [grouped(incident.capture.marks, *window) for window in windows]
    longest_in = max((_length_in(label.text) for some in labels for label in some), default=0.0)
    panels = [(_POWER_IN, "PCC in kW", _export), (_POWER_IN, "DERs in kW", _power)]
    if _ending(incident, _PHASE_EXPORT):
        panels.insert(1, (_POWER_IN, "PCC by phase in kW", _phases))
    heights = [height for height, _, _ in panels]
    heights += [0.1 + _LANE_IN * len(lanes), _LABEL_IN + longest_in]
    widths = [_WIDTH_IN, _CLOSER_IN][: len(windows)]
    figure = Figure(figsize=(1.5 + sum(widths), _HEAD_IN + sum(heights)), layout="constrained", dpi=110)
    FigureCanvasAgg(figure)
    title = _verbatim(f"{incident.station}: {incident.detail}")
    figure.suptitle(title, x=0.01, ha="left", fontsize=12, fontweight="bold", wrap=True)
    grid = figure.subplots(
        len(heights),
        len(windows),
        sharex="col",
        sharey="row",
        squeeze=False,
        height_ratios=heights,
        width_ratios=widths,
    )
    for column, window in enumerate(windows):
        for axes, (_, _, draw_panel) in zip(grid[:, column], panels, strict=False):
            draw_panel(axes, incident)
        _column(list(grid[:, column]), incident, lanes, labels[column], window)
    when = incident.at.strftime("%Y-%m-%d %H:%M:%S.%f")[:-3]
    about = f"event at {when} UTC, clock {incident.time_quality}, record {incident.seq} of {incident.gateway}"
    grid[0, 0].set_title(_verbatim(about), loc="left", fontsize=9, color=_GREY)
    for axes, (_, name, _) in zip(grid[:, 0], panels, strict=False):
        axes.set_ylabel(name)
    for axes in grid[: len(panels), -1]:
        if axes.get_legend_handles_labels()[1]:
            axes.legend(loc="center left", bbox_to_anchor=(1.0, 0.5), fontsize=7, frameon=False)
    figure.savefig(path, format="png", metadata={"Software": None})


def _column(
    column: Sequence[Axes],
    incident: Incident,
    lanes: Sequence[Status],
    labels: Sequence[Label],
    window: Window,
) -> None:
    """States, and what happened: what goes through all of one window, below its powers."""
    *_, states, words = column
    _states(states, incident, lanes)
    for axes in column:
        _plain(axes)
        for label in labels:
            axes.axvline(label.t_s, color=_GREY, linewidth=0.8, linestyle=":", zorder=1.2)
    words.set_yticks([])
    words.grid(visible=False)
    words.spines["left"].set_visible(False)
    box: dict[str, Any] = {"facecolor": "white", "edgecolor": "none", "pad": 0.8}
    for label in labels:
        words.annotate(
            _verbatim(label.text),
            (label.t_s, 0.98),
            xycoords=words.get_xaxis_transform(),
            rotation=90,
            ha="center",
            va="top",
            fontsize=_LABEL_PT,
            bbox=box,
        )
    words.set_xlabel("time from the event in s")
    words.set_xlim(*window)


def _length_in(text: str) -> float:
    """How long a label is, upright, as it will be drawn."""
    return float(TextPath((0.0, 0.0), _verbatim(text), size=_LABEL_PT).get_extents().width) / 72.0


def _windows(incident: Incident) -> list[Window]:
    """The whole capture, and a closer look at what happened at the event unless that is most of it."""
    times_s = incident.t_s or [0.0]
    first_s, last_s = times_s[0], times_s[-1]
    if first_s == last_s:
        return [(first_s - 1.0, last_s + 1.0)]
    soon_s = [mark.t_s for mark in incident.capture.marks if 0.0 <= mark.t_s <= _CLOSE_S]
    closer = (max(first_s, -_AROUND_S), min(last_s, max(soon_s, default=0.0) + _AROUND_S))
    worth = 0.0 < closer[1] - closer[0] < 0.4 * (last_s - first_s)
    return [(first_s, last_s), closer] if worth else [(first_s, last_s)]


def _export(axes: Axes, incident: Incident) -> None:
    """Export as it was measured, against limit, pickups, dropouts and the limiter's target."""
    limit_w = incident.capture.limit_w
    if limit_w is not None:
        axes.axhline(limit_w, color=LIMIT, linewidth=1.2, linestyle=(0, (6, 2)), label="export limit")
    for name in _ending(incident, " pickup_w"):
        if _OF_PHASE.search(name):
            continue
        pickup_w, dropout_w = incident.series(f"{name} pickup_w"), incident.series(f"{name} dropout_w")
        if all(value == limit_w for value in (*pickup_w, *dropout_w)):
            continue
        _line(axes, incident.t_s, pickup_w, PICKUP, f"{name} pickup", "-.")
        _line(axes, incident.t_s, dropout_w, DROPOUT, f"{name} dropout", ":")
    _stepped(axes, incident, "target_w", TARGET, "target", style=":")
    _stepped(axes, incident, "export_w", EXPORT, "export", width=1.5)
    _in_kw(axes)


def _phases(axes: Axes, incident: Incident) -> None:
    """Export of each phase, and the pickups of the elements that judge them; those alike share a line."""
    pickups: dict[tuple[float | None, ...], list[str]] = {}
    for name in _ending(incident, " pickup_w"):
        judged = _OF_PHASE.search(name)
        if judged and judged[1] in _PHASE_COLOURS and not judged[2]:
            pickups.setdefault(tuple(incident.series(f"{name} pickup_w")), []).append(name)
    for values, names in pickups.items():
        _line(axes, incident.t_s, values, PICKUP, f"{', '.join(names)} pickup", "-.")
    for phase, colour in _PHASE_COLOURS.items():
        _stepped(axes, incident, f"phase {phase}{_PHASE_EXPORT}", colour, f"export, phase {phase}", width=1.3)
    _in_kw(axes)


def _ending(incident: Incident, what: str) -> list[str]:
    """Whose columns end so."""
    return [column.removesuffix(what) for column in incident.capture.columns if column.endswith(what)]


def _power(axes: Axes, incident: Incident) -> None:
    """Each DER's output, the limit commanded (dashed) and the limit read back (dotted), in its colour."""
    ders = _ending(incident, " output_w")
    whats = (
        ("output_w", "output", "-"),
        ("commanded_w", "limit commanded", "--"),
        ("limit_w", "limit read back", ":"),
    )
    for what, name, style in whats:
        if len(ders) > _MOST_DERS:
            rows = zip(*(incident.series(f"{der} {what}") for der in ders), strict=True)
            summed = [None if None in row else sum(value or 0.0 for value in row) for row in rows]
            _line(axes, incident.t_s, summed, _DER_COLOURS[0], f"{name}, all {len(ders)} DERs", style)
            continue
        for der, colour in zip(ders, _DER_COLOURS, strict=False):
            _stepped(axes, incident, f"{der} {what}", colour, f"{der} {name}", style=style)
    _in_kw(axes)


def _lanes(incident: Incident) -> list[Status]:
    """The states worth a lane: contacts and the trip always, others if they were ever set."""
    _, status = channels(incident)
    always = ("commanded closed", " closed", "trip latch")
    return [one for one in status if one.name.endswith(always) or any(one.values)]


def _states(axes: Axes, incident: Incident, lanes: Sequence[Status]) -> None:
    """A bar for as long as a state is 1: green where that is its normal state."""
    starts_s = incident.t_s
    ends_s = [*starts_s[1:], *starts_s[-1:]]
    for place, lane in enumerate(lanes):
        spans = [
            (start_s, end_s - start_s)
            for start_s, end_s, value in zip(starts_s, ends_s, lane.values, strict=True)
            if value
        ]
        axes.broken_barh(spans, (place - 0.35, 0.7), color=_QUIET if lane.normal else _LOUD, linewidth=0)
    axes.set_yticks(range(len(lanes)), [lane.name for lane in lanes], fontsize=7)
    axes.set_ylim(len(lanes) - 0.4, -0.6)


def _stepped(
    axes: Axes, incident: Incident, column: str, colour: str, name: str, style: str = "-", width: float = 1.1
) -> None:
    _line(axes, incident.t_s, incident.series(column), colour, name, style, width)


def _line(
    axes: Axes,
    times_s: Sequence[float],
    values: Values,
    colour: str,
    name: str,
    style: str,
    width: float = 1.1,
) -> None:
    """A value stands until the next; nothing is drawn where nothing was known."""
    if any(value is not None for value in values):
        known = [math.nan if value is None else value for value in values]
        axes.step(times_s, known, where="post", color=colour, label=name, linestyle=style, linewidth=width)


def _in_kw(axes: Axes) -> None:
    axes.yaxis.set_major_formatter(FuncFormatter(lambda value_w, _: f"{value_w / 1000:g}"))


def _verbatim(text: str) -> str:
    """Matplotlib takes what is between dollars for mathematics."""
    return text.replace("$", r"\$")


def _plain(axes: Axes) -> None:
    axes.tick_params(labelsize=8, color=_GREY)
    axes.grid(visible=True, color=_GRID, linewidth=0.6)
    axes.set_axisbelow(True)
    for side in ("top", "right"):
        axes.spines[side].set_visible(False)
