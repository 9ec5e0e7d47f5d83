"""The harvest of a day: by hand on a made-up trace, and from a run of the shipped limiter."""

from __future__ import annotations

import pytest

from sim.stability.bench import Case
from sim.stability.grid import Cell
from sim.stability.harvest import CURTAILED, PLANTS, SKIES, harvest, judged
from sim.truth import Row, Truth

CASE = Case(Cell(0.2, 0.0, 0.5, 100.0, 0.25), 0.01)


def test_by_hand() -> None:
    """Load 20, limit 25, margin 1: 44 are the most. First 40 of 90 are made, then 50, of which 5 are too much, then all."""
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
    found = judged(CASE, "a day", truth, 1.0, 100.0)
    assert found.share == pytest.approx((40 + 45 + 30) / (44 + 44 + 30))
    assert found.curtailed == pytest.approx(1 - (45 + 45 + 30) / 210)
    assert found.aim_pu == pytest.approx(0.01)
    assert found.margin_pu == pytest.approx(0.0)
    assert found.margin_goal_pu == pytest.approx(0.03)
    assert judged(Case(CASE.cell, 0.001), "a day", truth, 1.0, 100.0).margin_goal_pu == 0.005


def test_a_quick_plant_on_a_clear_day() -> None:
    found = harvest(Case(PLANTS[0]), SKIES[0], 180.0)
    assert found.curtailed >= CURTAILED
    assert found.share >= 0.97
    assert 0.0 < found.aim_pu <= found.margin_pu < 0.015
