"""The report's files: report.json, report.pdf and a CSV for each test's series."""

from __future__ import annotations

import csv
import io
import os
from dataclasses import dataclass
from pathlib import Path

from pydantic import ValidationError

from commissioning.pdf import render
from contract.report import Report, TestResult


class ReportFileError(Exception):
    """A file that is no report; the message is one sentence."""


@dataclass(frozen=True, slots=True)
class Written:
    """Where the report lies."""

    report: Path
    pdf: Path
    series: tuple[Path, ...]


def write(report: Report, folder: Path) -> Written:
    """Write all files of `report` into `folder`, the JSON first: it is the evidence, the rest shows it.

    Raises:
        OSError: The folder cannot be written.
    """
    folder.mkdir(parents=True, exist_ok=True)
    json_file, pdf_file = folder / "report.json", folder / "report.pdf"
    _put(json_file, report.model_dump_json(indent=1).encode())
    with_series = [test for test in report.tests if test.series]
    series = tuple(folder / "series" / f"{test.id}.csv" for test in with_series)
    for test, path in zip(with_series, series, strict=True):
        path.parent.mkdir(exist_ok=True)
        _put(path, table(test).encode())
    _put(pdf_file, render(report))
    return Written(json_file, pdf_file, series)


def read(path: Path) -> Report:
    """The report in a report.json.

    Raises:
        ReportFileError: It is none, or cannot be read.
    """
    try:
        return Report.model_validate_json(path.read_bytes())
    except OSError as error:
        raise ReportFileError(f"{path}: {error.strerror}") from error
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        where = ".".join(str(part) for part in first["loc"])
        raise ReportFileError(f"{path}: is not a report: {where}: {first['msg']}") from error


def table(test: TestResult) -> str:
    """A test's series as CSV: time, then one column for each series with its unit; empty where nothing is known."""
    text = io.StringIO()
    rows = csv.writer(text, lineterminator="\n")
    rows.writerow(["t_s", *(f"{series.name} [{series.unit}]" for series in test.series)])
    columns = [series.y for series in test.series]
    for t_s, *values in zip(test.series[0].t_s, *columns, strict=True):
        rows.writerow([t_s, *("" if value is None else value for value in values)])
    return text.getvalue()


def _put(path: Path, data: bytes) -> None:
    """Whole or not at all, and on the disk."""
    part = path.with_name(f"{path.name}.part")
    with part.open("wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    part.replace(path)
