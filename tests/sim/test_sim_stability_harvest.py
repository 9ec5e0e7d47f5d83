"""The harvest of a day: by hand on a made-up trace, and from a run of the shipped limiter."""

from __future__ import annotations

import math
import random
from functools import cache
from itertools import pairwise

import numpy as np
import pytest

from sim.stability.bench import Case
from sim.stability.grid import Cell
from sim.stability.harvest import CURTAILED, PLANTS, SKIES, feasible_w, harvest, judged
from sim.truth import Row, Truth

CASE = Case(Cell(0.2, 0.0, 0.5, 100.0, 0.25), 0.01)


def test_by_hand() -> None:
    """Load 20, limit 25, aim 1: 44 are the most. First 40 of 90 are made, then 50, of which 5 are too much, then all.

    Without 10 s on end at the limit there is no other mean margin than the aim.
    """
    rows = [(40.0, 90.0), (50.0, 90.0), (30.0, 30.0)]
    truth = Truth.of(
        [
            Row(
                float(at),
                made - 20.0,
                20.0,
                (made,),
                coil_closed=True,
                meter_sampled=True,
                event="",
                available_w=sun,
            )
            for at, (made, sun) in enumerate(rows)
        ]
    )
    found = judged(CASE, "a day", truth, np.full(3, 20.0), 1.0, 100.0)
    assert found.undelayed_share == pytest.approx((40 + 45 + 30) / (44 + 44 + 30))
    assert found.share == pytest.approx((40 + 45 + 30) / (44 + 44 + 30))
    assert found.curtailed == pytest.approx(1 - (45 + 45 + 30) / 210)
    assert found.aim_pu == pytest.approx(0.01)
    assert found.margin_pu == found.aim_pu
    assert found.distance_pu == pytest.approx(0.0)
    assert sum(found.margin_parts_pu.values()) == pytest.approx(found.distance_pu)
    assert found.margin_goal_pu == pytest.approx(0.03)
    assert (
        judged(Case(CASE.cell, 0.001), "a day", truth, np.full(3, 20.0), 1.0, 100.0).margin_goal_pu == 0.005
    )


def test_the_mean_margin_is_what_is_kept_once_the_loop_has_settled() -> None:
    """A step of the load at 20 s: 3 are kept before it and from then on 5, of which the first 10 s are on the way."""
    load_w = [20.0 if at < 20 else 30.0 for at in range(60)]
    kept_w = [3.0 if at < 20 else 9.0 if at < 30 else 5.0 for at in range(60)]
    rows = [
        Row(
            float(at),
            25.0 - kept,
            load,
            (25.0 - kept + load,),
            coil_closed=True,
            meter_sampled=True,
            event="",
            available_w=90.0,
        )
        for at, (load, kept) in enumerate(zip(load_w, kept_w, strict=True))
    ]
    found = judged(CASE, "a day", Truth.of(rows), np.array(load_w), 2.0, 100.0)
    assert found.margin_pu == pytest.approx((10 * 3.0 + 30 * 5.0) / 40 / 100, abs=0.002)
    assert found.distance_pu == pytest.approx((20 * 3.0 + 10 * 9.0 + 30 * 5.0) / 60 / 100)


REACH_W = 4.0


@pytest.mark.parametrize("seed", range(20))
def test_the_best_that_is_feasible_against_a_search_of_all_trajectories(seed: int) -> None:
    """Powers are multiples of 2 W here, so that trying them all finds the best."""
    draw = random.Random(seed)
    allowed_w = [2.0 * draw.randrange(1, 11) for _ in range(12)]
    sun_w = [2.0 * draw.randrange(0, 11) if draw.random() < 0.3 else 20.0 for _ in range(12)]
    fall_w = [max(0.0, before - after) for before, after in pairwise(allowed_w)]
    first_w = 2.0

    def best_wh(row: int, now_w: float) -> float:
        if row == 12:
            return 0.0
        found = -math.inf
        for half in range(11):
            made_w = 2.0 * half
            free = made_w == min(sun_w[row], now_w)  # a weaker sun acts at once
            moves = now_w - REACH_W <= made_w <= now_w + REACH_W
            if (free or moves) and made_w <= min(sun_w[row], allowed_w[row]):
                found = max(found, made_w + best_wh(row + 1, made_w))
        return found

    best_wh = cache(best_wh)
    assert max(fall_w) > REACH_W  # somewhere it has to come down early
    found_w = feasible_w(np.array(sun_w), np.array(allowed_w), REACH_W, first_w)
    assert float(found_w.sum()) == pytest.approx(best_wh(0, first_w))


def test_a_quick_plant_on_a_clear_day() -> None:
    found = harvest(Case(PLANTS[0]), SKIES[0], 180.0)
    assert found.curtailed >= CURTAILED
    assert found.share >= 0.97
    assert found.aim_pu > 0.0
    assert 0.0 < found.margin_pu <= found.distance_pu < 0.015
    assert found.undelayed_share < found.share
