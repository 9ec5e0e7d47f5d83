"""Excursion energy against harvest: everybody in one picture."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from matplotlib.axes import Axes
from matplotlib.ticker import LogLocator, NullLocator, StrMethodFormatter

from benchmarks.peers.study import OURS, REFERENCE, Result, Study
from benchmarks.peers.tuning import PEERS
from sim.plots import style

_TICKS = (1.0, 1.2, 1.5, 1.7, 2.0, 2.5, 3.0, 3.5, 4.0, 5.0, 6.0, 7.0, 8.0)
"""Of each decade, where energies are written beside the axis."""
_COLOURS = (style.ORANGE, style.GREEN, style.PURPLE, style.SKY)


def draw(path: Path, study: Study) -> None:
    """Draw it into a PNG file.

    Raises:
        OSError: The file cannot be written.
    """
    stepping = sum(case.day is None for case in study.cases)
    about = (
        f"{stepping} plants of the grid with load steps, {len(study.cases) - stepping} runs of days; better is to the"
        " lower right. Filled: defaults, open: tuned, line of ours: its margin varied"
    )
    with style.picture(path, "Excursion energy against harvest", about, size_in=(10.0, 6.0)) as (axes,):
        _line(axes, study.of(OURS), "ours", style.BLUE)
        for peer, colour in zip(PEERS, _COLOURS, strict=True):
            _line(axes, study.of(peer.name), peer.name, colour)
        for one in study.of(REFERENCE):
            axes.plot(
                *_at(one), "x", color=style.BLACK, markersize=9, label="sees the true load at each scan"
            )
        axes.set_yscale("log")
        axes.yaxis.set_major_locator(LogLocator(subs=_TICKS))
        axes.yaxis.set_major_formatter(StrMethodFormatter("{x:g}"))
        axes.yaxis.set_minor_locator(NullLocator())
        axes.set_xlabel("harvest: share of what could be generated within the limit, %")
        axes.set_ylabel("excursion energy, Wh for each kW of nameplate and hour")
        axes.legend(loc="upper left")


def _line(axes: Axes, results: Sequence[Result], name: str, colour: str) -> None:
    """The variants of one contender as open points on a line, its default filled."""
    ours = name == OURS
    default, *others = results
    line = sorted((_at(one) for one in (results if ours else others)), key=lambda at: at[0])
    axes.plot(
        [x for x, _ in line],
        [y for _, y in line],
        marker="o",
        markerfacecolor="white",
        color=colour,
        linewidth=1.8 if ours else 0.8,
        markersize=6 if ours else 5,
    )
    x, y = _at(default)
    axes.plot([x], [y], "o", color=colour, markersize=10 if ours else 8, label=name, zorder=4)


def _at(result: Result) -> tuple[float, float]:
    at = result.total
    return 100.0 * at.harvest, at.over_wh_per_h
