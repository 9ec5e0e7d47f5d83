"""The tests in the PDF: the settings table, and for each test what was measured, its plots and marks."""

from __future__ import annotations

import io
from collections.abc import Sequence
from typing import Any

from reportlab.platypus import Flowable, Image, KeepTogether, Spacer

from commissioning.pdf_style import (
    BODY,
    CELL,
    CELL_BOLD,
    GREY,
    SECTION,
    SMALL,
    VERDICTS,
    WIDTH,
    coloured,
    rows,
    text,
    verdict,
)
from commissioning.plots import draw, windows
from contract.report import Measurement, Report, TestResult

_SHORT = {
    "match": "pass",
    "differs": "fail",
    "not readable": "inconclusive",
    "not supported": "not-applicable",
}

_ENOUGH = 3
"""Fewer points than this make no plot."""


def settings(report: Report) -> list[Flowable]:
    """Required against found, DER by DER."""
    found = next((test.findings for test in report.tests if test.id == "settings"), ())
    if not found:
        return []
    parts: list[Flowable] = [text("Settings: required against found", SECTION)]
    for der in dict.fromkeys(str(row["der"]) for row in found):
        mine = [row for row in found if row["der"] == der]
        offered = [row for row in mine if row["verdict"] != "not supported"]
        others = [row for row in mine if row["verdict"] == "not supported"]
        if offered:
            body = [_setting(row) for row in offered]
            head = ["Setting", "Clause", "Required", "Found", "Unit", "Verdict"]
            parts += [
                text(der, CELL_BOLD),
                rows(head, body, [0.28, 0.16, 0.14, 0.14, 0.12, 0.16]),
                Spacer(0, 5),
            ]
        parts += _not_offered(der, others)
    return parts


def test(result: TestResult) -> list[Flowable]:
    """One test: head, measured against allowed, plots, marks."""
    head: list[Flowable] = [
        text(result.title, SECTION),
        verdict(result.verdict, CELL_BOLD),
        text(result.summary, BODY),
        text(
            f"{result.source}. Begun {result.started_at}, took {result.duration_s:g} s. "
            f"{'Everything changed was put back.' if result.restored else 'NOT everything changed was put back.'}",
            SMALL,
        ),
        Spacer(0, 4),
    ]
    if result.measurements:
        head += [_measurements(result.measurements), Spacer(0, 6)]
    if not result.series or len(result.series[0].t_s) < _ENOUGH:
        return [KeepTogether(head)]
    first, *others = _plots(result)
    return [KeepTogether([*head, *first]), *(KeepTogether(plot) for plot in others), *_marks(result)]


def _plots(result: TestResult) -> list[list[Flowable]]:
    plots: list[list[Flowable]] = []
    for window in windows(result):
        png, ratio = draw(result, window)
        image = Image(io.BytesIO(png), width=WIDTH, height=WIDTH * ratio)
        plots.append([text(window.caption, SMALL), image, Spacer(0, 3)])
    return plots


def _marks(result: TestResult) -> list[Flowable]:
    if not result.marks:
        return []
    told = ", ".join(
        f"{number}: {mark.text} ({mark.t_s:.2f} s)" for number, mark in enumerate(result.marks, 1)
    )
    return [text(f"Marks: {told}", SMALL), Spacer(0, 4)]


def _measurements(measured: Sequence[Measurement]) -> Flowable:
    body = [
        [item.name, _value(item.value), item.unit, item.allowed or None, _passed(item.passed)]
        for item in measured
    ]
    return rows(["Measured", "Value", "Unit", "Allowed", ""], body, [0.46, 0.17, 0.08, 0.17, 0.12])


def _not_offered(der: str, found: Sequence[dict[str, Any]]) -> list[Flowable]:
    """Settings that the DER has no register for; utilities want other evidence for these."""
    if not found:
        return []
    labels = ", ".join(str(row["setting"]) for row in found)
    words = f"{der}: {len(found)} required settings cannot be read over its interface and need other evidence: {labels}."
    return [text(words, SMALL), Spacer(0, 6)]


def _setting(row: dict[str, Any]) -> list[Any]:
    words = [row["setting"]] if row["reason"] is None else [f"{row['setting']} ({row['reason']})"]
    short = _SHORT.get(str(row["verdict"]), "inconclusive")
    colour = VERDICTS[short][1]
    return [
        *words,
        row["clause"],
        _value(row["required"]),
        _value(row["found"]),
        row["unit"],
        coloured(str(row["verdict"]), colour),
    ]


def _value(value: object) -> str | None:
    if isinstance(value, bool):
        return "on" if value else "off"
    if isinstance(value, float):
        return f"{value:,.0f}".replace(",", " ") if abs(value) >= 1000 else f"{value:.4g}"
    return None if value is None else str(value)


def _passed(passed: bool | None) -> Flowable:
    if passed is None:
        return coloured("reported", GREY, CELL)
    return verdict("pass" if passed else "fail")
