"""Results on the disk: typed, in whole files, for one study only, and gone on with where they ended."""

from __future__ import annotations

import math
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from study_files import FEEDER, tiny_plan

from sim.study import store as store_module
from sim.study.job import Job, Row
from sim.study.plan import Plan
from sim.study.store import OtherStudyError, Store, schema


@pytest.fixture
def plan(tmp_path: Path) -> Plan:
    return tiny_plan(tmp_path)


def row(site: int, seed: int = 0, **more: object) -> Row:
    return {"site": site, "seed": seed, "outcome": "ran", "nameplate_w": 20_000.0, "trips": 1, **more}


def parts(folder: Path) -> list[str]:
    return sorted(path.name for path in (folder / "runs").iterdir())


def test_rows_come_back_in_order_with_their_types(plan: Plan, tmp_path: Path) -> None:
    store = Store(tmp_path / "out", plan, resume=False)
    for site in (2, 0, 1):
        store.add(row(site, over_w=[site, -site], response_s=math.inf))
    store.flush()
    table = store.table()
    assert table.column("site").to_pylist() == [0, 1, 2]
    assert table.column("response_s").to_pylist() == [math.inf] * 3
    assert table.column("trips").type == "int64"
    assert table.column("limit_pu").to_pylist() == [None] * 3
    assert "over_w" not in table.column_names
    assert [found["over_w"] for found in store.rows(("over_w",))] == [[2, -2], [0, 0], [1, -1]]


def test_any_reader_takes_the_folder_as_one_table(plan: Plan, tmp_path: Path) -> None:
    store = Store(tmp_path / "out", plan, resume=False)
    for site in (0, 1):
        store.add(row(site))
        store.flush()
    assert parts(tmp_path / "out") == ["part-00000.parquet", "part-00001.parquet"]
    whole = pq.read_table(tmp_path / "out" / "runs")
    assert whole.num_rows == 2
    assert whole.schema == schema(plan)


def test_a_batch_is_written_when_it_is_full(
    plan: Plan, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(store_module, "BATCH_ROWS", 3)
    store = Store(tmp_path / "out", plan, resume=False)
    for site in range(7):
        store.add(row(site))
    assert parts(tmp_path / "out") == ["part-00000.parquet", "part-00001.parquet"]
    assert store.table().num_rows == 6, "the last is held until its batch is full"
    store.flush()
    store.flush()
    assert len(parts(tmp_path / "out")) == 3, "nothing to write makes no file"


def test_a_batch_is_written_when_it_is_old(
    plan: Plan, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(store_module, "BATCH_S", -1.0)
    store = Store(tmp_path / "out", plan, resume=False)
    store.add(row(0))
    assert len(parts(tmp_path / "out")) == 1


def test_what_was_done_is_known_again_and_a_torn_file_is_gone(plan: Plan, tmp_path: Path) -> None:
    store = Store(tmp_path / "out", plan, resume=False)
    store.add(row(3, 1))
    store.flush()
    (tmp_path / "out" / "runs" / ".part-00001.parquet").write_bytes(b"PAR1 torn")
    again = Store(tmp_path / "out", plan, resume=True)
    assert again.done == {Job(3, 1)}
    assert parts(tmp_path / "out") == ["part-00000.parquet"]
    again.add(row(3, 1))
    again.add(row(4, 0))
    again.flush()
    assert parts(tmp_path / "out") == ["part-00000.parquet", "part-00001.parquet"]
    assert again.table().column("site").to_pylist() == [3, 4], "nothing is there twice"


def test_results_are_never_mixed_up(plan: Plan, tmp_path: Path) -> None:
    Store(tmp_path / "out", plan, resume=False)
    with pytest.raises(OtherStudyError, match="--resume"):
        Store(tmp_path / "out", plan, resume=False)
    (tmp_path / "other").mkdir()
    with pytest.raises(OtherStudyError, match="another study"):
        Store(tmp_path / "out", tiny_plan(tmp_path / "other", feeder=FEEDER), resume=True)


def test_more_sites_and_seeds_go_on_with_the_same_folder(plan: Plan, tmp_path: Path) -> None:
    Store(tmp_path / "out", plan, resume=False)
    Store(tmp_path / "out", tiny_plan(tmp_path, sites=99, seeds=3), resume=True)


def test_another_scenario_is_another_study(plan: Plan, tmp_path: Path) -> None:
    Store(tmp_path / "out", plan, resume=False)
    longer = plan.base.model_copy(update={"duration_s": 5.0})
    with pytest.raises(OtherStudyError):
        Store(tmp_path / "out", Plan(plan.study, longer), resume=True)


def test_a_study_without_a_row_has_an_empty_table(plan: Plan, tmp_path: Path) -> None:
    store = Store(tmp_path / "out", plan, resume=True)
    assert store.table().num_rows == 0
    assert store.done == set()


@pytest.mark.parametrize("text", ["", "[]", "{}", "\x00"])
def test_a_damaged_note_is_told(plan: Plan, tmp_path: Path, text: str) -> None:
    Store(tmp_path / "out", plan, resume=False)
    (tmp_path / "out" / "study.json").write_text(text)
    with pytest.raises(OtherStudyError, match=r"study\.json: is damaged"):
        Store(tmp_path / "out", plan, resume=True)


def test_a_damaged_part_is_named_and_without_it_its_runs_are_done_again(plan: Plan, tmp_path: Path) -> None:
    store = Store(tmp_path / "out", plan, resume=False)
    for site in (0, 1):
        store.add(row(site))
        store.flush()
    part = tmp_path / "out" / "runs" / "part-00001.parquet"
    part.write_bytes(part.read_bytes()[:40])
    with pytest.raises(OtherStudyError, match=r"part-00001\.parquet: is damaged"):
        Store(tmp_path / "out", plan, resume=True)
    part.unlink()
    assert Store(tmp_path / "out", plan, resume=True).done == {Job(0, 0)}
