"""The commands: each mistake gets one sentence and its exit status."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
import typer
from test_commissioning_pdf import element_test, report
from typer.testing import CliRunner

from cli import report as report_command
from cli.commission import commission
from commissioning.journal import NAME, Journal

SITE = Path(__file__).with_name("quick.site.toml")
app = typer.Typer()
app.command()(commission)


@pytest.fixture(autouse=True)
def _no_agent(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DERGATE_RUNTIME_DIR", str(tmp_path / "run"))


@pytest.fixture
def site(tmp_path: Path) -> Path:
    return Path(shutil.copy(SITE, tmp_path))


def ended(*arguments: str | Path) -> tuple[int, str]:
    done = CliRunner().invoke(app, [str(argument) for argument in arguments])
    assert done.exception is None or isinstance(done.exception, SystemExit), done.exception
    return done.exit_code, done.output


def test_no_agent(site: Path, tmp_path: Path) -> None:
    status, said = ended(site, "--out", tmp_path / "out")
    assert status == 3
    assert "no agent is running for this site" in said


def test_no_agent_to_restore_through(site: Path) -> None:
    status, said = ended(site, "--restore-only")
    assert status == 3
    assert "no agent is running for this site" in said


def test_no_place_for_the_report_is_told_at_once(site: Path) -> None:
    assert ended(site) == (2, "--out DIR is needed: where the report goes\n")


def test_a_place_that_cannot_be_written(site: Path, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    status, said = ended(site, "--out", tmp_path / "file")
    assert status == 3
    assert "the report cannot be written there" in said


def test_an_unknown_test(site: Path, tmp_path: Path) -> None:
    status, said = ended(site, "--out", tmp_path, "--tests", "identity,smoke")
    assert status == 2
    assert "no test is named smoke; there are identity, settings" in said


def test_a_refused_site_file(site: Path, tmp_path: Path) -> None:
    site.write_text(site.read_text().replace("export_limit_w", "export_limt_w"))
    status, said = ended(site, "--out", tmp_path)
    assert status == 2
    assert "did you mean 'export_limit_w'?" in said


def test_a_missing_site_file(tmp_path: Path) -> None:
    assert ended(tmp_path / "none.toml", "--out", tmp_path)[0] == 2


def test_a_second_run(site: Path, tmp_path: Path) -> None:
    with Journal(tmp_path / "quick.site.state" / NAME):
        status, said = ended(site, "--out", tmp_path / "out")
    assert status == 3
    assert "another commissioning run is under way" in said


def test_a_damaged_journal(site: Path, tmp_path: Path) -> None:
    (tmp_path / "quick.site.state").mkdir()
    (tmp_path / "quick.site.state" / NAME).write_text("nonsense\n")
    status, said = ended(site, "--out", tmp_path / "out")
    assert status == 3
    assert "the journal is damaged" in said


def shown(*arguments: str | Path) -> tuple[int, str]:
    done = CliRunner().invoke(report_command.app, [str(argument) for argument in arguments])
    assert done.exception is None or isinstance(done.exception, SystemExit), done.exception
    return done.exit_code, done.output


def test_a_report_is_shown_and_its_pdf_made_again(tmp_path: Path) -> None:
    file = tmp_path / "report.json"
    file.write_text(report(element_test()).model_dump_json())
    status, said = shown("show", file)
    assert status == 0
    assert "Not run, so the report as a whole does not pass: identity" in " ".join(said.split())
    assert json.loads(shown("show", file, "--json")[1])["site"] == "quick-site"
    assert shown("pdf", file) == (0, f"{tmp_path / 'report.pdf'}\n")
    assert (tmp_path / "report.pdf").read_bytes().startswith(b"%PDF-")


def test_what_is_no_report(tmp_path: Path) -> None:
    (tmp_path / "r.json").write_text("{}")
    assert shown("show", tmp_path / "r.json")[0] == 2
    assert shown("pdf", tmp_path / "none.json")[0] == 2
