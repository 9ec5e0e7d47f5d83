"""Feeder sections, by hand: who sits behind which, what adds up, and what planning may count on."""

from __future__ import annotations

import random
from itertools import pairwise

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sim.study.family import Family
from sim.study.feeder import Sections, sections
from sim.study.file import Feeder, StudyFile
from sim.study.job import Row

SECONDS = 120


def study(
    event: str = "common", *, size: int = 2, seeds: int = 1, window_s: int = 300, from_s: int = 0
) -> StudyFile:
    return StudyFile.model_validate(
        {
            "name": "hand",
            "asks": "?",
            "scenario": "?",
            "sites": 100,
            "seeds": seeds,
            "family": Family(),
            "feeder": Feeder.model_validate(
                {"sites": size, "event": event, "window_s": window_s, "from_s": from_s}
            ),
        }
    )


def run(
    site: int, over_w: list[int] | None, *, seed: int = 0, outcome: str = "ran", limit_w: float = 1e3
) -> Row:
    return {
        "site": site,
        "seed": seed,
        "outcome": outcome,
        "limit_w": limit_w,
        "nameplate_w": 10_000.0,
        "over_w": over_w,
    }


def pulse(at_s: int, high_w: int, long_s: int = 1, rest_w: int = 0) -> list[int]:
    return [high_w if at_s <= second < at_s + long_s else rest_w for second in range(SECONDS)]


def found(asked: StudyFile, rows: list[Row]) -> Sections | None:
    scalars = [{key: value for key, value in row.items() if key != "over_w"} for row in rows]
    return sections(asked, pa.Table.from_pylist(scalars), iter(rows))


def some(asked: StudyFile, rows: list[Row]) -> Sections:
    result = found(asked, rows)
    assert result is not None
    return result


def test_a_common_event_adds_up_second_by_second() -> None:
    both = some(study(), [run(0, pulse(10, 4000)), run(1, pulse(10, 2000, rest_w=-1000))])
    assert both.count == 1
    assert both.limits_w.tolist() == [2000.0]
    assert both.nameplate_w.tolist() == [20_000.0]
    assert both.net_w[0, 10] == both.gross_w[0, 10] == 6000
    assert both.net_w[0, 11] == -1000
    assert both.gross_w[0, 11] == 0, "gross takes no credit for a site below its limit"
    assert both.peaks_pu(both.gross_w).tolist() == [0.3]
    assert both.coincidence.tolist() == [1.0]


def test_events_at_different_moments_do_not_coincide() -> None:
    apart = some(study(), [run(0, pulse(10, 4000)), run(1, pulse(50, 2000))])
    assert apart.gross_w.max() == 4000
    assert apart.coincidence.tolist() == [4000 / 6000]


def test_without_an_excursion_there_is_no_coincidence() -> None:
    quiet = some(study(), [run(0, pulse(0, 0, rest_w=-5)), run(1, pulse(0, 0))])
    assert quiet.coincidence.size == 0
    assert quiet.planning_pu(quiet.gross_w) == 0.0
    assert quiet.planning_pu(quiet.net_w) < 0.0


def test_the_mean_of_a_minute_and_what_planning_counts_on() -> None:
    one = some(study(), [run(0, pulse(30, 6000, 30)), run(1, pulse(0, 0))])
    minutes = one.minutes_pu(one.gross_w)
    assert minutes.shape == (1, SECONDS - 60 + 1)
    assert minutes.max() == pytest.approx(6000 * 30 / 60 / 20_000)
    assert one.planning_pu(one.gross_w) == pytest.approx(0.15)
    assert one.planning_of_limits == pytest.approx(1.5), "of the 2 kW of limits"


def test_what_comes_before_is_left_out() -> None:
    late = some(study(from_s=20), [run(0, pulse(10, 4000)), run(1, pulse(30, 500))])
    assert late.gross_w.shape == (1, SECONDS - 20)
    assert late.gross_w.max() == 500


def test_a_refused_site_is_nowhere_and_the_next_takes_its_place() -> None:
    rows = [run(0, pulse(1, 10)), run(1, None, outcome="refused"), run(2, pulse(1, 20)), run(3, pulse(1, 99))]
    assert some(study(), rows).gross_w[:, 1].tolist() == [30], "0 with 2; 3 is alone and fills no section"


def test_a_section_with_a_broken_run_is_left_out_and_counted() -> None:
    rows = [run(site, pulse(1, 10), outcome="error" if site == 1 else "ran") for site in range(4)]
    left = some(study(), rows)
    assert (left.count, left.left_out) == (1, 1)
    assert found(study(), rows[:2]) is None


def test_each_seed_makes_a_section_of_its_own() -> None:
    rows = [run(site, pulse(1, 10 + seed), seed=seed) for site in range(2) for seed in range(3)]
    assert some(study(seeds=3), rows).gross_w[:, 1].tolist() == [20, 22, 24]
    assert some(study(seeds=3), rows[:-1]).count == 2, "a run that is still missing makes no section"


def test_sections_that_may_not_export_have_no_share_of_limits() -> None:
    none = some(study(), [run(0, pulse(1, 10), limit_w=0.0), run(1, pulse(1, 10), limit_w=0.0)])
    assert np.isnan(none.planning_of_limits)


def test_a_scattered_run_lands_whole_in_the_window_at_a_moment_of_its_own() -> None:
    rows = [run(site, pulse(SECONDS - 5, 100 + site, 5)) for site in range(40)]
    alone = some(study("scattered", size=40), rows)
    assert alone.gross_w.shape == (1, 300)
    assert alone.gross_w.sum() == sum(5 * (100 + site) for site in range(40))
    assert alone.coincidence[0] < 0.5, "forty pulses of five seconds in three hundred seldom meet"
    assert alone.gross_w.max() >= 139


def test_moments_are_spread_over_the_window_and_stay_when_repeated() -> None:
    def moments() -> list[int]:
        each = [some(study("scattered", window_s=1000), [run(site, pulse(0, 9)), run(site + 1, pulse(0, 0))]) for site in range(0, 60, 2)]  # fmt: skip
        return sorted(int(one.gross_w[0].argmax()) for one in each)

    assert moments() == moments()
    assert max(after - before for before, after in pairwise([0, *moments(), 1000])) < 250


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 10_000))
def test_the_order_of_rows_does_not_matter(seed: int) -> None:
    chance = random.Random(seed)
    rows = [run(site, [chance.randrange(-9000, 9000) for _ in range(SECONDS)]) for site in range(6)]
    first = some(study(size=3), rows)
    chance.shuffle(rows)
    again = some(study(size=3), rows)
    assert np.array_equal(first.net_w, again.net_w)
    assert np.array_equal(first.gross_w, again.gross_w)
    assert (first.gross_w >= np.maximum(first.net_w, 0)).all()
    assert (first.coincidence <= 1.0).all()
