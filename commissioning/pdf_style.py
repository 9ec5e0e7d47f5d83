"""Fonts, colours and tables of the PDF."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any
from xml.sax.saxutils import escape

import matplotlib as mpl
from reportlab.lib import colors
from reportlab.lib.enums import TA_CENTER
from reportlab.lib.pagesizes import letter
from reportlab.lib.styles import ParagraphStyle
from reportlab.lib.units import inch
from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.ttfonts import TTFont
from reportlab.platypus import Flowable, Paragraph, Table

MARGIN = 0.7 * inch
WIDTH = letter[0] - 2 * MARGIN
INK = colors.HexColor("#1c2733")
GREY = colors.HexColor("#5d6a76")
RULE = colors.HexColor("#c9d1d8")
HEAD = colors.HexColor("#eef2f5")
VERDICTS = {
    "pass": ("PASS", colors.HexColor("#1b7f3b")),
    "fail": ("FAIL", colors.HexColor("#b3151f")),
    "inconclusive": ("INCONCLUSIVE", colors.HexColor("#a35c00")),
    "not-applicable": ("NOT APPLICABLE", GREY),
}

BODY = ParagraphStyle("body", fontName="Sans", fontSize=8.2, leading=10.6, textColor=INK)
SMALL = ParagraphStyle("small", parent=BODY, fontSize=7, leading=8.8)
CELL = ParagraphStyle("cell", parent=BODY, fontSize=7.4, leading=9.2)
CELL_BOLD = ParagraphStyle("cell-bold", parent=CELL, fontName="Sans-Bold")
SECTION = ParagraphStyle(
    "section", parent=BODY, fontName="Sans-Bold", fontSize=11.5, leading=14, spaceBefore=14, spaceAfter=5
)
TITLE = ParagraphStyle("title", parent=BODY, fontName="Sans-Bold", fontSize=17, leading=21)
BADGE = ParagraphStyle(
    "badge",
    parent=BODY,
    fontName="Sans-Bold",
    fontSize=11,
    leading=14,
    textColor=colors.white,
    alignment=TA_CENTER,
)


def register_fonts() -> None:
    """DejaVu Sans, which comes with matplotlib and has the signs (≤, ±) that the PDF's own fonts lack."""
    folder = Path(mpl.get_data_path()) / "fonts" / "ttf"
    for name, file in (("Sans", "DejaVuSans.ttf"), ("Sans-Bold", "DejaVuSans-Bold.ttf")):
        if name not in pdfmetrics.getRegisteredFontNames():
            pdfmetrics.registerFont(TTFont(name, str(folder / file)))
    pdfmetrics.registerFontFamily(
        "Sans", normal="Sans", bold="Sans-Bold", italic="Sans", boldItalic="Sans-Bold"
    )


def text(value: object, style: ParagraphStyle = CELL) -> Paragraph:
    """A paragraph of plain text; None is a dash."""
    return Paragraph("–" if value is None else escape(str(value)), style)


def coloured(value: str, colour: colors.Color, style: ParagraphStyle = CELL_BOLD) -> Paragraph:
    """Plain text in a colour."""
    return Paragraph(f'<font color="#{colour.hexval()[2:]}">{escape(value)}</font>', style)


def verdict(name: str, style: ParagraphStyle = CELL_BOLD) -> Paragraph:
    """A verdict in its colour."""
    return coloured(*VERDICTS[name], style)


def rows(
    head: Sequence[str],
    body: Sequence[Sequence[Any]],
    shares: Sequence[float],
    extra: Sequence[tuple[Any, ...]] = (),
) -> Flowable:
    """A table with a head that repeats on each page; `shares` of the width for the columns."""
    cells = [[_cell(value) for value in row] for row in body]
    table = Table(
        [[text(title, CELL_BOLD) for title in head], *cells],
        colWidths=[WIDTH * share / sum(shares) for share in shares],
        repeatRows=1,
    )
    table.setStyle([*GRID, ("BACKGROUND", (0, 0), (-1, 0), HEAD), *extra])
    return table


def pairs(body: Sequence[tuple[str, Any]], shares: tuple[float, float] = (0.36, 0.64)) -> Flowable:
    """A table of names and values."""
    cells = [[text(name, CELL_BOLD), _cell(value)] for name, value in body]
    table = Table(cells, colWidths=[WIDTH * share for share in shares])
    table.setStyle([*GRID, ("BACKGROUND", (0, 0), (0, -1), HEAD)])
    return table


GRID: list[tuple[Any, ...]] = [
    ("GRID", (0, 0), (-1, -1), 0.4, RULE),
    ("VALIGN", (0, 0), (-1, -1), "TOP"),
    ("TOPPADDING", (0, 0), (-1, -1), 2.2),
    ("BOTTOMPADDING", (0, 0), (-1, -1), 2.8),
    ("LEFTPADDING", (0, 0), (-1, -1), 4),
    ("RIGHTPADDING", (0, 0), (-1, -1), 4),
]


def _cell(value: object) -> Flowable:
    return value if isinstance(value, Flowable) else text(value)
