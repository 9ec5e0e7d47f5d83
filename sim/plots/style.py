"""One restrained style for every picture. Drawn with Agg, without pyplot: no window, no state left behind.

Import it where a picture is drawn, not at the top of what may run without one: Matplotlib is slow to import.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from cycler import cycler
from matplotlib import style
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

# Okabe and Ito, "Color Universal Design" (2008), without its yellow, which is too light for lines.
BLUE, ORANGE, GREEN, VERMILION = "#0072B2", "#E69F00", "#009E73", "#D55E00"
SKY, PURPLE, BLACK, GREY = "#56B4E9", "#CC79A7", "#1A1A1A", "#7A7A7A"

EXPORT, LOAD, LIMIT, AVAILABLE, METER = BLUE, PURPLE, VERMILION, ORANGE, SKY
"""What the same quantity is drawn in on every picture."""

CYCLE = (BLUE, ORANGE, GREEN, PURPLE, SKY, VERMILION, BLACK)

_STYLE = {
    "figure.dpi": 120,
    "figure.facecolor": "white",
    "font.family": "DejaVu Sans",
    "font.size": 9.0,
    "axes.prop_cycle": cycler(color=list(CYCLE)),
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.edgecolor": GREY,
    "axes.labelcolor": BLACK,
    "axes.titlesize": 10.0,
    "axes.titlelocation": "left",
    "axes.titleweight": "bold",
    "axes.grid": True,
    "axes.axisbelow": True,
    "grid.color": "#E3E3E3",
    "grid.linewidth": 0.6,
    "lines.linewidth": 1.4,
    "lines.solid_capstyle": "butt",
    "xtick.color": GREY,
    "ytick.color": GREY,
    "xtick.labelcolor": BLACK,
    "ytick.labelcolor": BLACK,
    "legend.frameon": False,
    "legend.fontsize": 8.0,
}

_DASHED = (0, (6, 2))
_LABEL: dict[str, Any] = {
    "textcoords": "offset points",
    "fontsize": 8,
    "bbox": {"facecolor": "white", "edgecolor": "none", "alpha": 0.75, "pad": 0.8},
    "zorder": 3,
    "annotation_clip": True,
}


@contextmanager
def picture(
    path: Path,
    title: str,
    about: str = "",
    *,
    rows: int = 1,
    columns: int = 1,
    size_in: tuple[float, float] = (10.0, 5.5),
    heights: Sequence[float] | None = None,
    share_x: bool = False,
) -> Iterator[list[Axes]]:
    """Draw inside the block; the PNG is written to `path` at its end.

    Args:
        path: The PNG file.
        title: What the picture shows, in bold at its top left.
        about: One line below it: how it came about.
        rows: Axes below one another.
        columns: Axes beside one another.
        size_in: Width and height in inches; 120 pixels each.
        heights: Relative heights of the rows.
        share_x: Whether all rows have one x axis, labelled below the last.

    Yields:
        The axes, row by row.

    Raises:
        OSError: The file cannot be written.
    """
    with style.context(_STYLE):
        figure = Figure(figsize=size_in, layout="constrained")
        FigureCanvasAgg(figure)
        heading = f"{title}\n" if about else title
        figure.suptitle(heading, x=0.01, ha="left", fontsize=12, fontweight="bold")
        if about:
            below = 1.0 - 0.34 / size_in[1]
            figure.text(0.01, below, about, ha="left", va="top", color=GREY, fontsize=9)
        grid = figure.subplots(rows, columns, sharex=share_x, squeeze=False, height_ratios=heights)
        yield list(grid.flat)
        figure.savefig(path, format="png", metadata={"Software": None})


def name_limit(axes: Axes, value: float, name: str, colour: str = LIMIT) -> None:
    """A horizontal line at `value` with its name above its right end."""
    axes.axhline(value, color=colour, linewidth=1.1, linestyle=_DASHED, zorder=1.5)
    place: dict[str, Any] = {"xycoords": axes.get_yaxis_transform(), "ha": "right", "va": "bottom"}
    axes.annotate(name, (0.995, value), (0, 2), color=colour, **_LABEL, **place)


def name_bound(axes: Axes, value: float, name: str, colour: str = LIMIT) -> None:
    """A vertical line at `value` with its name along its top."""
    axes.axvline(value, color=colour, linewidth=1.1, linestyle=_DASHED, zorder=1.5)
    place: dict[str, Any] = {"xycoords": axes.get_xaxis_transform(), "ha": "right", "va": "top"}
    axes.annotate(name, (value, 0.985), (-2, 0), color=colour, rotation=90, **_LABEL, **place)


def mark_events(axes: Axes, events: Sequence[tuple[float, str]]) -> None:
    """A thin line at each time, with what happened written along its foot."""
    place: dict[str, Any] = {"xycoords": axes.get_xaxis_transform(), "ha": "right", "va": "bottom"}
    for at_s, text in events:
        axes.axvline(at_s, color=GREY, linewidth=0.8, linestyle=":", zorder=1.2)
        axes.annotate(text, (at_s, 0.02), (-2, 0), color=GREY, rotation=90, **_LABEL, **place)
