"""Inverter physics in virtual time, held to rules that can be said in one line each."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sim.der import Fleet
from sim.files.inverter import InverterFile
from sim.limit import LimitWrite

DT_S = 0.01


def unit(**changes: object) -> InverterFile:
    values: dict[str, object] = {
        "role": "inverter-1",
        "models": "der",
        "port": 1,
        "nameplate_w": 10_000.0,
        "dead_time_s": 0.2,
        "slope_pct_s": 100.0,
        "settings": {"ES_DELAY": 0.0, "ES_RAMP_RATE": 0.0},
    }
    return InverterFile.model_validate(values | changes)


def fleet_of(*units: InverterFile) -> Fleet:
    fleet = Fleet(units, DT_S)
    fleet.settle(np.ones(len(units), dtype=bool))
    return fleet


def run(fleet: Fleet, seconds: float, v_pu: float = 1.0, *, energised: bool = True) -> list[float]:
    """Power of the first unit in per unit after each step."""
    grid = np.full(len(fleet.p_pu), energised)
    powers = []
    for _ in range(round(seconds / DT_S)):
        fleet.step(grid, v_pu, 60.0)
        powers.append(float(fleet.p_pu[0]))
    return powers


def cap(fleet: Fleet, cap_pu: float, **more: object) -> None:
    fleet.limit.write(0, LimitWrite(enabled=True, cap_pu=cap_pu, **more))  # type: ignore[arg-type] # test values


@settings(max_examples=25, deadline=None)
@given(
    cap_pu=st.floats(0.0, 1.0),
    dead_steps=st.integers(0, 100),
    slope_pct_s=st.sampled_from([2.5, 5.0, 20.0, 100.0, 1000.0]),
)
def test_dead_time_then_slope(cap_pu: float, dead_steps: int, slope_pct_s: float) -> None:
    fleet = fleet_of(unit(dead_time_s=dead_steps * DT_S, slope_pct_s=slope_pct_s))
    cap(fleet, cap_pu)
    powers = run(fleet, 3.0)
    for step, power in enumerate(powers, start=1):
        moving_s = max(0.0, (step - dead_steps) * DT_S)
        assert power == pytest.approx(max(cap_pu, 1.0 - moving_s * slope_pct_s / 100.0), abs=1e-9)


def test_a_command_needs_its_whole_dead_time() -> None:
    fleet = fleet_of(unit(dead_time_s=0.2))
    cap(fleet, 0.5)
    powers = run(fleet, 0.3)
    assert powers[19] == 1.0
    assert powers[20] == pytest.approx(0.99)


def test_704_reverts_to_its_safe_value() -> None:
    fleet = fleet_of(unit(dead_time_s=0.0, slope_pct_s=1e6))
    cap(fleet, 0.8, revert_enabled=True, revert_cap_pu=0.25, revert_after_s=2.0)
    powers = run(fleet, 4.0)
    assert powers[198] == pytest.approx(0.8)
    assert powers[199] == pytest.approx(0.25)
    assert powers[-1] == pytest.approx(0.25)
    assert fleet.limit.enabled[0]
    assert fleet.limit.cap_pu[0] == 0.25


def test_123_reverts_to_full_power() -> None:
    fleet = fleet_of(unit(dead_time_s=0.0, slope_pct_s=1e6))
    cap(fleet, 0.3, revert_after_s=2.0)
    powers = run(fleet, 3.0)
    assert powers[198] == pytest.approx(0.3)
    assert powers[199] == pytest.approx(1.0)
    assert not fleet.limit.enabled[0]


def test_a_rewrite_restarts_the_timer_and_zero_never_reverts() -> None:
    fleet = fleet_of(unit(dead_time_s=0.0))
    cap(fleet, 0.3, revert_after_s=1.0)
    run(fleet, 0.9)
    cap(fleet, 0.3)
    assert fleet.limit.remaining_s(0) == 1
    assert run(fleet, 0.95)[-1] == pytest.approx(0.3)
    cap(fleet, 0.3, revert_after_s=0.0)
    assert fleet.limit.remaining_s(0) == 0
    assert run(fleet, 20.0)[-1] == pytest.approx(0.3)


def test_less_sun_acts_at_once_and_more_by_the_slope() -> None:
    fleet = fleet_of(unit(slope_pct_s=10.0))
    fleet.sun_pu[:] = 0.4
    assert run(fleet, DT_S) == [pytest.approx(0.4)]
    fleet.sun_pu[:] = 1.0
    assert run(fleet, 1.0)[-1] == pytest.approx(0.5)


def test_losing_the_grid_is_zero_at_once_and_the_return_starts_from_zero() -> None:
    fleet = fleet_of(unit(slope_pct_s=50.0))
    assert run(fleet, DT_S, energised=False) == [0.0]
    powers = run(fleet, 3.0)
    assert powers[0] == pytest.approx(0.005)
    assert powers[99] == pytest.approx(0.5)
    assert powers[-1] == pytest.approx(1.0)


def test_enter_service_waits_its_delay_without_a_break_and_ramps() -> None:
    fleet = fleet_of(unit(settings={"ES_DELAY": 2.0, "ES_RAMP_RATE": 4.0}, slope_pct_s=1e6))
    fleet.service.permit[0] = False
    run(fleet, 0.1)
    fleet.service.permit[0] = True
    assert max(run(fleet, 1.9)) == 0.0
    assert fleet.service.remaining_s(0) == pytest.approx(0.1)
    run(fleet, DT_S, v_pu=1.2)
    assert fleet.service.remaining_s(0) == pytest.approx(2.0)
    assert max(run(fleet, 1.99)) == 0.0
    powers = run(fleet, 4.0)
    assert powers[199] == pytest.approx(0.5, abs=0.01)
    assert powers[-1] == pytest.approx(1.0)


def test_a_deaf_power_stage_keeps_what_it_had() -> None:
    fleet = fleet_of(unit(dead_time_s=0.05))
    cap(fleet, 0.6)
    run(fleet, 2.0)
    fleet.deaf[:] = True
    cap(fleet, 0.1)
    assert run(fleet, 2.0)[-1] == pytest.approx(0.6)
    fleet.deaf[:] = False
    assert run(fleet, 2.0)[-1] == pytest.approx(0.1)


def test_wmax_setting_scales_the_percent_and_bounds_the_rest() -> None:
    fleet = fleet_of(unit())
    fleet.limit.wmax_pu[0] = 0.8
    assert run(fleet, 2.0)[-1] == pytest.approx(0.8)
    cap(fleet, 0.5)
    assert run(fleet, 2.0)[-1] == pytest.approx(0.4)


def test_functions_switched_off_let_go() -> None:
    fleet = fleet_of(unit(va_rating_pu=2.0, settings={"PV_MODE_ENABLE": True, "QV_MODE_ENABLE": True}))
    run(fleet, 60.0, v_pu=1.08)
    assert fleet.p_pu[0] == pytest.approx(0.5, abs=1e-3)
    assert fleet.q_pu[0] == pytest.approx(-0.88, abs=1e-3)
    fleet.configure(0, {"PV_MODE_ENABLE": False, "QV_MODE_ENABLE": False})
    run(fleet, 60.0, v_pu=1.08)
    assert fleet.p_pu[0] == pytest.approx(1.0, abs=1e-3)
    assert fleet.q_pu[0] == pytest.approx(0.0, abs=1e-3)


@pytest.mark.parametrize("var_first", [True, False])
def test_the_capability_circle_gives_way_by_priority(var_first: bool) -> None:
    constant = {"CONST_Q_MODE_ENABLE": True, "CONST_Q": 0.6}
    fleet = fleet_of(unit(va_rating_pu=1.0, var_inject_pu=0.6, settings=constant))
    fleet.var_priority[0] = var_first
    run(fleet, 30.0)
    assert fleet.q_pu[0] == pytest.approx(0.6 if var_first else 0.44, abs=1e-5)
    assert fleet.p_pu[0] ** 2 + fleet.q_pu[0] ** 2 == pytest.approx(1.0)


@settings(max_examples=40, deadline=None)
@given(
    orders=st.lists(
        st.tuples(st.integers(1, 60), st.floats(0, 1), st.floats(0, 1.2), st.booleans()), max_size=8
    )
)
def test_any_order_of_events_keeps_the_bounds(orders: list[tuple[int, float, float, bool]]) -> None:
    """Never below 0 or above the sun, never faster up than the slope; many units are as one alone."""
    alone, many = fleet_of(unit()), fleet_of(unit(), unit(dead_time_s=1.0, slope_pct_s=5.0), unit())
    for steps, cap_pu, sun_pu, energised in orders:
        for fleet in (alone, many):
            cap(fleet, cap_pu)
            fleet.sun_pu[:] = sun_pu
        before = float(alone.p_pu[0])
        powers = run(alone, steps * DT_S, energised=energised)
        assert powers == run(many, steps * DT_S, energised=energised)
        for power in powers:
            assert 0.0 <= power <= min(1.0, sun_pu) + 1e-12
            assert power <= before + DT_S + 1e-12
            before = power
