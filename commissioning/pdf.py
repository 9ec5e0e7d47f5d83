"""The report as the PDF that an installer hands in: what was declared, found, measured, and the signatures."""

from __future__ import annotations

import io
from typing import Any

from reportlab.lib.pagesizes import letter
from reportlab.lib.units import inch
from reportlab.pdfgen.canvas import Canvas
from reportlab.platypus import BaseDocTemplate, Flowable, Frame, PageTemplate

from commissioning import pdf_parts, pdf_tests
from commissioning.pdf_style import GREY, MARGIN, register_fonts
from contract.report import Report


def render(report: Report) -> bytes:
    """The PDF's bytes."""
    register_fonts()
    file = io.BytesIO()
    document = BaseDocTemplate(
        file,
        pagesize=letter,
        leftMargin=MARGIN,
        rightMargin=MARGIN,
        topMargin=0.7 * inch,
        bottomMargin=0.8 * inch,
        title=f"Commissioning test report, {report.site_name}",
        author=report.operator,
        subject=f"Export limitation, {report.export_limit_w / 1e3:g} kW: {report.verdict}",
        creator=report.software,
    )
    frame = Frame(document.leftMargin, document.bottomMargin, document.width, document.height, 0, 0, 0, 0)
    document.addPageTemplates([PageTemplate(frames=[frame])])
    document.build(_story(report), canvasmaker=_pages_of(report))
    return file.getvalue()


def _story(report: Report) -> list[Flowable]:
    return [
        *pdf_parts.title_block(report),
        *pdf_parts.summary(report),
        *pdf_parts.declared(report),
        *pdf_parts.devices(report),
        *pdf_tests.settings(report),
        *(part for test in report.tests for part in pdf_tests.test(test)),
        *pdf_parts.closing(report),
    ]


def _pages_of(report: Report) -> type[Canvas]:
    """A canvas that knows at the end how many pages there are, and writes every page's foot then."""

    class NumberedCanvas(Canvas):  # type: ignore[misc]  # reportlab is untyped
        def __init__(self, *args: Any, **kwargs: Any) -> None:
            super().__init__(*args, **kwargs)
            self._pages: list[dict[str, Any]] = []

        def showPage(self) -> None:  # noqa: N802 - reportlab's name
            self._pages.append(dict(self.__dict__))
            self._startPage()

        def save(self) -> None:
            for number, page in enumerate(self._pages, start=1):
                self.__dict__.update(page)
                _foot(self, report, number, len(self._pages))
                super().showPage()
            super().save()

    return NumberedCanvas


def _foot(canvas: Canvas, report: Report, number: int, count: int) -> None:
    width, _ = letter
    canvas.setStrokeColor(GREY)
    canvas.setLineWidth(0.4)
    canvas.line(MARGIN, 0.62 * inch, width - MARGIN, 0.62 * inch)
    canvas.setFont("Sans", 6.5)
    canvas.setFillColor(GREY)
    canvas.drawString(MARGIN, 0.48 * inch, f"{report.site_name} ({report.site}) · report {report.id}")
    canvas.drawString(MARGIN, 0.36 * inch, f"site file sha256 {report.site_sha256} · {report.software}")
    canvas.drawRightString(width - MARGIN, 0.48 * inch, f"page {number} of {count}")
