"""`dergate sim study`: exit statuses, what is printed and what is left on the disk."""

from __future__ import annotations

import json
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest
from study_files import FEEDER, write_study
from typer.testing import CliRunner, Result

from cli import sim_study
from cli.main import build
from sim.study.errors import WorkersLostError
from sim.study.job import Job, Row, run_job
from sim.study.plan import Plan

PNG = b"\x89PNG\r\n"


def one_by_one(plan: Plan, jobs: Iterator[Job], workers: int) -> Iterator[Row]:
    """In this process: the command is what is looked at."""
    for job in jobs:
        yield run_job(plan, job)


@pytest.fixture(autouse=True)
def _here(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sim.study.cores.on_cores", one_by_one)


def call(*arguments: object) -> Result:
    return CliRunner().invoke(build(), ["sim", "study", *map(str, arguments)])


def test_a_study_leaves_a_table_pictures_and_parquet(tmp_path: Path) -> None:
    out = tmp_path / "out"
    result = call(write_study(tmp_path, feeder=FEEDER), "--out", out)
    assert result.exit_code == 0, result.output
    for said in (
        "Does it work?",
        "longest excursion, s",
        "refused by the product",
        "above the sum of limits",
        "6 runs",
    ):
        assert said in result.stdout
    assert (out / "study.png").read_bytes().startswith(PNG)
    assert (out / "feeder.png").read_bytes().startswith(PNG)
    assert [path.name for path in (out / "runs").iterdir()] == ["part-00000.parquet"]


def test_machines_get_json_and_resume_does_only_the_rest(tmp_path: Path) -> None:
    study, out = write_study(tmp_path, feeder=FEEDER), tmp_path / "out"
    first = call(study, "--out", out, "--sites", 2, "--json")
    assert first.exit_code == 0, first.output
    whole = json.loads(call(study, "--out", out, "--json", "--resume").stdout)
    assert whole["runs"]["ran"] + whole["runs"]["refused"] == 6
    assert whole["done_now"] == 4
    assert set(whole["measures"]["harvest_pct"]) == {"unit", "median", "p90", "p99", "worst"}
    assert whole["measures"]["harvest_pct"]["worst"] <= whole["measures"]["harvest_pct"]["median"]
    assert whole["feeder"]["sites"] == 2
    fresh = json.loads(call(study, "--out", tmp_path / "fresh", "--json").stdout)
    assert {key: whole[key] for key in SAME} == {key: fresh[key] for key in SAME}


SAME = ("runs", "refused", "measures", "feeder")


def test_results_are_not_overwritten(tmp_path: Path) -> None:
    study, out = write_study(tmp_path, sites=1, feeder=""), tmp_path / "out"
    assert call(study, "--out", out).exit_code == 0
    again = call(study, "--out", out)
    assert again.exit_code == 2
    assert "--resume" in again.stderr


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("seeds = 1", "seedz = 1", "tiny.toml:5: seedz"),
        ('"short.toml"', '"none.toml"', "none.toml: cannot be read"),
    ],
)
def test_a_refused_file_is_status_2(tmp_path: Path, old: str, new: str, said: str) -> None:
    study = write_study(tmp_path)
    study.write_text(study.read_text().replace(old, new))
    result = call(study, "--out", tmp_path / "out")
    assert result.exit_code == 2
    assert said in result.stderr
    assert not (tmp_path / "out").exists()


def test_a_name_that_is_no_study_is_status_2() -> None:
    result = call("no-such-study")
    assert result.exit_code == 2
    assert "no-such-study: cannot be read" in result.stderr


def test_a_run_that_broke_is_status_1_and_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(plan: Plan, jobs: Iterator[Job], workers: int) -> Iterator[Row]:
        for job in jobs:
            yield {
                "site": job.site,
                "seed": job.seed,
                "outcome": "error",
                "reason": "ValueError: 7 is too much",
            }

    monkeypatch.setattr("sim.study.cores.on_cores", broken)
    result = call(write_study(tmp_path, feeder=FEEDER), "--out", tmp_path / "out")
    assert result.exit_code == 1
    assert "ValueError: 7 is too much" in result.stdout
    assert not (tmp_path / "out" / "study.png").exists(), "there is nothing to draw"
    assert "do not fill one section" in result.stdout


@pytest.mark.parametrize(
    ("error", "said"), [(KeyboardInterrupt(), "stopped"), (WorkersLostError("gone"), "gone")]
)
def test_a_study_that_is_stopped_is_status_1_and_says_how_to_go_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, error: BaseException, said: str
) -> None:
    def stopped(plan: Plan, jobs: Iterator[Job], workers: int) -> Iterator[Row]:
        yield run_job(plan, next(jobs))
        raise error

    monkeypatch.setattr("sim.study.cores.on_cores", stopped)
    result = call(write_study(tmp_path, feeder=""), "--out", tmp_path / "out", "--json")
    assert result.exit_code == 1
    assert f"{said}; {tmp_path / 'out'} keeps what was done, --resume goes on" in result.stderr
    assert sum(json.loads(result.stdout)["runs"].values()) == 1


@pytest.mark.parametrize(
    ("module", "extra"), [("pyarrow", "study"), ("distributed", "study"), ("matplotlib", "sim")]
)
def test_a_missing_extra_is_named(monkeypatch: pytest.MonkeyPatch, module: str, extra: str) -> None:
    def without(name: str) -> Any:
        return None if name == module else find_spec(name)

    monkeypatch.setattr(sim_study, "find_spec", without)
    result = call("load-drops", "--scheduler", "tcp://127.0.0.1:1")
    assert result.exit_code == 2
    assert f"a study needs {module}: install the extra {extra!r}" in result.stderr


def test_a_folder_that_cannot_be_is_status_2_and_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    result = call(write_study(tmp_path, sites=1, feeder=""), "--out", tmp_path / "file" / "out")
    assert result.exit_code == 2
    assert f"{tmp_path}/file/out: cannot be written: Not a directory" in result.output.replace("\n", "")
