"""Pictures of a study: how its runs are spread, and what a section of a feeder sees."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from matplotlib.axes import Axes
from matplotlib.ticker import FuncFormatter, PercentFormatter

from sim.plots import style
from sim.study.feeder import Sections
from sim.study.file import MINUTE_S
from sim.study.summary import Measure, Summary

Flags = npt.NDArray[np.bool_]

BOUND_S, PCS_BOUND_S = 2.0, 30.0
"""Of an element's clearing, and of a power control system's open-loop response (IREC 2023, Section IV.B.3)."""

_FROM_S = 0.05
"""Where a logarithmic axis of times begins."""

_LEAST_PCT = 0.1
"""A picture shows no less than this of nameplate: what is smaller is nothing."""


def draw_study(path: Path, title: str, about: str, summary: Summary) -> None:
    """Four panels: excursion length, peak against energy, response, harvest.

    Raises:
        OSError: The file cannot be written.
    """
    by_key = {measure.key: measure for measure in summary.measures}
    with style.picture(path, title, about, rows=2, columns=2, size_in=(11.0, 8.0)) as axes:
        _exceedance(axes[0], by_key["longest_excursion_s"], "Longest excursion of a run")
        for bound_s in (BOUND_S, PCS_BOUND_S):
            style.name_bound(axes[0], bound_s, f"{bound_s:.0f} s bound")
        _peak_against_energy(axes[1], by_key, summary.tripped)
        _exceedance(axes[2], by_key["response_s"], "Response to the worst step of a run")
        _harvest(axes[3], by_key["harvest_pct"])


def _exceedance(axes: Axes, measure: Measure, title: str) -> None:
    """The share of runs above each value; both axes logarithmic, so that the rare and bad is seen."""
    values = np.sort(measure.values[measure.values > 0])
    axes.set_title(title)
    axes.set_xlabel(f"{measure.label} / {measure.unit}")
    axes.set_ylabel("share of runs that are longer")
    count = len(measure.values)
    if len(values):
        ends = values[np.isfinite(values)]
        shares = 1.0 - (np.arange(len(ends)) + count - len(values)) / count
        axes.step(
            [_FROM_S, *ends], [len(values) / count, *shares], where="pre", color=style.EXPORT, linewidth=1.8
        )
    axes.set_xscale("log")
    axes.set_yscale("log")
    axes.set_xlim(_FROM_S, max(60.0, float(values[np.isfinite(values)].max(initial=0.0)) * 1.2))
    axes.set_ylim(0.5 / max(count, 2), 1.3)
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    axes.yaxis.set_major_formatter(
        FuncFormatter(lambda value, _: f"{value:.3%}".rstrip("0%").rstrip(".") + " %")
    )
    none, never = count - len(values), int(np.isinf(values).sum())
    notes = [f"{none} of {count} runs stayed at the limit"] * bool(none)
    _note(axes, "\n".join(notes + [f"{never} never came back"] * bool(never)))


def _peak_against_energy(axes: Axes, by_key: dict[str, Measure], tripped: Flags) -> None:
    peak_pct, energy = by_key["peak_over_pct"], by_key["energy_over_wh_per_kw"]
    for chosen, colour, label in (
        (~tripped, style.EXPORT, "without a trip"),
        (tripped, style.LIMIT, "with a trip"),
    ):
        if chosen.any():
            told = f"{int(chosen.sum())} runs {label}"
            dots: dict[str, Any] = {"s": 9, "alpha": 0.45, "color": colour, "linewidths": 0}
            axes.scatter(peak_pct.values[chosen], energy.values[chosen], label=told, **dots)
    axes.legend(loc="upper left")
    axes.set_title("Peak against energy above the limit")
    axes.set_xlabel(f"{peak_pct.label} / {peak_pct.unit}")
    axes.set_ylabel(f"{energy.label} / {energy.unit}")
    axes.set_xlim(left=0.0)
    axes.set_ylim(bottom=0.0)


def _harvest(axes: Axes, measure: Measure) -> None:
    """The share of runs at or below each harvest."""
    values = np.sort(measure.values)
    axes.set_title("Harvest of a run")
    axes.set_xlabel("generated within the limit / % of what the limit permitted")
    axes.set_ylabel("share of runs at or below")
    if len(values):
        axes.step(
            values, (np.arange(len(values)) + 1) / len(values), where="post", color=style.GREEN, linewidth=1.8
        )
        axes.set_xlim(min(90.0, float(values[0]) - 1.0), 100.5)
    axes.set_ylim(0.0, 1.02)
    axes.yaxis.set_major_formatter(PercentFormatter(1.0, decimals=0))


def draw_feeder(path: Path, title: str, about: str, found: Sections) -> None:
    """Two panels: duration curves of all sections, and the section with the highest peak by the second.

    Raises:
        OSError: The file cannot be written.
    """
    with style.picture(path, title, about, rows=2, size_in=(11.0, 8.5)) as (curves, worst):
        _durations(curves, found)
        _worst_section(worst, found)


def _durations(axes: Axes, found: Sections) -> None:
    for label, pu, colour, width in (
        ("gross, mean of a second", found.over_pu(found.gross_w), style.SKY, 1.2),
        ("gross, mean of a minute", found.minutes_pu(found.gross_w), style.EXPORT, 2.0),
        ("net, mean of a second", found.over_pu(found.net_w), style.PURPLE, 1.2),
    ):
        values = np.sort(pu.ravel())[::-1]
        shares = (np.arange(len(values)) + 1) / len(values)
        axes.plot(shares, values * 100.0, color=colour, linewidth=width, label=label)
    planning_pct = found.planning_pu(found.gross_w) * 100.0
    top = float(found.peaks_pu(found.gross_w).max()) * 100.0
    axes.axhline(0.0, color=style.GREY, linewidth=0.8)
    style.name_limit(axes, planning_pct, f"99.9 % of the minutes stay below {planning_pct:.2g} % (gross)")
    axes.set_xscale("log")
    axes.set_ylim(-max(top, _LEAST_PCT) * 0.5, max(top, _LEAST_PCT) * 1.1)
    axes.set_title("How much of the time the section exports above the sum of its limits, and by how much")
    axes.set_xlabel("share of the time around the event")
    axes.set_ylabel("above the sum of limits / % of nameplate")
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value * 100:g} %"))
    axes.legend(loc="upper right")


def _worst_section(axes: Axes, found: Sections) -> None:
    worst = int(found.peaks_pu(found.gross_w).argmax())
    gross_pct = found.over_pu(found.gross_w)[worst] * 100.0
    net_pct = found.over_pu(found.net_w)[worst] * 100.0
    minute_pct = found.minutes_pu(found.gross_w)[worst] * 100.0
    common = found.feeder.event == "common"
    at_s = np.arange(len(gross_pct)) + (found.feeder.from_s if common else 0)
    axes.plot(at_s, net_pct, color=style.PURPLE, linewidth=1.0, label="net, mean of a second")
    axes.plot(at_s, gross_pct, color=style.SKY, linewidth=1.2, label="gross, mean of a second")
    axes.plot(
        at_s[MINUTE_S - 1 :],
        minute_pct,
        color=style.EXPORT,
        linewidth=2.0,
        label="gross, mean of the last minute",
    )
    axes.axhline(0.0, color=style.GREY, linewidth=0.8)
    top = max(_LEAST_PCT, float(gross_pct.max()))
    bottom = max(-top * 2.0, min(0.0, float(net_pct.min()) * 1.05)) - 0.02 * top
    axes.set_ylim(bottom, top * 1.1)
    if net_pct.max() < bottom:
        _note(axes, f"net stays below {float(net_pct.max()):.2g} %, off the picture")
    when = "of the run" if common else "of the window"
    axes.set_title(
        f"The section with the highest peak: {found.feeder.sites} sites, {found.limits_w[worst] / 1e3:.0f} kW of limits"
    )
    axes.set_xlabel(f"time {when} / s")
    axes.set_ylabel("above the sum of limits / % of nameplate")
    axes.legend(loc="upper right")


def _note(axes: Axes, text: str) -> None:
    if text:
        axes.text(0.02, 0.03, text, transform=axes.transAxes, color=style.GREY, fontsize=8)
