"""The report's general parts: title block, summary, declarations, devices, signatures."""

from __future__ import annotations

from reportlab.lib.units import inch
from reportlab.platypus import CondPageBreak, Flowable, KeepTogether, Spacer, Table

from commissioning.pdf_style import (
    BADGE,
    BODY,
    GRID,
    INK,
    RULE,
    SECTION,
    SMALL,
    TITLE,
    VERDICTS,
    WIDTH,
    coloured,
    pairs,
    rows,
    text,
    verdict,
)
from commissioning.procedure import not_run
from contract.report import Report


def title_block(report: Report) -> list[Flowable]:
    """What this is, of which site, and how it ended."""
    word, colour = VERDICTS[report.verdict]
    head = Table(
        [
            [
                [
                    text("Commissioning test report", TITLE),
                    text("Limited-export distributed energy resource", BODY),
                ],
                text(word, BADGE),
            ]
        ],
        colWidths=[WIDTH * 0.74, WIDTH * 0.26],
    )
    head.setStyle(
        [
            ("BACKGROUND", (1, 0), (1, 0), colour),
            ("VALIGN", (0, 0), (-1, -1), "MIDDLE"),
            ("LEFTPADDING", (0, 0), (0, 0), 0),
            ("LINEBELOW", (0, 0), (0, 0), 1.2, INK),
            ("BOTTOMPADDING", (0, 0), (-1, -1), 8),
        ]
    )
    facts = pairs(
        [
            ("Site", f"{report.site_name} ({report.site})"),
            ("Export limit in force", f"{report.export_limit_w / 1e3:g} kW at the point of common coupling"),
            ("Means of export limitation", report.means),
            (
                "Tests begun, ended (UTC)",
                f"{report.started_at}, {report.ended_at}; clock {report.time_quality}",
            ),
            ("Tested by", report.operator),
            ("Site file, SHA-256", report.site_sha256),
            ("Software", report.software),
            ("Report", report.id),
        ]
    )
    return [head, Spacer(0, 8), facts, Spacer(0, 6), text(report.disclaimer, SMALL)]


def summary(report: Report) -> list[Flowable]:
    """Every test with its verdict, and what blocks the report."""
    body = [
        [
            str(number),
            test.title,
            verdict(test.verdict),
            test.summary,
            "yes" if test.restored else coloured("NO", VERDICTS["fail"][1]),
        ]
        for number, test in enumerate(report.tests, start=1)
    ]
    parts: list[Flowable] = [
        text("Summary", SECTION),
        rows(["", "Test", "Verdict", "Result", "Put back"], body, [0.04, 0.27, 0.15, 0.45, 0.09]),
    ]
    amber = VERDICTS["inconclusive"][1]
    if report.blanks:
        told = f"Left blank in the application, which keeps this report from passing: {'; '.join(report.blanks)}."
        parts += [Spacer(0, 6), coloured(told, amber)]
    if missing := not_run(report.tests):
        told = f"Not run, which keeps this report from passing: {', '.join(missing)}."
        parts += [Spacer(0, 6), coloured(told, amber)]
    return parts


def declared(report: Report) -> list[Flowable]:
    """The application's declarations about export control."""
    missing = coloured("BLANK", VERDICTS["fail"][1])
    body = [
        (field, missing if field in report.blanks else _answer(value))
        for field, value in report.declarations.items()
    ]
    source = (
        "Fields of the interconnection application: IREC 2023 Attachment 2 §2.b, Attachment 3 §2.b and c."
    )
    return [
        CondPageBreak(1.6 * inch),
        text("Declared export control", SECTION),
        pairs(body),
        Spacer(0, 3),
        text(source, SMALL),
    ]


def devices(report: Report) -> list[Flowable]:
    """The devices as they were found."""
    body = [
        [
            device.name,
            device.role,
            device.manufacturer,
            device.model,
            device.version,
            device.serial,
            None if device.nameplate_w is None else f"{device.nameplate_w / 1e3:g} kW",
        ]
        for device in report.devices
    ]
    head = ["Device", "Role", "Maker", "Model", "Version", "Serial number", "Rating"]
    return [
        KeepTogether(
            [text("Devices as found", SECTION), rows(head, body, [0.15, 0.13, 0.16, 0.19, 0.11, 0.16, 0.1])]
        )
    ]


def closing(report: Report) -> list[Flowable]:
    """Signatures, and once more what this is not."""
    lines = [[text(who, BODY), "", "", ""] for who in ("Installer", "Utility witness (or waiver)")]
    table = Table(
        [[text("", BODY), text("Name", SMALL), text("Signature", SMALL), text("Date", SMALL)], *lines],
        colWidths=[WIDTH * share for share in (0.22, 0.28, 0.32, 0.18)],
        rowHeights=[0.2 * inch, 0.48 * inch, 0.48 * inch],
    )
    table.setStyle([*GRID, ("GRID", (0, 0), (-1, -1), 0.4, RULE), ("VALIGN", (0, 0), (-1, -1), "BOTTOM")])
    words = (
        "The tests above were run on the equipment named in this report, against the site file with the hash given. "
        "Powers are as the meter and the DERs showed them over their own interfaces; no calibrated instrument took part."
    )
    return [
        KeepTogether(
            [
                text("Signatures", SECTION),
                text(words, BODY),
                Spacer(0, 6),
                table,
                Spacer(0, 6),
                text(f"Means: {report.means}. {report.disclaimer}", SMALL),
            ]
        )
    ]


def _answer(value: object) -> str:
    if value is None:
        return "not declared"
    return f"{value:g}" if isinstance(value, float) else str(value)
