"""`dergate commission`: run the commissioning tests of a site through its agent, and make the report."""

from __future__ import annotations

import asyncio
import getpass
import json
from collections.abc import Coroutine
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, TypeVar

import typer

from cli import exits
from cli.told import until_told

if TYPE_CHECKING:
    from commissioning.files import Written
    from commissioning.procedure import Procedure
    from commissioning.session import SiteFile
    from contract.report import Report

T = TypeVar("T")

_RECORD_TIMEOUT_S = 30.0


def commission(
    site_file: Annotated[Path, typer.Argument(metavar="SITE.toml", help="The site file.")],
    out: Annotated[
        Path | None,
        typer.Option("--out", metavar="DIR", help="Where report.json, report.pdf and series/ go."),
    ] = None,
    tests: Annotated[
        str | None,
        typer.Option(
            "--tests", metavar="ID,ID", help="Only these tests; the report of a part does not pass."
        ),
    ] = None,
    operator: Annotated[str | None, typer.Option("--operator", metavar="NAME", help="Who tests.")] = None,
    restore_only: Annotated[
        bool, typer.Option("--restore-only", help="Only put back what an interrupted run left changed.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Test a site and write the report that an installer hands in. The agent must be running."""
    file = _site_file(site_file)
    if restore_only:
        _restore(file, as_json=as_json)
        return
    if out is None:
        exits.fail(exits.REFUSED, "--out DIR is needed: where the report goes")
    procedures = _procedures(tests)
    _usable(out)
    report = _guarded(_commission(file, procedures, operator or getpass.getuser()))
    _deliver(file, report, out, as_json=as_json)


def _restore(file: SiteFile, *, as_json: bool) -> None:
    from commissioning.session import restore

    count = _guarded(restore(file, _connect(file)))
    done = f"{count} changes were put back" if count else "nothing was left to put back"
    print(json.dumps({"restored": count}) if as_json else done)


def _deliver(file: SiteFile, report: Report, out: Path, *, as_json: bool) -> None:
    """Write the files, hand the report to the agent for the portal, and end with the verdict's status."""
    from commissioning import files

    written = files.write(report, out)
    seq, unsent = asyncio.run(_record(file, report, written))
    if as_json:
        print(json.dumps(_summary(report, written, seq)))
    else:
        _print(report, written)
    if unsent is not None:
        exits.fail(
            exits.PROBLEM, f"the report is written, but the agent did not take it for the portal: {unsent}"
        )
    passed = all(test.verdict in ("pass", "not-applicable") for test in report.tests)
    if not passed or report.blanks:
        raise typer.Exit(exits.PROBLEM)


def _site_file(path: Path) -> SiteFile:
    from commissioning.session import SiteFile

    return SiteFile.of(path, exits.read_text(path), exits.read_site(path))


def _procedures(tests: str | None) -> list[Procedure]:
    from commissioning.procedure import shipped
    from edge.model.strict_toml import FileRefusedError

    try:
        known = shipped()
    except FileRefusedError as error:
        exits.fail(exits.REFUSED, *error.problems)
    wanted = list(known) if tests is None else [name.strip() for name in tests.split(",")]
    unknown = [name for name in wanted if name not in known]
    if unknown:
        exits.fail(exits.REFUSED, f"no test is named {', '.join(unknown)}; there are {', '.join(known)}")
    return [procedure for name, procedure in known.items() if name in wanted]


def _usable(folder: Path) -> None:
    """Find out before the tests, not after them, that the report cannot be made or written."""
    try:
        import commissioning.pdf  # noqa: F401 - is it there?
    except ModuleNotFoundError as error:
        exits.fail(exits.PROBLEM, f"{error.name} is missing, which the report needs: install dergate[report]")
    probe = folder / ".writable"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        probe.write_bytes(b"")
        probe.unlink()
    except OSError as error:
        exits.fail(exits.UNREACHABLE, f"{folder}: the report cannot be written there: {error.strerror}")


def _connect(file: SiteFile) -> Any:
    from contract.client import AgentClient, socket_path

    return lambda: AgentClient(socket_path(file.path))


async def _commission(file: SiteFile, procedures: list[Procedure], operator: str) -> Report:
    from rich.console import Console

    from cli.commission_progress import Shown
    from commissioning.session import commission as run

    console = Console(stderr=True)
    with console.status("connecting") as status:
        return await run(file, _connect(file), procedures, Shown(console, status), operator)


def _guarded(work: Coroutine[Any, Any, T]) -> T:
    """Run it; every way in which it can end badly is one sentence. Interrupted, it puts back and then ends."""
    from commissioning.changes import UnrestoredError
    from commissioning.journal import BusyError, JournalError
    from commissioning.session import OtherSiteError
    from contract.client import AgentRefusedError, AgentUnreachableError

    try:
        return asyncio.run(until_told(work))
    except AgentUnreachableError as error:
        exits.fail(exits.UNREACHABLE, f"{error}; start it with: dergate run SITE.toml")
    except (BusyError, JournalError) as error:
        exits.fail(exits.UNREACHABLE, str(error))
    except (UnrestoredError, OtherSiteError, AgentRefusedError) as error:
        exits.fail(exits.PROBLEM, str(error))
    except (KeyboardInterrupt, asyncio.CancelledError):
        exits.fail(
            exits.PROBLEM, "interrupted; everything that was changed has been put back, no report was made"
        )


async def _record(file: SiteFile, report: Report, written: Written) -> tuple[int | None, str | None]:
    """Put the report into the agent's spool: its sequence number, or why not."""
    import base64

    from contract.client import AgentClient, AgentRefusedError, AgentUnreachableError, socket_path
    from contract.socket import Recorded, RecordRequest

    payload = {
        "report": report.model_dump(mode="json"),
        "pdf_base64": base64.b64encode(written.pdf.read_bytes()).decode(),
    }
    try:
        async with AgentClient(socket_path(file.path)) as agent:
            request = RecordRequest(kind="test", payload=payload)
            return (await agent.ask(request, Recorded, _RECORD_TIMEOUT_S)).seq, None
    except (AgentRefusedError, AgentUnreachableError) as error:
        return None, str(error)


def _summary(report: Report, written: Written, seq: int | None) -> dict[str, Any]:
    return {
        "id": report.id,
        "verdict": report.verdict,
        "report": str(written.report),
        "pdf": str(written.pdf),
        "series": [str(path) for path in written.series],
        "recorded_seq": seq,
        "blanks": list(report.blanks),
        "tests": [
            {"id": test.id, "verdict": test.verdict, "summary": test.summary, "restored": test.restored}
            for test in report.tests
        ],
    }


def _print(report: Report, written: Written) -> None:
    from cli.report import show_report

    show_report(report)
    print(f"{written.pdf}\n{written.report}")
