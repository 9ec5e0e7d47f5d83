"""`dergate report`: show a commissioning report, or make its PDF again."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from cli import exits

if TYPE_CHECKING:
    from contract.report import Report

app = typer.Typer(no_args_is_help=True, help="Commissioning reports: show one, or make its PDF again.")

ReportFile = Annotated[Path, typer.Argument(metavar="FILE", help="A report.json.")]


@app.command()
def show(
    file: ReportFile, as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False
) -> None:
    """Show a report's verdicts."""
    report = _read(file)
    if as_json:
        print(report.model_dump_json())
    else:
        show_report(report)


@app.command()
def pdf(
    file: ReportFile,
    out: Annotated[Path | None, typer.Option("--out", help="The PDF; default: beside the report.")] = None,
) -> None:
    """Make the PDF of a report again."""
    from commissioning.pdf import render

    target = out or file.with_suffix(".pdf")
    data = render(_read(file))
    try:
        target.write_bytes(data)
    except OSError as error:
        exits.fail(exits.UNREACHABLE, f"{target}: {error.strerror}")
    print(target)


def show_report(report: Report) -> None:
    """Print the verdicts as a table."""
    from rich.console import Console
    from rich.markup import escape
    from rich.table import Table

    from cli.commission_progress import COLOURS
    from commissioning.procedure import not_run

    console = Console()
    table = Table(
        title=f"{escape(report.site_name)}: [{COLOURS[report.verdict]}]{report.verdict}[/]",
        title_justify="left",
    )
    for head in ("test", "verdict", "result"):
        table.add_column(head, overflow="fold")
    for test in report.tests:
        table.add_row(escape(test.id), f"[{COLOURS[test.verdict]}]{test.verdict}[/]", escape(test.summary))
    console.print(table)
    if report.blanks:
        console.print(f"[yellow]Left blank in the application: {escape('; '.join(report.blanks))}[/]")
    if missing := not_run(report.tests):
        console.print(f"[yellow]Not run, so the report as a whole does not pass: {', '.join(missing)}[/]")
    console.print(escape(report.disclaimer), style="dim")


def _read(file: Path) -> Report:
    from commissioning.files import ReportFileError, read

    try:
        return read(file)
    except ReportFileError as error:
        exits.fail(exits.REFUSED, str(error))
