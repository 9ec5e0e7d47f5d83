"""Whole studies of the real simulator: the same rows whoever runs them, in whatever pieces."""

from __future__ import annotations

import os
import signal
from collections.abc import Generator, Iterator
from pathlib import Path

import pytest
from study_files import FAMILY, FEEDER, tiny_plan, write_study

from sim.study.conduct import conduct, jobs_of
from sim.study.cores import on_cores
from sim.study.errors import WorkersLostError
from sim.study.job import Job, Row, run_job, seeds_of
from sim.study.plan import Plan, load_plan
from sim.study.store import Store


def here(plan: Plan, jobs: Iterator[Job]) -> Generator[Row, None, None]:
    """A runner without processes."""
    for job in jobs:
        yield run_job(plan, job)


def two_cores(plan: Plan, jobs: Iterator[Job]) -> Generator[Row, None, None]:
    return on_cores(plan, jobs, 2)


def ignore(_: Row) -> None:
    """Show no progress."""


def rows(store: Store) -> list[Row]:
    """Everything on the disk, ordered."""
    scalars: list[Row] = store.table().to_pylist()
    seconds = {(row["site"], row["seed"]): row["over_w"] for row in store.rows(("site", "seed", "over_w"))}
    assert len(seconds) == len(scalars), "nothing is there twice"
    return [{**row, "over_w": seconds[row["site"], row["seed"]]} for row in scalars]


@pytest.fixture(scope="module")
def plan(tmp_path_factory: pytest.TempPathFactory) -> Plan:
    return tiny_plan(tmp_path_factory.mktemp("plan"), seeds=2, feeder=FEEDER)


@pytest.fixture(scope="module")
def alone(plan: Plan, tmp_path_factory: pytest.TempPathFactory) -> list[Row]:
    """The rows of the study as one process gets them."""
    store = Store(tmp_path_factory.mktemp("alone"), plan, resume=True)
    conduct(plan, store, here, ignore)
    return rows(store)


def test_every_run_has_a_row_with_its_parameters_and_metrics(plan: Plan, alone: list[Row]) -> None:
    assert [(row["site"], row["seed"]) for row in alone] == [(job.site, job.seed) for job in jobs_of(plan)]
    outcomes = {row["outcome"] for row in alone}
    assert outcomes == {"ran", "refused"}, "the family holds meters that are too slow for the element"
    for row in alone:
        drawn = plan.study.family.drawn(plan.study.seed, row["site"])
        assert {name: row[name] for name in drawn} == drawn
        if row["outcome"] == "ran":
            assert row["duration_s"] == pytest.approx(3.0, abs=0.02)
            assert row["limit_w"] == pytest.approx(drawn["limit_pu"] * drawn["nameplate_w"])
            assert len(row["over_w"]) == 4
        else:
            assert drawn["meter_period_s"] == 1.0
            assert "delay_s" in row["reason"]
            assert row["peak_over_w"] is None


def test_seeds_of_a_site_differ_in_chance_alone(alone: list[Row]) -> None:
    first, second = [row for row in alone if row["outcome"] == "ran"][:2]
    assert first["site"] == second["site"]
    assert first["limit_pu"] == second["limit_pu"]
    assert first["over_w"] != second["over_w"]


def test_two_cores_give_the_same_as_one(plan: Plan, alone: list[Row], tmp_path: Path) -> None:
    store = Store(tmp_path / "out", plan, resume=False)
    told: list[Job] = []
    conduct(plan, store, two_cores, lambda row: told.append(Job(row["site"], row["seed"])))
    assert sorted(told) == list(jobs_of(plan))
    assert rows(store) == alone


def test_a_study_that_is_stopped_keeps_what_it_had_and_does_nothing_twice(
    plan: Plan, alone: list[Row], tmp_path: Path
) -> None:
    def stop_after_three(row: Row) -> None:
        told.append(row)
        if len(told) == 3:
            raise KeyboardInterrupt

    told: list[Row] = []
    with pytest.raises(KeyboardInterrupt):
        conduct(plan, Store(tmp_path / "out", plan, resume=False), two_cores, stop_after_three)
    again = Store(tmp_path / "out", plan, resume=True)
    assert len(again.done) == 3
    conduct(plan, again, here, told.append)
    assert len(told) == len(alone), "three, and then only the others"
    assert rows(again) == alone


def test_a_longer_study_begins_with_the_shorter(plan: Plan, alone: list[Row], tmp_path: Path) -> None:
    fewer = Plan(plan.study.model_copy(update={"sites": 3}), plan.base)
    store = Store(tmp_path / "out", fewer, resume=False)
    conduct(fewer, store, here, ignore)
    assert rows(store) == alone[:6]


def test_a_run_that_breaks_is_a_row_and_the_study_goes_on(tmp_path: Path) -> None:
    path = write_study(tmp_path, family=FAMILY, feeder="")
    scenario = tmp_path / "short.toml"
    text = scenario.read_text()
    assert "transformer_va = 150_000.0" in text
    scenario.write_text(text.replace("transformer_va = 150_000.0", "transformer_va = 1e9"))
    path.write_text(path.read_text().replace("[20e3, 100e3]", "[200e3, 20e3]"))
    plan = load_plan(path)
    found = [run_job(plan, job) for job in jobs_of(plan)]
    broken = [row for row in found if row["outcome"] == "error"]
    assert broken
    assert {row["nameplate_w"] for row in broken} == {200e3}
    assert all("transformer_va" in row["reason"] for row in broken)
    assert "ran" in {row["outcome"] for row in found}


def test_clouds_are_shared_where_the_event_is_common_and_nothing_else_is(tmp_path: Path, plan: Plan) -> None:
    scattered = plan.study
    assert scattered.feeder is not None
    common = scattered.model_copy(update={"feeder": scattered.feeder.model_copy(update={"event": "common"})})
    one, other = seeds_of(common, Job(1, 0)), seeds_of(common, Job(2, 0))
    assert one.weather == other.weather != seeds_of(common, Job(1, 1)).weather
    assert one.own != other.own
    assert seeds_of(scattered, Job(1, 0)).weather != seeds_of(scattered, Job(2, 0)).weather


def die(_: Plan, __: Job) -> Row:
    os.kill(os.getpid(), signal.SIGKILL)
    raise AssertionError


def test_a_killed_worker_ends_the_study_with_a_sentence(plan: Plan, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sim.study.cores.run_job", die)
    with pytest.raises(WorkersLostError, match="died"):
        list(on_cores(plan, jobs_of(plan), 1))
