"""Cases, and laws in the place of the limiter on one plant."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from pathlib import Path

import pytest

from benchmarks.peers import plants
from benchmarks.peers.judge import dominates, point
from benchmarks.peers.law import Law, Seen, Task
from benchmarks.peers.picture import draw
from benchmarks.peers.plants import DAYS, NAMEPLATE_W, Case, cases, classes, plant
from benchmarks.peers.run import InPlace, Ours, SeesTheLoad, outcome
from benchmarks.peers.study import OURS, REFERENCE, TEST_SEED, TRAINING_SEED, Result, Study
from benchmarks.peers.tuning import PEERS
from edge.model.durable import NEW_SITE
from edge.model.image import DerReading, Image, PccReading
from edge.model.sample import Sample
from edge.step import start
from sim.stability.grid import Cell

CASE = Case(Cell(0.5, 0.2, 0.5, 100.0, 0.25), (1.0, 1.0), 0.002, 3)


@dataclass(frozen=True, slots=True)
class BangBang:
    """All or nothing."""

    def law(self, task: Task) -> Law:
        return lambda seen: 0.0 if seen.export_w > task.limit_w else task.nameplate_w


@dataclass(frozen=True, slots=True)
class Never:
    """It leaves everything as it is."""

    def law(self, task: Task) -> Law:
        return lambda seen: None


def test_plants_are_drawn_evenly_and_days_are_on_all_their_plants() -> None:
    of = cases(25, TEST_SEED)
    stepping = [case for case in of if case.day is None]
    assert len(stepping) == 60
    assert len(of) == 60 + 9
    assert Counter((case.noise_pu, case.wrong == (1.0, 1.0)) for case in stepping) == {
        (noise_pu, exact): 15 for noise_pu in (0.002, 0.02) for exact in (True, False)
    }
    assert {case.cell.period_s for case in stepping} == {0.1, 0.2, 0.5, 1.0, 2.0}
    assert len(classes(of)) == 5 + 4 + 5 + 5 + 3 + 2 + 2 + len(DAYS)


def test_tuning_and_judging_share_no_seed() -> None:
    for thin in (1, 25):
        judged, trained = ({case.seed for case in cases(thin, seed)} for seed in (TEST_SEED, TRAINING_SEED))
        assert not judged & trained


def test_a_wrong_profile_is_off_in_the_device_only() -> None:
    sim, site = plant(Case(Cell(0.5, 0.2, 0.5, 20.0, 0.25), (2.0, 0.5), 0.02, 3))
    unit, der = sim.inverter[0], site.der[0]
    assert (unit.dead_time_s, unit.slope_pct_s) == (1.0, 10.0)
    assert (der.dead_time_s, der.slope_pct_per_s) == (0.5, 20.0)
    assert unit.nameplate_w == der.nameplate_w == NAMEPLATE_W
    assert sim.load.noise_w == site.meter.noise_w == 0.02 * NAMEPLATE_W
    assert {event.load_w for event in sim.script} == {2100.0, 1800.0, 300.0, 1200.0}


def test_ours_dominates_a_law_that_knows_only_all_and_nothing() -> None:
    ours, bad = point([outcome(Ours(), CASE)]), point([outcome(BangBang(), CASE)])
    assert dominates(ours, bad)
    assert ours.harvest > 0.9
    assert ours.longest_s < 5.0
    assert bad.writes_per_h > ours.writes_per_h


def test_who_never_acts_harvests_everything_and_exceeds_all_the_time() -> None:
    never = outcome(Never(), CASE)
    assert never.within_wh == pytest.approx(never.permitted_wh)
    # Full sun: above the limit by 0.05 for 120 s, by 0.65 and by 0.35 for 60 s each, of nameplate.
    assert never.over_wh == pytest.approx(1000 * (0.05 * 120 + 0.65 * 60 + 0.35 * 60) / 3600, rel=0.02)
    assert never.writes == 0
    assert never.longest_s > 200.0


def test_who_sees_the_load_exceeds_less_than_who_has_a_meter() -> None:
    bare = outcome(Ours(cap_pct=0.0), CASE)
    seeing = outcome(SeesTheLoad(), CASE)
    assert seeing.over_wh < bare.over_wh
    assert seeing.within_wh / seeing.permitted_wh > 0.98


def test_a_larger_margin_costs_harvest_and_spares_excursions() -> None:
    wide, bare = outcome(Ours(floor_pct=4.0), CASE), outcome(Ours(cap_pct=0.0), CASE)
    assert wide.within_wh < bare.within_wh - 0.02 * bare.permitted_wh
    assert wide.over_wh < bare.over_wh


def test_the_same_run_comes_out_the_same() -> None:
    short = Case(CASE.cell, CASE.wrong, CASE.noise_pu, 3)
    assert outcome(PEERS[0].default, short) == outcome(PEERS[0].default, short)


def image(sequence: int, export_w: float, output_w: float) -> Image:
    return Image(
        sequence,
        PccReading(Sample.good(export_w, 0.5), Sample.good(1.0, 0.5), Sample.good(60.0, 0.5), sequence),
        (DerReading("inverter", Sample.good(output_w, 0.7), Sample.good(2500.0, 0.1)),),
    )


def test_a_law_is_told_what_the_image_holds_and_its_word_is_kept() -> None:
    _, site = plant(CASE)
    settings = plants.settings(site, CASE.task_limit_w)
    state = start(settings, NEW_SITE, 0.0)
    told: list[Seen] = []
    words = iter((None, 900.0, None, 5000.0, -1.0))

    def law(seen: Seen) -> float | None:
        told.append(seen)
        return next(words)

    control = InPlace(law, Task(NAMEPLATE_W, CASE.task_limit_w))
    blind = Image(0, PccReading(Sample.none(), Sample.none(), Sample.none()), image(0, 0.0, 0.0).ders)
    limits_w = []
    for now_s, shown in (
        (0.5, blind),
        (1.0, image(1, 700.0, 2000.0)),
        (1.2, image(1, 700.0, 2000.0)),
        (1.5, image(2, 800.0, 2000.0)),
        (2.0, image(3, 800.0, 2000.0)),
        (2.5, image(4, 800.0, 2000.0)),
    ):
        after, commands, reasons = control(shown, settings, state, now_s)
        assert after is state
        assert reasons.events == ()
        assert commands.limits[0].name == "inverter"
        limits_w.append(commands.limits[0].limit_w)
    assert limits_w == [3000.0, 3000.0, 900.0, 900.0, 3000.0, 0.0]
    assert told[0] == Seen(1.0, 700.0, 1.0, 2000.0, 0.7, 2500.0, 0.1)
    assert [(seen.now_s, seen.export_s) for seen in told[1:3]] == [(1.2, 1.0), (1.5, 1.5)]


def test_the_picture_is_drawn(tmp_path: Path) -> None:
    run = (outcome(Ours(), CASE),)
    names = [REFERENCE, OURS, *(peer.name for peer in PEERS)]
    study = Study(
        (CASE,), tuple(Result(name, variant, run) for name in names for variant in ("default", "tuned"))
    )
    draw(tmp_path / "peers.png", study)
    assert (tmp_path / "peers.png").stat().st_size > 10_000
