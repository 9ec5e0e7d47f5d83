"""What `check` says of lost host load, held against the plant: the stated step and the stated margin are survived."""

from __future__ import annotations

import pytest
from plant import Plant, swapped

from edge.guard import budget
from edge.guard.settings import GuardSettings

SEEDS = range(12)


def trips(lost_w: float, site_limit_w: float) -> int:
    """In how many runs losing all of a host load of `lost_w`, at a random phase of the scan, trips the site."""
    at = swapped(("[control]", f"[control]\nsite_limit_w = {site_limit_w}"))
    count = 0
    for seed in SEEDS:
        plant = Plant(site=at, seed=seed, load_w=lost_w).run(30.0)
        assert sum(plant.output_w.values()) > lost_w
        lost_s, plant.load_w = plant.now_s, 0.0
        plant.run(5.0)
        assert "pickup" in plant.kinds(lost_s)
        count += "trip" in plant.kinds(lost_s)
    return count


def test_the_largest_step_that_check_states_is_survived() -> None:
    step_w = budget.ride_through_w(swapped(), GuardSettings.of(swapped()).elements[0].delay_s)
    assert step_w == pytest.approx(46_000)
    assert trips(step_w, 25_000.0) == 0


@pytest.mark.parametrize("lost_w", [60_000.0, 70_000.0])
def test_a_larger_load_may_be_lost_with_the_margin_that_check_states_and_not_without(lost_w: float) -> None:
    declared = swapped(("nominal_hz = 60", f"nominal_hz = 60\nhost_load_w = {lost_w}"))
    element = GuardSettings.of(declared).elements[0]
    margin_w = budget.margin_w(declared, element.delay_s, element.dropout_w)
    assert margin_w == pytest.approx(lost_w - 46_000)
    assert trips(lost_w, element.dropout_w - margin_w) == 0
    assert trips(lost_w, 25_000.0) > 0
