"""What `dergate sim study` prints: tables for people, an object for machines."""

from __future__ import annotations

import math
from collections import Counter
from typing import Any

import numpy as np
from rich.box import SIMPLE_HEAD
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from sim.study.feeder import Sections
from sim.study.file import StudyFile
from sim.study.summary import SHARES, Summary

_KEYS = ("median", "p90", "p99", "worst")
_FEEDER_MEANS = (
    "gross adds up what sites export above their own limits, as if all others sat at theirs: planning that counts"
    " the sum of limits adds this. net lets sites below their limits make room."
)
_FEEDER_NOT = (
    "It is a share of the time around the event, not of a year; lines, losses and voltage between the sites are not"
    " in it."
)


def as_object(study: StudyFile, summary: Summary, feeder: Sections | None) -> dict[str, Any]:
    """The same for machines; what never ended is "never", what was not there to measure is null."""
    return {
        "study": study.name,
        "sites": study.sites,
        "seeds": study.seeds,
        "runs": summary.outcomes,
        "refused": dict(summary.refused),
        "errors": dict(summary.errors),
        "measures": {
            measure.key: {
                "unit": measure.unit,
                **{key: _plain(measure.at(share)) for key, share in zip(_KEYS, SHARES, strict=True)},
            }
            for measure in summary.measures
        },
        "runs_above_2_s": summary.above_2_s,
        "runs_above_30_s": summary.above_30_s,
        "runs_with_trip": summary.with_trip,
        "runs_with_fallback": summary.with_fallback,
        "runs_with_lost_sensing": summary.with_lost_sensing,
        "feeder": None if feeder is None else _feeder_object(feeder),
    }


def as_table(study: StudyFile, summary: Summary, feeder: Sections | None) -> RenderableType:
    """What a person reads."""
    parts: list[RenderableType] = [Text(f"\n{study.asks}", "bold"), _measures(summary), _counts(summary)]
    for title, reasons in (("refused by the product", summary.refused), ("broke", summary.errors)):
        if reasons:
            parts.append(_reasons(title, reasons))
    if feeder is not None:
        parts += [_feeder(feeder), Text(f"{_FEEDER_MEANS} {_FEEDER_NOT}\n", "dim")]
    elif study.feeder is not None:
        parts.append(Text(f"\nThe sites do not fill one section of {study.feeder.sites}.\n", "yellow"))
    return Group(*parts)


def _measures(summary: Summary) -> Table:
    table = Table(box=SIMPLE_HEAD)
    table.add_column("of each run", no_wrap=True)
    for column in ("median", "90 %", "99 %", "worst"):
        table.add_column(column, justify="right", no_wrap=True)
    for measure in summary.measures:
        label = f"{measure.label}, {measure.unit}"
        table.add_row(label, *[_said(measure.at(share)) for share in SHARES])
    return table


def _counts(summary: Summary) -> Text:
    of = f"of {summary.ran} runs"
    counts = (
        (summary.above_2_s, "with an excursion above 2 s"),
        (summary.above_30_s, "above 30 s"),
        (summary.with_trip, "with a trip"),
        (summary.with_fallback, "with a fallback"),
        (summary.with_lost_sensing, "with lost sensing"),
    )
    return Text(f"{of}: " + ", ".join(f"{count} {what}" for count, what in counts) + "\n")


def _reasons(title: str, reasons: Counter[str]) -> Table:
    table = Table(box=SIMPLE_HEAD)
    table.add_column("runs", justify="right")
    table.add_column(f"{title}, with the numbers of the first")
    for reason, count in reasons.most_common():
        table.add_row(str(count), Text(reason))
    return table


def _feeder(found: Sections) -> Table:
    """Gross beside net, as per cent of the nameplate behind a section and of the sum of its limits."""
    how = "at one moment" if found.feeder.event == "common" else f"at random within {found.feeder.window_s} s"
    left = f", {found.left_out} left out because a run broke" if found.left_out else ""
    table = Table(
        box=SIMPLE_HEAD,
        title=f"{found.count} sections of {found.feeder.sites} sites, the event {how}{left}",
        title_justify="left",
        title_style="bold",
    )
    table.add_column("above the sum of limits", no_wrap=True)
    for column in ("gross, % of nameplate", "net, % of nameplate", "gross, % of limits"):
        table.add_column(column, justify="right", max_width=12)
    for label, gross, net, of_limits in _feeder_rows(found):
        table.add_row(label, _said(gross * 100), _said(net * 100), _said(of_limits * 100))
    coincidence = found.coincidence
    if coincidence.size:
        said = f"{float(np.median(coincidence)):.2g}, at most {float(coincidence.max()):.2g}"
        table.caption = f"coincidence: the section's peak is {said} of the sum of its sites' own peaks"
        table.caption_justify = "left"
    return table


def _feeder_rows(found: Sections) -> list[tuple[str, float, float, float]]:
    gross, net = found.peaks_pu(found.gross_w), found.peaks_pu(found.net_w)
    per_limits = found.per_limits
    return [
        (
            "peak of a second, median section",
            *_pair(gross, net, 0.5),
            _quantile(gross * per_limits, 0.5),
        ),
        ("peak of a second, worst section", *_pair(gross, net, 1.0), _quantile(gross * per_limits, 1.0)),
        (
            "mean of a minute, 99.9 % of them",
            found.planning_pu(found.gross_w),
            found.planning_pu(found.net_w),
            found.planning_of_limits,
        ),
    ]


def _pair(gross: Any, net: Any, share: float) -> tuple[float, float]:
    return _quantile(gross, share), _quantile(net, share)


def _quantile(values: Any, share: float) -> float:
    return float(np.quantile(values, share, method="higher"))


def _feeder_object(found: Sections) -> dict[str, Any]:
    return {
        "sections": found.count,
        "sites": found.feeder.sites,
        "event": found.feeder.event,
        "left_out": found.left_out,
        "coincidence": _plain(float(np.median(found.coincidence))) if found.coincidence.size else None,
        "above_sum_of_limits": [
            {
                "what": label,
                "gross_pu_nameplate": gross,
                "net_pu_nameplate": net,
                "gross_pu_limits": _plain(limits),
            }
            for label, gross, net, limits in _feeder_rows(found)
        ],
    }


def _plain(value: float | None) -> float | str | None:
    if value is None or math.isnan(value):
        return None
    return "never" if math.isinf(value) else value


def _said(value: float | None) -> str:
    if value is None or math.isnan(value):
        return "–"
    return "never" if math.isinf(value) else f"{value:.3g}" if abs(value) < 100 else f"{value:.0f}"
