"""The Inadvertent Export Screen against sums done by hand."""

from __future__ import annotations

from math import nextafter, sqrt
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tiir.inadvertent_export import Screened, screen

SITE: dict[str, Any] = {
    "nameplate_w": 1_000_000.0,
    "nameplate_va": 1_000_000.0,
    "export_capacity_w": 0.0,
    "power_factor": 1.0,
    "resistance_ohm": 2.0,
    "reactance_ohm": 5.0,
    "voltage_v": 12_470.0,
}


def screened(**changes: float) -> Screened:
    return screen(**(SITE | changes))


def test_one_megawatt_over_two_ohms_at_12_47_kv() -> None:
    result = screened()
    assert result.change_pu == pytest.approx(2.0 * 1e6 / 12_470**2)
    assert (result.delta_p_w, result.delta_q_var) == (1e6, 0.0)
    assert result.applies
    assert result.passed


def test_absorbed_reactive_power_takes_from_the_rise_and_may_turn_it() -> None:
    result = screened(power_factor=0.8)
    assert (result.delta_p_w, result.delta_q_var) == pytest.approx((0.8e6, 0.6e6))
    assert result.change_pu == pytest.approx((2.0 * 0.8e6 - 5.0 * 0.6e6) / 12_470**2)
    assert result.change_pu < 0


@pytest.mark.parametrize(
    ("export_capacity_w", "applies"),
    [(750_000.0, False), (nextafter(750_000.0, 0.0), True), (nextafter(750_000.0, 1e6), False)],
)
def test_it_is_asked_for_above_250_kw_of_difference(export_capacity_w: float, *, applies: bool) -> None:
    assert screened(export_capacity_w=export_capacity_w).applies is applies


def ohms_for(change_pu: float) -> float:
    return change_pu * 12_470**2 / 1e6


@pytest.mark.parametrize(("change_pu", "passed"), [(0.0299999, True), (0.0300001, False)])
def test_three_percent_pass_and_more_does_not(change_pu: float, *, passed: bool) -> None:
    assert screened(resistance_ohm=ohms_for(change_pu)).passed is passed
    fall = screened(resistance_ohm=0.0, power_factor=0.6, reactance_ohm=ohms_for(change_pu) / 0.8)
    assert fall.change_pu == pytest.approx(-change_pu)
    assert fall.passed is passed


def test_a_site_that_need_not_be_screened_passes_whatever_its_grid() -> None:
    result = screened(export_capacity_w=800_000.0, resistance_ohm=1000.0)
    assert result.change_pu > 0.03
    assert result.passed
    assert str(result).startswith("not asked for: nameplate less export capacity is 200.0 kW")


def test_the_change_rests_on_the_apparent_rating_and_its_need_on_the_active_one() -> None:
    result = screened(nameplate_w=250_000.0, nameplate_va=300_000.0)
    assert not result.applies
    assert result.delta_p_w == 300_000.0


def test_the_sentence_shows_the_numbers() -> None:
    text = str(screened(resistance_ohm=6.0, power_factor=0.95))
    rise = (6.0 * 0.95e6 - 5.0 * 1e6 * sqrt(1 - 0.95**2)) / 12_470**2
    assert text == (
        "passed: nameplate less export capacity is 1000.0 kW; 950.0 kW and 312.2 kvar "
        f"change the primary voltage by {100 * rise:+.2f} %, at most 3 % is allowed"
    )
    assert str(screened(resistance_ohm=6.0)).startswith("failed: ")


@pytest.mark.parametrize(
    "changes",
    [
        {"power_factor": 0.0},
        {"power_factor": 1.01},
        {"voltage_v": 0.0},
        {"resistance_ohm": -1.0},
        {"reactance_ohm": -1.0},
        {"export_capacity_w": -1.0},
        {"export_capacity_w": 1_000_001.0},
        {"nameplate_va": 999_999.0},
    ],
)
def test_what_cannot_be_is_refused(changes: dict[str, float]) -> None:
    with pytest.raises(ValueError, match="must"):
        screened(**changes)


@given(power_factor=st.floats(0.01, 1.0), capacity_w=st.floats(0.0, 1e6))
def test_the_power_change_is_the_whole_surplus(power_factor: float, capacity_w: float) -> None:
    result = screened(power_factor=power_factor, export_capacity_w=capacity_w)
    assert abs(complex(result.delta_p_w, result.delta_q_var)) == pytest.approx(1e6 - capacity_w)
