"""Who dominates whom, against enumeration; what a search keeps; where a peer wins; what the table says."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from itertools import product
from pathlib import Path

import pytest

from benchmarks.peers import __main__ as command
from benchmarks.peers import tuning
from benchmarks.peers.judge import Point, challenger, dominates, front, point
from benchmarks.peers.law import Tuning
from benchmarks.peers.openems import OpenEms
from benchmarks.peers.plants import DAY_CELLS, DAYS, Case
from benchmarks.peers.run import Outcome
from benchmarks.peers.study import MARGINS, OURS, REFERENCE, Result, Study, contenders
from benchmarks.peers.table import as_json, markdown, rows


def at(over: float, harvest: float) -> Point:
    return Point(over, harvest, 0.0, 0.0, 0.0)


GRID = [at(float(over), harvest / 4) for over, harvest in product(range(5), range(5))]


def test_one_dominates_when_it_is_nowhere_worse_and_somewhere_better() -> None:
    for one, other in product(GRID, GRID):
        gains = (other.over_wh_per_h - one.over_wh_per_h, one.harvest - other.harvest)
        assert dominates(one, other) is (min(gains) >= 0 and max(gains) > 0), (one, other)


@pytest.mark.parametrize("start", range(0, 25, 3))
def test_a_front_is_what_nobody_dominates(start: int) -> None:
    some = [GRID[(start + 7 * step) % 25] for step in range(6)]
    kept = front(some)
    for one in some:
        better = [
            other
            for other in some
            if (other.over_wh_per_h < one.over_wh_per_h and other.harvest >= one.harvest)
            or (other.over_wh_per_h <= one.over_wh_per_h and other.harvest > one.harvest)
        ]
        assert (one in kept) is (not better)


def test_the_challenger_reaches_the_harvest_with_the_least_excursion() -> None:
    some = [at(1.0, 0.5), at(2.0, 0.8), at(3.0, 0.9), at(2.5, 0.9)]
    assert challenger(some, 0.8) == at(2.0, 0.8)
    assert challenger(some, 0.81) == at(2.5, 0.9)
    assert challenger(some, 0.95) == at(2.5, 0.9)


def test_runs_add_up() -> None:
    one = Outcome(hours=0.5, over_wh=1.0, longest_s=30.0, within_wh=80.0, permitted_wh=100.0, writes=10)
    other = Outcome(hours=1.5, over_wh=2.0, longest_s=30.1, within_wh=200.0, permitted_wh=200.0, writes=20)
    both = point([one, other])
    assert (both.over_wh_per_h, both.longest_s, both.beyond_30, both.writes_per_h) == (1.5, 30.1, 0.5, 15.0)
    assert both.harvest == pytest.approx(280 / 300)


SPACE = {"rate": (0.1, 0.2, 0.3), "margin_pu": (0.0, 0.01, 0.02)}
PEER = tuning.Peer("one", OpenEms(), SPACE)


def synthetic(tunings: Sequence[Tuning]) -> list[Point]:
    """Excursion falls with the margin and is least at a rate of 0.3; harvest falls with the margin."""
    return [
        at(10.0 - 100 * one.margin_pu - one.rate, 1.0 - one.margin_pu)
        for one in tunings
        if isinstance(one, OpenEms)
    ]


def test_a_search_ends_on_the_front_of_the_space() -> None:
    found = tuning.search(PEER, synthetic, synthetic, count=40)
    assert found == [OpenEms(rate=0.3, margin_pu=margin) for margin in (0.02, 0.01, 0.0)]


def test_a_search_looks_beside_its_best_draws() -> None:
    """Two draws of nine points: only their neighbours lead on."""
    drawn = tuning.drawn(PEER, 2, 1)
    known = {OpenEms(rate=rate, margin_pu=margin) for rate, margin in product(*SPACE.values())}
    assert set(drawn) < known
    tried: list[Tuning] = []

    def screen(some: Sequence[Tuning]) -> list[Point]:
        tried.extend(some)
        return synthetic(some)

    tuning.search(PEER, screen, synthetic, count=2)
    assert len(tried) == len(set(tried)) == len(drawn) + 2


def test_neighbours_are_one_notch_away() -> None:
    assert set(tuning.neighbours(PEER, OpenEms())) == {
        OpenEms(rate=0.1),
        OpenEms(rate=0.3),
        OpenEms(margin_pu=0.01),
    }


def test_a_front_is_thinned_evenly_with_its_ends() -> None:
    some: list[Tuning] = [OpenEms(rate=number) for number in range(11)]
    assert tuning.thinned_front(some, 3) == [some[0], some[5], some[10]]
    assert tuning.thinned_front(some[:3], 3) == some[:3]


def test_tunings_are_kept_and_read_again(tmp_path: Path) -> None:
    given: dict[str, list[Tuning]] = {
        peer.name: [peer.default, replace(peer.default, margin_pu=0.01)] for peer in tuning.PEERS
    }
    tuning.write(given, tmp_path / "tuned.json")
    assert tuning.read(tmp_path / "tuned.json") == given


def test_what_was_found_lies_in_the_declared_space() -> None:
    found = tuning.read()
    for peer in tuning.PEERS:
        assert found[peer.name], "a peer without a tuning"
        for one in found[peer.name]:
            assert all(getattr(one, key) in values for key, values in peer.space.items())


def test_everybody_takes_part_once() -> None:
    everybody = [(name, variant) for name, variant, _ in contenders()]
    assert len(everybody) == len(set(everybody))
    for peer in tuning.PEERS:
        assert (peer.name, "default") in everybody
        assert sum(name == peer.name for name, _ in everybody) >= 2
    assert sum(name == OURS for name, _ in everybody) == len(MARGINS)
    few = [(name, variant) for name, variant, _ in contenders(few=True)]
    assert set(few) < set(everybody)
    assert {(peer.name, "default") for peer in tuning.PEERS} | {(OURS, "default")} < set(few)


FAST, SLOW = (Case(cell, (1.0, 1.0), 0.002, 1, DAYS[row]) for row, cell in enumerate(DAY_CELLS[:2]))


def runs(*pairs: tuple[float, float]) -> tuple[Outcome, ...]:
    return tuple(Outcome(1.0, over, 5.0, 100.0 * harvest, 100.0, 7) for over, harvest in pairs)


def by_hand() -> Study:
    """Ours is best together; one peer wins the first class, another is beaten only by ours without margin."""
    nobody = runs((9.0, 0.5), (9.0, 0.5))
    by_name = {peer.name: [Result(peer.name, "default", nobody)] for peer in tuning.PEERS}
    by_name["OpenEMS"].append(Result("OpenEMS", "tuned", runs((0.5, 0.9), (9.0, 0.5))))
    by_name["zero-injection"] = [Result("zero-injection", "default", runs((2.0, 0.95), (2.0, 0.95)))]
    return Study(
        (FAST, SLOW),
        (
            Result(REFERENCE, "default", runs((0.1, 1.0), (0.1, 1.0))),
            Result(OURS, "no margin", runs((1.5, 0.97), (1.5, 0.97))),
            Result(OURS, "default", runs((1.0, 0.9), (1.0, 0.9))),
            *(one for results in by_name.values() for one in results),
        ),
    )


def test_a_win_is_a_class_in_which_a_peer_dominates() -> None:
    (win,) = by_hand().wins()
    assert (win.where, win.peer.name, win.peer.variant) == (f"day: {DAYS[0].name}", "OpenEMS", "tuned")
    assert (win.theirs.over_wh_per_h, win.ours.over_wh_per_h) == (0.5, 1.0)


def test_only_what_no_margin_of_ours_matches_is_unmatched() -> None:
    study = by_hand()
    assert not study.unmatched(study.of("zero-injection")[0])
    assert study.unmatched(Result("zero-injection", "x", runs((2.0, 0.99), (2.0, 0.99))))
    assert study.unmatched(Result("zero-injection", "x", runs((0.9, 0.1), (0.9, 0.1))))


def test_the_rows_count_points_that_dominate_and_defaults_that_are_not_dominated() -> None:
    counted = {row.measure: row.value for row in rows(by_hand()) if row.goal is not None}
    assert counted == {
        "peers: points that dominate ours": 0,
        "peers: defaults that ours does not dominate": 1,
        "peers: defaults that ours without margin does not dominate": 0,
    }


def test_the_table_and_the_json_name_everybody() -> None:
    study = by_hand()
    lines = "\n".join(markdown(study))
    assert "| ours | 1.0; 90.0% | 1.0; 90.0% |  | 5 | 0% | 7 |" in lines
    for peer in tuning.PEERS:
        assert f"| {peer.name}, default |" in lines
    assert f"- day: {DAYS[0].name}: OpenEMS (tuned): 0.50 Wh/kW/h at 90.00%, ours 1.00 at 90.00%" in lines
    told = as_json(study)
    assert len(told["results"]) == len(study.results)
    assert told["wins"][0]["peer"] == "OpenEMS"


def test_the_command_writes_what_it_is_asked_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    asked: list[tuple[int, int | None]] = []

    def compared(thin: int, jobs: int | None) -> Study:
        asked.append((thin, jobs))
        return by_hand()

    monkeypatch.setattr(command, "study", compared)
    given = [
        "--thin",
        "30",
        "--jobs",
        "2",
        "--json",
        str(tmp_path / "a.json"),
        "--out",
        str(tmp_path / "a.png"),
    ]
    assert command.main(given) == 0
    assert asked == [(30, 2)]
    assert "| ours | 1.0; 90.0% |" in capsys.readouterr().out
    assert json.loads((tmp_path / "a.json").read_text())["cases"] == 2
    assert (tmp_path / "a.png").stat().st_size > 10_000
