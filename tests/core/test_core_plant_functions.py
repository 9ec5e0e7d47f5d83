"""Volt-watt, droop and volt-var by the gateway: against the curves by hand, in time, and when nothing is measured."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest
from core_bench import SETTINGS, der, image, pcc
from hypothesis import given
from hypothesis import strategies as st

from edge.core.control import core_start, core_step
from edge.core.plant_functions import (
    FunctionState,
    PlantFunctions,
    functions_start,
    functions_step,
    narrowings,
    reactive,
)
from edge.model.image import DerReading, Image
from edge.model.permit import Permit
from edge.model.sample import Sample

VALUES = {
    "PV_MODE_ENABLE": True,
    "PV_CURVE_V1": 1.06,
    "PV_CURVE_P1": 1.0,
    "PV_CURVE_V2": 1.10,
    "PV_CURVE_P2": 0.2,
    "PV_OLRT": 10.0,
    "PF_MODE_ENABLE": True,
    "PF_DBOF": 0.036,
    "PF_DBUF": 0.036,
    "PF_KOF": 0.05,
    "PF_KUF": 0.05,
    "PF_OLRT": 5.0,
    "QV_MODE_ENABLE": True,
    "QV_VREF": 1.0,
    "QV_VREF_AUTO_MODE": False,
    "QV_VREF_TIME": 300.0,
    "QV_OLRT": 5.0,
    "QV_CURVE_V1": 0.92,
    "QV_CURVE_V2": 0.98,
    "QV_CURVE_V3": 1.02,
    "QV_CURVE_V4": 1.08,
    "QV_CURVE_Q1": 0.44,
    "QV_CURVE_Q2": 0.0,
    "QV_CURVE_Q3": 0.0,
    "QV_CURVE_Q4": -0.44,
}
ALL = frozenset({"volt_watt", "freq_droop", "volt_var"})
FRESH_S = 1.0
CHAIN_S = 1.0


def plant(*functions: str, at_inverter: bool = False, **values: bool | float | str) -> PlantFunctions:
    return PlantFunctions(
        "a", 20.0, 25.0, frozenset(functions), {**VALUES, **values}, at_inverter, CHAIN_S, FRESH_S
    )


def seen(now_s: float, v_pu: float = 1.0, f_hz: float = 60.0, output_w: float = 20.0) -> Image:
    return image(pcc(0.0, now_s, v_pu=v_pu, f_hz=f_hz), der("a", output_w, 20.0, now_s))


def after(one: PlantFunctions, state: FunctionState, shown: Image, now_s: float) -> FunctionState:
    return functions_step((one,), (state,), shown, now_s)[0]


def held(one: PlantFunctions, *, seconds: float, step_s: float = 0.1, start: FunctionState | None = None,
         from_s: float = 0.0, **shown: float) -> FunctionState:  # fmt: skip
    """The state after some time at the same voltage, frequency and output."""
    state = start or FunctionState(from_s)
    for tick in range(1, round(seconds / step_s) + 1):
        now_s = from_s + tick * step_s
        state = after(one, state, seen(now_s, **shown), now_s)
    return state


@pytest.mark.parametrize(
    ("v_pu", "share"),
    [(0.9, 1.0), (1.06, 1.0), (1.0625, 0.95), (1.07, 0.8), (1.08, 0.6), (1.09, 0.4), (1.10, 0.2), (1.2, 0.2)],
)
def test_the_first_voltage_counts_at_once_and_by_the_curve(v_pu: float, share: float) -> None:
    one = plant("volt_watt")
    state = after(one, FunctionState(0.0), seen(0.1, v_pu=v_pu), 0.1)
    assert state.volt_watt_pu == pytest.approx(share)
    found = list(narrowings((one,), (state,)))
    assert [(one.by, one.der) for one in found] == ([] if share == 1.0 else [("volt-watt", "a")])
    assert [one.limit_w for one in found] == ([] if share == 1.0 else [pytest.approx(20.0 * share)])


def test_a_rise_is_followed_to_ninety_percent_in_what_is_left_of_the_response_time() -> None:
    one = plant("volt_watt")
    calm = held(one, seconds=1.0)
    state = held(one, seconds=9.0, start=calm, from_s=1.0, v_pu=1.08)
    assert state.volt_watt_pu == pytest.approx(1.0 - 0.9 * 0.4)
    assert held(one, seconds=8.9, start=calm, from_s=1.0, v_pu=1.08).volt_watt_pu > 0.64  # type: ignore[operator]


def test_a_chain_longer_than_the_response_time_leaves_no_lag() -> None:
    one = replace(plant("volt_watt"), chain_s=10.0)
    assert one.t90_s("PV_OLRT") == 0.0
    assert replace(one, chain_s=11.0).t90_s("PV_OLRT") == 0.0
    calm = held(one, seconds=1.0)
    assert held(one, seconds=0.1, start=calm, from_s=1.0, v_pu=1.08).volt_watt_pu == pytest.approx(0.6)


def test_volt_watt_lets_go_by_the_same_lag_and_in_the_end_wholly() -> None:
    one = plant("volt_watt")
    down = after(one, FunctionState(0.0), seen(0.1, v_pu=1.08), 0.1)
    back = held(one, seconds=9.0, start=down, from_s=0.1)
    assert back.volt_watt_pu == pytest.approx(0.6 + 0.9 * 0.4)
    # A lag of 9 s to 90 % is at 99.9 % of 0.4 short after ln(400) time constants: 23.4 s.
    assert held(one, seconds=23.2, start=down, from_s=0.1).volt_watt_pu < 1.0  # type: ignore[operator]
    assert held(one, seconds=23.6, start=down, from_s=0.1).volt_watt_pu == 1.0


def test_a_voltage_nobody_measures_moves_no_limit() -> None:
    one = plant("volt_watt")
    dark = image(pcc(None, 0.0), der("a", 20.0, 20.0, 0.0))
    assert after(one, FunctionState(0.0), dark, 0.1).volt_watt_pu is None
    assert list(narrowings((one,), (FunctionState(0.0),))) == []
    down = after(one, FunctionState(0.0), seen(0.1, v_pu=1.08), 0.1)
    assert after(one, down, dark, 50.0) == replace(down, at_s=50.0)
    old = seen(0.1)
    assert after(one, down, old, 0.1 + FRESH_S).volt_watt_pu > 0.6  # type: ignore[operator]
    assert after(one, down, old, 0.1 + FRESH_S + 0.01).volt_watt_pu == 0.6


def test_a_profile_without_volt_watt_narrows_nothing() -> None:
    one = plant("volt_watt", PV_MODE_ENABLE=False)
    assert held(one, seconds=1.0, v_pu=1.2).volt_watt_pu is None


def test_the_voltage_is_the_one_that_was_asked_for() -> None:
    shown = image(pcc(0.0, 0.1, v_pu=1.08), der("a", 20.0, 20.0, 0.1, v_pu=Sample.good(1.07, 0.1)))
    assert after(plant("volt_watt"), FunctionState(0.0), shown, 0.1).volt_watt_pu == pytest.approx(0.6)
    inverter = plant("volt_watt", at_inverter=True)
    assert after(inverter, FunctionState(0.0), shown, 0.1).volt_watt_pu == pytest.approx(0.8)


@pytest.mark.parametrize(
    ("f_hz", "output_w", "left"),
    [
        (60.1, 20.0, 1.0 - 0.064 / 3.0),
        (60.5, 20.0, 1.0 - 0.464 / 3.0),
        (60.5, 10.0, 0.5 - 0.464 / 3.0),
        (61.0, 20.0, 1.0 - 0.964 / 3.0),
        (63.2, 20.0, 0.0),
    ],
)
def test_droop_takes_power_off_what_was_made_before(f_hz: float, output_w: float, left: float) -> None:
    one = plant("freq_droop")
    state = held(one, seconds=60.0, f_hz=f_hz, output_w=output_w)
    assert state.droop_pu == pytest.approx(max(0.0, left))
    (found,) = narrowings((one,), (state,))
    assert (found.by, found.der) == ("frequency-droop", "a")
    assert found.limit_w == pytest.approx(20.0 * max(0.0, left))


def test_droop_covers_ninety_percent_in_what_is_left_of_its_time() -> None:
    one = plant("freq_droop")
    state = held(one, seconds=4.0, f_hz=61.5)
    assert state.droop_pu == pytest.approx(1.0 - 0.9 * 1.464 / 3.0)


@pytest.mark.parametrize("f_hz", [60.036, 60.0, 59.964, 59.0, 57.0])
def test_inside_the_dead_band_and_below_it_droop_narrows_nothing(f_hz: float) -> None:
    one = plant("freq_droop")
    state = held(one, seconds=5.0, f_hz=f_hz, output_w=10.0)
    assert state.droop_pu == 1.0
    assert state.droop.before_pu is None
    assert list(narrowings((one,), (state,))) == []


def test_what_was_made_before_is_remembered_until_the_frequency_is_back() -> None:
    one = plant("freq_droop")
    over = held(one, seconds=60.0, f_hz=61.5, output_w=20.0)
    # It makes less by now, and that is not what the next step counts from.
    on = held(one, seconds=60.0, start=over, from_s=60.0, f_hz=60.936, output_w=9.0)
    assert on.droop_pu == pytest.approx(0.7)
    under = held(one, seconds=1.0, start=on, from_s=120.0, f_hz=59.0, output_w=14.0)
    assert under.droop.before_pu is None
    assert 0.7 < under.droop_pu < 1.0
    back = held(one, seconds=4.0, start=on, from_s=120.0)
    assert back.droop_pu == pytest.approx(0.7 + 0.9 * 0.3)


def test_a_limit_opens_wholly_from_its_last_thousandth_and_only_when_it_is_to_open() -> None:
    droop, volts = plant("freq_droop"), plant("volt_watt")
    assert FunctionState(0.0).droop_pu == 1.0
    assert after(droop, FunctionState(0.0, droop_pu=0.999), seen(0.0), 0.0).droop_pu == 1.0
    assert after(droop, FunctionState(0.0, droop_pu=0.9989), seen(0.0), 0.0).droop_pu == 0.9989
    calm = held(volts, seconds=1.0)
    moved = after(volts, calm, seen(1.01, v_pu=1.0625), 1.01).volt_watt_pu
    assert moved is not None
    assert 0.999 < moved < 1.0


def test_droop_begins_where_the_output_is_and_at_nameplate_where_nobody_knows() -> None:
    one = plant("freq_droop")
    assert after(one, FunctionState(0.0), seen(0.0, f_hz=60.5, output_w=10.0), 0.0).droop_pu == 0.5
    unseen = image(pcc(0.0, 0.0, f_hz=60.5), DerReading("a", Sample.none(), Sample.none()))
    assert after(one, FunctionState(0.0), unseen, 0.0).droop_pu == 1.0
    beyond = seen(0.0, f_hz=60.5, output_w=30.0)
    assert after(one, FunctionState(0.0), beyond, 0.0).droop.before_pu == 1.0
    absorbing = seen(0.0, f_hz=60.5, output_w=-3.0)
    assert after(one, FunctionState(0.0), absorbing, 0.0).droop.before_pu == 0.0
    # A limit that stands lower from before is not lifted by a new disturbance.
    coming = replace(FunctionState(0.0), droop_pu=0.3)
    assert after(one, coming, seen(0.0, f_hz=60.5, output_w=10.0), 0.0).droop_pu == 0.3


def test_a_frequency_nobody_measures_moves_nothing() -> None:
    one = plant("freq_droop")
    over = held(one, seconds=5.0, f_hz=61.5)
    dark = image(pcc(None, 0.0), der("a", 20.0, 20.0, 0.0))
    assert after(one, over, dark, 99.0) == replace(over, at_s=99.0)


@pytest.mark.parametrize(
    ("v_pu", "q_pu"), [(0.9, 0.44), (0.95, 0.22), (0.98, 0.0), (1.02, 0.0), (1.05, -0.22), (1.1, -0.44)]
)
def test_volt_var_comes_to_its_curve(v_pu: float, q_pu: float) -> None:
    one = plant("volt_var")
    state = held(one, seconds=60.0, v_pu=v_pu)
    (told,) = reactive((one,), (state,))
    assert told.name == "a"
    assert told.var == pytest.approx(25.0 * q_pu)
    assert held(one, seconds=4.0, v_pu=v_pu).var_pu == pytest.approx(0.9 * q_pu)


def test_vars_are_for_those_whose_volt_var_runs_here() -> None:
    assert reactive((plant("volt_watt", "freq_droop"),), (FunctionState(0.0),)) == ()


def test_a_voltage_nobody_measures_is_not_regulated() -> None:
    one = plant("volt_var")
    state = held(one, seconds=60.0, v_pu=0.9)
    dark = image(pcc(None, 0.0), der("a", 20.0, 20.0, 0.0))
    assert after(one, state, dark, 64.0).var_pu == pytest.approx(0.1 * state.var_pu)
    assert after(one, state, dark, 64.0).mean_v_pu == state.mean_v_pu


def test_a_reference_that_adjusts_itself_follows_the_mean() -> None:
    one = plant("volt_var", QV_VREF_AUTO_MODE=True)
    first = after(one, FunctionState(0.0), seen(0.1, v_pu=0.95), 0.1)
    assert (first.mean_v_pu, first.var_pu) == (0.95, 0.0)
    later = held(one, seconds=240.0, start=first, from_s=0.1, v_pu=1.05, step_s=0.2)
    mean = 1.05 - 0.1 * math.exp(-240.0 / 300.0)
    assert later.mean_v_pu == pytest.approx(mean)
    settled = (1.05 - mean - 0.02) * 0.44 / 0.06
    assert later.var_pu == pytest.approx(-settled, abs=0.01)


def test_without_functions_nothing_is_done() -> None:
    assert functions_start((), 5.0) == ()
    assert functions_step((), (), seen(0.1), 0.1) == ()
    none = plant()
    assert after(none, FunctionState(0.0), seen(1.0, v_pu=1.2, f_hz=63.0), 1.0) == FunctionState(1.0)
    assert functions_start((none,), 5.0) == (FunctionState(5.0),)


@given(
    v_pu=st.lists(st.floats(0.5, 1.3), min_size=1, max_size=8),
    f_hz=st.floats(57.0, 63.0),
    step_s=st.floats(0.01, 30.0),
)
def test_no_limit_leaves_its_range_and_none_overshoots(v_pu: list[float], f_hz: float, step_s: float) -> None:
    one, state = plant(*ALL), FunctionState(0.0)
    for tick, volts in enumerate(v_pu, start=1):
        was = state
        state = after(one, state, seen(tick * step_s, v_pu=volts, f_hz=f_hz), tick * step_s)
        curve = min(1.0, max(0.2, 1.0 - 0.8 * (volts - 1.06) / 0.04))
        assert state.volt_watt_pu is not None
        low, high = sorted((curve, curve if was.volt_watt_pu is None else was.volt_watt_pu))
        assert low - 1e-9 <= state.volt_watt_pu <= (1.0 if high > 0.999 else high) + 1e-3
        assert 0.0 <= state.droop_pu <= 1.0
        assert -0.44 <= state.var_pu <= 0.44


def test_the_limiter_gives_a_der_no_more_than_its_functions_allow() -> None:
    one = plant("volt_watt", "volt_var")
    settings = replace(SETTINGS, functions=(one,), ceiling_w=200.0, limit_w=200.0, enter_ramp_s=1.0)
    state = core_start(settings, 0.0, 0.0, after_trip=False)
    for tick in range(1, 200):
        now_s = 0.1 * tick
        shown = image(
            pcc(0.0, now_s, tick, v_pu=1.08), der("a", 12.0, 12.0, now_s), der("b", 80.0, 80.0, now_s)
        )
        state, wish = core_step(shown, settings, state, Permit(), now_s, in_service=True)
    assert wish.limits_w["a"] == pytest.approx(12.0)
    assert wish.limits_w["b"] > 60.0
    narrowed = {one.by: one for one in wish.narrowings}["volt-watt"]
    assert narrowed.der == "a"
    assert narrowed.limit_w == pytest.approx(12.0)
    (told,) = wish.reactive
    assert told.var == pytest.approx(-11.0, abs=1e-3)
