"""Excursion counts: rolling windows against a plain list, forgetting, and a file that survives what happens to it."""

from __future__ import annotations

import asyncio
import json
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.agent import tally_file
from edge.agent.tally import DAY_S, MONTH_S, STEP_S, Steps, Sum, Tallies, Tally
from edge.agent.tally_file import TallyFile
from edge.agent.tell import Happening

START_S = 1_790_000_400.0  # a whole number of steps


@given(st.lists(st.tuples(st.floats(0, 2 * MONTH_S), st.floats(0, 100)), max_size=60), st.floats(0, DAY_S))
def test_a_window_holds_what_is_in_it_and_at_most_ten_minutes_more(
    given_: list[tuple[float, float]], later_s: float
) -> None:
    tally = Tally()
    at = [(START_S + after_s, took_s) for after_s, took_s in sorted(given_)]
    for at_s, took_s in at:
        tally.add(Sum(1, took_s, took_s / 2), at_s)
    now_s = (at[-1][0] if at else START_S) + later_s
    for span_s in (DAY_S, MONTH_S):
        found = tally.over(span_s, now_s)
        inside = [took_s for at_s, took_s in at if at_s > now_s - span_s]
        around = [took_s for at_s, took_s in at if at_s > now_s - span_s - STEP_S]
        assert len(inside) <= found.count <= len(around)
        assert sum(inside) - 1e-6 <= found.duration_s <= sum(around) + 1e-6
        assert found.energy_wh == pytest.approx(found.duration_s / 2)


def test_the_edges_of_a_window() -> None:
    tally = Tally({int(START_S // STEP_S): Sum(1, 2.0, 3.0)})
    step_ends_s = START_S + STEP_S
    assert tally.over(DAY_S, step_ends_s + DAY_S - 0.001).count == 1
    assert tally.over(DAY_S, step_ends_s + DAY_S).count == 0
    tally.add(Sum(), step_ends_s + MONTH_S - 0.001)
    assert tally.over(MONTH_S, step_ends_s + MONTH_S - 0.001) == Sum(1, 2.0, 3.0)
    tally.add(Sum(), step_ends_s + MONTH_S)
    assert min(tally.steps) > START_S // STEP_S


def test_a_month_of_floods_stays_small(tmp_path: Path) -> None:
    tally = Tally()
    for number in range(int(2 * MONTH_S / STEP_S)):
        tally.add(Sum(300, 123.456, 7.89), START_S + number * STEP_S)
    assert len(tally.steps) <= MONTH_S / STEP_S + 1
    TallyFile(tmp_path / "excursions.json").save(Tallies(tally, dict.fromkeys("abc", tally)).steps())
    assert (tmp_path / "excursions.json").stat().st_size < 800_000


def test_it_survives_a_restart(tmp_path: Path) -> None:
    first = TallyFile(tmp_path / "excursions.json")
    tallies, problem = first.load()
    assert problem is None
    tallies.of(None).add(Sum(1, 2.5, 3.25), START_S)
    tallies.of("b").add(Sum(4, 5.5, 6.25), START_S)
    tallies.of("c")
    first.save(tallies.steps())
    again, problem = TallyFile(tmp_path / "excursions.json").load()
    assert problem is None
    assert again.site.over(DAY_S, START_S) == Sum(1, 2.5, 3.25)
    assert list(again.phases) == ["b"], "c had none"
    assert again.of("b").over(DAY_S, START_S) == Sum(4, 5.5, 6.25)
    assert again.steps() == tallies.steps()


def test_a_file_from_before_phases_were_counted_is_read(tmp_path: Path) -> None:
    path = tmp_path / "excursions.json"
    path.write_bytes(b'{"version": 1, "steps": {"7": [1, 2, 3]}}')
    tallies, problem = TallyFile(path).load()
    assert problem is None
    assert tallies.steps() == Steps({7: Sum(1, 2.0, 3.0)})


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\x00\xff",
        b"[]",
        b'{"version": 1}',
        b'{"version": 1, "steps": {"a": [1, 2, 3]}}',
        b'{"version": 1, "steps": {"1": [1, 2]}}',
        b'{"version": 1, "steps": {"1": [1, NaN, 2]}}',
        b'{"version": 1, "steps": {}, "phases": {"d": {}}}',
        b'{"version": 1, "steps": {}, "phases": {"a": {"1": [1, 2]}}}',
    ],
)
def test_a_damaged_file_is_told_and_begun_anew(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "excursions.json"
    path.write_bytes(content)
    tallies, problem = TallyFile(path).load()
    assert tallies.steps() == Steps()
    assert problem == "excursions.json is damaged: excursions are counted from zero"


def test_nothing_new_is_not_written(tmp_path: Path) -> None:
    path = tmp_path / "excursions.json"
    file = TallyFile(path)
    file.save(Steps())
    assert not path.exists()
    file.save(Steps({1: Sum(1)}))
    path.unlink()
    file.save(Steps({1: Sum(1)}))
    assert not path.exists()


async def test_a_disk_that_does_not_take_it_is_told_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tally_file, "_EVERY_S", 0.01)
    told: list[Happening] = []
    folder = tmp_path / "not-there-yet"
    tallies = Tallies(Tally({1: Sum(1)}))
    keeping = asyncio.create_task(TallyFile(folder / "excursions.json").keep(tallies, told.append))
    for _ in range(300):
        await asyncio.sleep(0.01)
        if told:
            folder.mkdir(exist_ok=True)
        if (folder / "excursions.json").exists():
            break
    keeping.cancel()
    with suppress(asyncio.CancelledError):
        await keeping
    assert [one.detail for one in told] == ["the excursion counts are not kept: No such file or directory"]
    assert json.loads((folder / "excursions.json").read_text())["steps"] == {"1": [1, 0.0, 0.0]}


async def test_the_first_count_after_a_quiet_time_goes_to_the_disk_at_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tally_file, "_LOOK_S", 0.01)
    path, tallies = tmp_path / "excursions.json", Tallies()
    keeping = asyncio.create_task(TallyFile(path).keep(tallies, list[Happening]().append))
    await asyncio.sleep(0.05)
    tallies.site.add(Sum(1, 1.0), START_S)
    async with asyncio.timeout(5.0):
        while TallyFile(path).load()[0].site.over(DAY_S, START_S).count == 0:  # noqa: ASYNC110 - it is on the disk
            await asyncio.sleep(0.02)
    tallies.site.add(Sum(1, 2.0), START_S)
    await asyncio.sleep(0.2)
    keeping.cancel()
    with suppress(asyncio.CancelledError):
        await keeping
    assert TallyFile(path).load()[0].site.over(DAY_S, START_S) == Sum(1, 1.0), (
        "the second waits for its ten seconds"
    )
