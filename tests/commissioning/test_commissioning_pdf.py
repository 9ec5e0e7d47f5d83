"""The report's files: the PDF says what an engineer looks for, the CSV has what was recorded."""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Sequence
from pathlib import Path

import pytest
from pypdf import PdfReader

from commissioning import files
from commissioning.declarations import DISCLAIMER, blanks, declarations, means
from commissioning.pdf import render
from commissioning.plots import windows
from commissioning.procedure import ORDER
from contract.records import Test
from contract.report import DeviceRecord, Mark, Measurement, Report, Series, TestResult
from edge.model.site import Site
from edge.model.strict_toml import load

SITE = load(Site, Path(__file__).with_name("quick.site.toml").read_text(), "quick.site.toml")
T_S = tuple(index / 10 for index in range(200))


def series(name: str, unit: str, y: Sequence[float | None]) -> Series:
    return Series(name=name, unit=unit, t_s=T_S, y=tuple(y))


def element_test(**changes: object) -> TestResult:
    export = [24_000.0 if t_s < 12 else -45_000.0 if t_s < 16 else None for t_s in T_S]
    fields: dict[str, object] = {
        "id": "element-32",
        "title": "Export element: pickup, timing and trip",
        "source": "a clause",
        "verdict": "pass",
        "summary": "All is well <& so on>.",
        "started_at": "2026-01-01T00:00:00+00:00",
        "duration_s": 20.0,
        "measurements": (
            Measurement(name="Clearing time", value=1.263, unit="s", allowed="≤ 2", passed=True),
            Measurement(name="Trip and target", value="tripped, target 32", unit="", allowed="", passed=None),
            Measurement(name="Never seen", value=None, unit="s", allowed="≤ 1", passed=False),
        ),
        "series": (
            series("export", "W", export),
            series("export limit", "W", [25_000.0] * 200),
            series("inverter-1 output", "W", [14_000 + 100 * math.sin(t_s) for t_s in T_S]),
            series("inverter-1 limit", "W", [15_000.0] * 200),
            series("coil-2 contact", "closed", [1.0 if t_s < 12 else 0.0 for t_s in T_S]),
            series("pickup", "W", [25_000.0 if t_s < 10 else 17_000.0 for t_s in T_S]),
        ),
        "marks": (Mark(t_s=10.1, text="element picked up"), Mark(t_s=12.0, text="contact open")),
        "restored": True,
    }
    return TestResult.model_validate(fields | changes)


def report(*tests: TestResult, **changes: object) -> Report:
    fields: dict[str, object] = {
        "id": "11111111-2222-3333-4444-555555555555",
        "site": SITE.site.id,
        "site_name": SITE.site.name,
        "method": SITE.agreement.method.value,
        "means": means(SITE),
        "export_limit_w": 25_000.0,
        "declarations": declarations(SITE),
        "blanks": blanks(SITE),
        "site_sha256": "ab" * 32,
        "software": "dergate 0.1.0",
        "started_at": "2026-01-01T00:00:00+00:00",
        "ended_at": "2026-01-01T00:02:00+00:00",
        "time_quality": "holdover",
        "operator": "A. Installer",
        "devices": (
            DeviceRecord(
                name="inverter-1", role="der", manufacturer="Maker", model="M20", version="7",
                serial="SN-0815", nameplate_w=20_000.0,
            ),
        ),
        "tests": tests,
        "verdict": "pass",
        "disclaimer": DISCLAIMER,
    }  # fmt: skip
    return Report.model_validate(fields | changes)


def pages(data: bytes) -> list[str]:
    return [" ".join(page.extract_text().split()) for page in PdfReader(io.BytesIO(data)).pages]


def test_the_pdf_says_what_an_engineer_looks_for() -> None:
    data = render(report(element_test()))
    text = pages(data)
    whole = " ".join(text)
    for words in (
        "PASS",
        "Quick site",
        "25 kW at the point of common coupling",
        "QUICK-1",
        "SN-0815",
        "A. Installer",
        "ab" * 32,
        "clock holdover",
        "Clearing time 1.263 s ≤ 2 PASS",
        "tripped, target 32",
        "All is well <& so on>.",
        "1: element picked up (10.10 s)",
        "Utility witness",
        "not a utility-grade protective relay",
        "certified by a nationally",
        "dergate's limiter and elements",
    ):
        assert words in whole, words
    for number, page in enumerate(text, start=1):
        assert f"page {number} of {len(text)}" in page


def test_every_test_with_series_has_its_plots() -> None:
    test = element_test()
    assert [window.caption for window in windows(test)] == [
        "The whole test",
        "Closer: element picked up (mark 1) to contact open (mark 2)",
    ]
    images = [image for page in PdfReader(io.BytesIO(render(report(test)))).pages for image in page.images]
    assert len(images) == 2
    assert all(image.image is not None and image.image.width >= 7 * 200 for image in images)
    without = PdfReader(io.BytesIO(render(report(element_test(series=())))))
    assert not [image for page in without.pages for image in page.images]


def test_a_report_that_does_not_pass_says_why() -> None:
    failing = element_test(verdict="fail", restored=False, summary="It was late.")
    changes = {"verdict": "fail", "blanks": ("PCS modes",)}
    whole = " ".join(pages(render(report(failing, **changes))))
    for words in (
        "FAIL",
        "It was late.",
        "NOT everything changed was put back",
        "Left blank in the application, which keeps this report from passing: PCS modes.",
        "BLANK",
        f"Not run, which keeps this report from passing: {', '.join(t for t in ORDER if t != 'element-32')}.",
    ):
        assert words in whole, words


def test_the_settings_table_has_required_found_and_verdict() -> None:
    rows = [
        {"der": "inverter-1", "setting": "ES_DELAY", "clause": "4.10.3", "unit": "s", "required": 300.0, "found": 250.0,
         "verdict": "differs", "reason": None},
        {"der": "inverter-2", "setting": "QV_OLRT", "clause": "5.3.3", "unit": "s", "required": 5.0, "found": None,
         "verdict": "not supported", "reason": "it has no model 705"},
    ]  # fmt: skip
    settings = element_test(id="settings", series=(), marks=(), findings=tuple(rows))
    whole = " ".join(pages(render(report(settings))))
    assert "ES_DELAY 4.10.3 300 250 s differs" in whole
    assert (
        "inverter-2: 1 required settings cannot be read over its interface and need other evidence: QV_OLRT."
        in whole
    )


def test_the_files_are_read_again_as_they_were_written(tmp_path: Path) -> None:
    made = report(element_test())
    written = files.write(made, tmp_path / "out")
    assert files.read(written.report) == made
    (path,) = written.series
    with path.open() as file:
        rows = list(csv.reader(file))
    assert rows[0][:3] == ["t_s", "export [W]", "export limit [W]"]
    assert len(rows) == 201
    assert rows[1][:3] == ["0.0", "24000.0", "25000.0"]
    assert rows[200][1] == ""
    assert not list(tmp_path.glob("**/*.part"))


def test_the_portal_takes_it(tmp_path: Path) -> None:
    import base64

    made = report(element_test())
    Test.model_validate(
        {"report": made.model_dump(mode="json"), "pdf_base64": base64.b64encode(render(made)).decode()}
    )


@pytest.mark.parametrize("text", ["", "{}", '{"schema_version": 2}', "[]"])
def test_another_file_is_no_report(tmp_path: Path, text: str) -> None:
    (tmp_path / "r.json").write_text(text)
    with pytest.raises(files.ReportFileError, match="is not a report"):
        files.read(tmp_path / "r.json")
    with pytest.raises(files.ReportFileError, match="No such file"):
        files.read(tmp_path / "none.json")
