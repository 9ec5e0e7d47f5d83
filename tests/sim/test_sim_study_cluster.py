"""A study on a real Dask cluster on loopback: a scheduler and two workers, one of which is killed midway."""

from __future__ import annotations

import logging
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from study_files import FEEDER, tiny_plan, write_study
from typer.testing import CliRunner

from cli.main import build
from sim.study.cluster import on_cluster
from sim.study.conduct import conduct, jobs_of
from sim.study.errors import NoClusterError, WorkersLostError
from sim.study.job import Job, Row, run_job
from sim.study.plan import Plan
from sim.study.store import Store

pytestmark = pytest.mark.live

START_S = 30.0
END_S = 10.0


@contextmanager
def program(folder: Path, name: str, *arguments: str) -> Iterator[subprocess.Popen[bytes]]:
    """One of Dask's programs; it is ended at the end of the block, and its words are kept in `folder`."""
    with (folder / f"{name}.txt").open("ab") as words:
        command = [sys.executable, "-m", f"distributed.cli.dask_{name}", *arguments, "--host", "127.0.0.1"]
        process = subprocess.Popen([*command, "--no-dashboard"], stdout=words, stderr=words, cwd=folder)
        try:
            yield process
        finally:
            process.terminate()
            try:
                process.wait(END_S)
            except subprocess.TimeoutExpired:
                # A worker whose scheduler is gone may wait for it for ever when it is asked to end.
                process.kill()
                process.wait()


def until(true: Callable[[], bool], words: Path) -> None:
    """Wait for a program to come up."""
    end_s = time.monotonic() + START_S
    while not true():
        assert time.monotonic() < end_s, words.read_text()
        time.sleep(0.05)


@contextmanager
def scheduler(folder: Path) -> Iterator[str]:
    """A scheduler without workers; its address."""
    words = folder / "scheduler.txt"
    with program(folder, "scheduler", "--port", "0"):
        until(lambda: "Scheduler at:" in words.read_text(), words)
        told = next(line for line in words.read_text().splitlines() if "Scheduler at:" in line)
        yield told.split("Scheduler at:")[1].strip()


@contextmanager
def cluster(folder: Path) -> Iterator[tuple[str, list[subprocess.Popen[bytes]]]]:
    """A scheduler with two workers of one thread: its address and the workers."""
    words = folder / "worker.txt"
    plain = ("--nthreads", "1", "--no-nanny", "--local-directory", str(folder))
    with (
        scheduler(folder) as address,
        program(folder, "worker", address, *plain, "--name", "one") as one,
        program(folder, "worker", address, *plain, "--name", "two") as two,
    ):
        until(lambda: words.read_text().count("Registered to:") == 2, words)
        yield address, [one, two]


def rows(store: Store) -> list[Row]:
    found = list(store.rows(store_columns(store)))
    return sorted(found, key=lambda row: (row["site"], row["seed"]))


def store_columns(store: Store) -> list[str]:
    return [*store.table().column_names, "over_w"]


@pytest.fixture(autouse=True)
def _quiet() -> Iterator[None]:
    """What Dask logs about workers that come and go is no concern here."""
    logger = logging.getLogger("distributed")
    before = logger.level
    logger.setLevel(logging.CRITICAL)
    yield
    logger.setLevel(before)


def test_a_worker_killed_midway_loses_nothing_and_doubles_nothing(tmp_path: Path) -> None:
    plan = tiny_plan(tmp_path, sites=14, seeds=2, feeder=FEEDER)
    alone = Store(tmp_path / "alone", plan, resume=False)
    conduct(plan, alone, here, lambda _: None)
    told: list[Job] = []
    store = Store(tmp_path / "out", plan, resume=False)
    with cluster(tmp_path) as (address, workers):

        def kill_one_after_five(row: Row) -> None:
            told.append(Job(row["site"], row["seed"]))
            if len(told) == 5:
                workers[0].send_signal(signal.SIGKILL)

        conduct(plan, store, lambda plan, jobs: on_cluster(plan, jobs, address), kill_one_after_five)
        assert workers[0].wait(START_S) == -signal.SIGKILL
        assert workers[1].poll() is None
    assert sorted(told) == list(jobs_of(plan)), "nothing is lost and nothing comes twice"
    assert rows(store) == rows(alone), "the cluster's result is the machine's"


def here(plan: Plan, jobs: Iterator[Job]) -> Generator[Row, None, None]:
    for job in jobs:
        yield run_job(plan, job)


def test_the_command_runs_on_a_cluster_and_leaves_it_running(tmp_path: Path) -> None:
    with cluster(tmp_path) as (address, workers):
        arguments = ["sim", "study", str(write_study(tmp_path, feeder="")), "--scheduler", address]
        result = CliRunner().invoke(build(), [*arguments, "--out", str(tmp_path / "out")])
        assert result.exit_code == 0, result.output
        assert "6 runs" in result.stdout
        assert [worker.poll() for worker in workers] == [None, None]


def test_a_scheduler_that_is_gone_is_told(tmp_path: Path) -> None:
    plan = tiny_plan(tmp_path, sites=40)
    with cluster(tmp_path) as (address, _):
        found = on_cluster(plan, jobs_of(plan), address)
        next(found)
    with pytest.raises(WorkersLostError):
        list(found)


def test_nobody_at_the_address_is_status_3(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sim.study.cluster.CONNECT_S", 0.5)
    arguments = ["sim", "study", str(write_study(tmp_path)), "--scheduler", "tcp://127.0.0.1:1"]
    result = CliRunner().invoke(build(), [*arguments, "--out", str(tmp_path / "out")])
    assert result.exit_code == 3, result.output
    assert "no Dask scheduler answers" in result.stderr


def test_a_scheduler_without_workers_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sim.study.cluster.CONNECT_S", 2.0)
    plan = tiny_plan(tmp_path)
    with scheduler(tmp_path) as address, pytest.raises(NoClusterError, match="no workers"):
        list(on_cluster(plan, jobs_of(plan), address))
