"""Reactive power modes: each against a rule of one line, at, beside and between its corners."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tiir.complete import complete
from tiir.curves import watt_var
from tiir.rating import Rating
from tiir.reactive import constant_pf_var, desired_var, reactive_mode, response_s
from tiir.setting import Der, TiirError
from tiir.values import Value
from tiir.vref import mean_v_pu, vref_pu

B3 = Der(normal="B", abnormal="III", rated_va=10e3)
STORAGE = B3.model_copy(update={"bidirectional": True})
RATING = Rating(p_w=8e3, va=10e3, q_inj_var=4.4e3, q_abs_var=4.4e3, charge_w=5e3, charge_va=6e3)


def dense(*corners: float) -> list[float]:
    """Each corner and its neighbours, and a grid all over them."""
    beside = [corner + off for corner in corners for off in (-1e-3, -1e-9, 0.0, 1e-9, 1e-3)]
    low, high = min(corners) - 0.1, max(corners) + 0.1
    return sorted([*beside, *(low + i * (high - low) / 400 for i in range(401))])


def watt_var_b(p_pu: float) -> float:
    """Category B by another road: flat to half of the rating, then a slope, on either side."""
    generating = min(max(p_pu - 0.5, 0.0), 0.5)
    absorbing = min(max(-p_pu - 0.5, 0.0), 0.5)
    return 0.88 * (absorbing - generating)


def test_watt_var_across_every_corner_of_both_sides() -> None:
    curve = watt_var(complete({}, STORAGE))
    for p_pu in dense(-1.0, -0.5, -0.2, 0.0, 0.2, 0.5, 1.0):
        assert curve(p_pu) == pytest.approx(watt_var_b(p_pu), abs=1e-9)


def test_watt_var_without_an_absorbing_side_stays_flat_below() -> None:
    none: dict[str, Value] = {f"QP_CURVE_P{i}_LOAD": 0.0 for i in (1, 2, 3)}
    curve = watt_var(complete({**none, "QP_CURVE_Q1_GEN": 0.1}, B3))
    assert [curve(p_pu) for p_pu in (-1.0, -1e-9, 0.0, 0.1, 0.2)] == pytest.approx([0.1] * 5)


def test_charging_is_per_unit_of_the_charging_rating() -> None:
    settings = complete({"QP_MODE_ENABLE": True}, STORAGE)
    assert desired_var(settings, RATING, 1.0, 8e3) == pytest.approx(-4.4e3)
    assert desired_var(settings, RATING, 1.0, 6e3) == pytest.approx(-0.25 * 8.8e3)
    assert desired_var(settings, RATING, 1.0, -5e3) == pytest.approx(4.4e3)
    assert desired_var(settings, RATING, 1.0, -3.75e3) == pytest.approx(0.25 * 8.8e3)


@given(p_w=st.floats(-1e4, 1e4), pf=st.floats(0.01, 1.0), injects=st.booleans())
def test_constant_pf_keeps_the_power_factor(p_w: float, pf: float, injects: bool) -> None:
    q_var = constant_pf_var({"CONST_PF": pf, "CONST_PF_EXCITATION": "INJ" if injects else "ABS"}, p_w)
    if abs(p_w) > 1e-3:
        assert abs(p_w) / math.hypot(p_w, q_var) == pytest.approx(pf, abs=1e-9)
    assert q_var * p_w * (1 if injects else -1) >= 0.0


@pytest.mark.parametrize(
    ("pf", "excitation", "p_w", "q_var"),
    [
        (1.0, "ABS", 5e3, 0.0),
        (0.8, "INJ", 4e3, 3e3),
        (0.8, "ABS", 4e3, -3e3),
        (0.8, "INJ", -4e3, -3e3),
        (0.8, "ABS", -4e3, 3e3),
        (0.0, "INJ", 1.0, math.inf),
        (0.0, "ABS", 1.0, -math.inf),
        (0.0, "ABS", 0.0, 0.0),
        (0.8, "ABS", 0.0, 0.0),
    ],
)
def test_constant_pf(pf: float, excitation: str, p_w: float, q_var: float) -> None:
    assert constant_pf_var({"CONST_PF": pf, "CONST_PF_EXCITATION": excitation}, p_w) == pytest.approx(q_var)


def test_constant_q_is_per_unit_of_apparent_power() -> None:
    settings = complete({"CONST_Q_MODE_ENABLE": True, "CONST_Q": -0.3}, B3)
    assert desired_var(settings, RATING, 1.2, 0.0) == pytest.approx(-3e3)


def test_the_enabled_mode_is_the_one_that_answers() -> None:
    volt_var = complete({"QV_MODE_ENABLE": True, "CONST_Q": 0.2, "CONST_PF": 0.9}, B3)
    assert reactive_mode(volt_var) == "QV_MODE_ENABLE"
    assert desired_var(volt_var, RATING, 1.05, 8e3) == pytest.approx(-2.2e3)
    assert response_s(volt_var) == 5.0
    off = complete({"CONST_PF_MODE_ENABLE": False}, B3)
    assert reactive_mode(off) is None
    assert desired_var(off, RATING, 1.05, 8e3) == 0.0
    with pytest.raises(TiirError, match="exclude each other"):
        reactive_mode({"QV_MODE_ENABLE": True, "QP_MODE_ENABLE": True})


@pytest.mark.parametrize(
    ("mode", "bound_s"),
    [("QP_MODE_ENABLE", 10.0), ("CONST_Q_MODE_ENABLE", 10.0), ("CONST_PF_MODE_ENABLE", 10.0)],
)
def test_a_mode_without_a_response_setting_has_the_bound(mode: str, bound_s: float) -> None:
    assert response_s({mode: True}) == bound_s


def test_a_setting_that_is_missing_is_named() -> None:
    with pytest.raises(TiirError, match="CONST_Q is needed"):
        desired_var({"CONST_Q_MODE_ENABLE": True}, RATING, 1.0, 0.0)


@pytest.mark.parametrize(
    ("mean", "reference"), [(0.90, 0.95), (0.95, 0.95), (0.97, 0.97), (1.05, 1.05), (1.2, 1.05)]
)
def test_the_reference_follows_within_its_bounds(mean: float, reference: float) -> None:
    fixed, own = complete({}, B3), complete({"QV_VREF_AUTO_MODE": True}, B3)
    assert vref_pu(fixed, mean) == 1.0
    assert vref_pu(own, mean) == pytest.approx(reference)


def test_the_reference_takes_its_time_constant() -> None:
    own = complete({"QV_VREF_AUTO_MODE": True, "QV_VREF_TIME": 500.0}, B3)
    mean = 1.0
    for _ in range(50):
        mean = mean_v_pu(own, mean, 1.04, 10.0)
    assert mean == pytest.approx(1.0 + 0.04 * (1 - math.exp(-1)))


@given(v_pu=st.floats(0.8, 1.2), reference=st.floats(0.95, 1.05), set_to=st.floats(0.95, 1.05))
def test_the_curve_moves_as_a_whole_with_its_reference(v_pu: float, reference: float, set_to: float) -> None:
    at_1 = complete({"QV_MODE_ENABLE": True}, B3)
    moved = complete({"QV_MODE_ENABLE": True, "QV_VREF": set_to}, B3)
    expected = desired_var(at_1, RATING, v_pu - reference + 1.0, 0.0)
    assert desired_var(moved, RATING, v_pu, 0.0, reference) == pytest.approx(expected, abs=1e-6)


def test_a_rating_converts_both_ways() -> None:
    assert [RATING.pu_of_w(p_w) for p_w in (8e3, 0.0, -5e3)] == [1.0, 0.0, -1.0]
    assert [RATING.w_of_pu(p_pu) for p_pu in (1.0, 0.0, -1.0)] == [8e3, 0.0, -5e3]
    assert Rating(8e3, 10e3, 4e3, 4e3).pu_of_w(-100.0) == 0.0
