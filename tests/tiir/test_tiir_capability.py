"""The capability circle: whatever is asked, what comes out fits, and nothing is given up that need not be."""

from __future__ import annotations

import math
from typing import Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tiir.capability import Priority, within, within_at_pf, within_watt_var
from tiir.complete import complete
from tiir.curves import watt_var
from tiir.rating import Rating
from tiir.setting import Der

FULL = Rating(p_w=1.0, va=1.0, q_inj_var=0.6, q_abs_var=0.6, charge_w=0.5, charge_va=0.5)
CURVE = watt_var(complete({"QP_CURVE_Q3_GEN": -0.6}, Der(normal="B", abnormal="III", bidirectional=True)))
POWERS = st.tuples(st.floats(-0.5, 1.0), st.floats(-1.5, 1.5))
CATEGORIES = st.sampled_from(["A", "B"])


def fits(power: tuple[float, float]) -> bool:
    p_w, q_var = power
    va = FULL.va if p_w >= 0.0 else FULL.charge_va
    return math.hypot(p_w, q_var) <= va + 1e-9 and abs(q_var) <= 0.6 + 1e-12


@given(asked=POWERS, priority=st.sampled_from(Priority), category=CATEGORIES)
def test_within_fits_and_never_adds(
    asked: tuple[float, float], priority: Priority, category: Literal["A", "B"]
) -> None:
    given_power = within(FULL, asked, priority, category)
    assert fits(given_power)
    assert all(abs(got) <= abs(wanted) for got, wanted in zip(given_power, asked, strict=True))
    assert all(got * wanted >= 0.0 for got, wanted in zip(given_power, asked, strict=True))
    if fits(asked) and math.hypot(*asked) < 0.5:
        assert given_power == asked


@pytest.mark.parametrize(
    ("asked", "priority", "category", "got"),
    [
        ((1.0, 0.6), Priority.REACTIVE, "B", (0.8, 0.6)),
        ((1.0, 0.9), Priority.REACTIVE, "B", (0.8, 0.6)),
        ((-1.0, -0.3), Priority.REACTIVE, "B", (-0.4, -0.3)),
        ((1.0, 0.6), Priority.ACTIVE, "B", (math.sqrt(1 - 0.44**2), 0.44)),
        ((1.0, -0.6), Priority.ACTIVE, "B", (math.sqrt(1 - 0.44**2), -0.44)),
        ((1.0, -0.6), Priority.ACTIVE, "A", (math.sqrt(1 - 0.25**2), -0.25)),
        ((1.0, 0.6), Priority.ACTIVE, "A", (math.sqrt(1 - 0.44**2), 0.44)),
        ((0.85, 0.6), Priority.ACTIVE, "B", (0.85, math.sqrt(1 - 0.85**2))),
        ((0.8, 0.6), Priority.ACTIVE, "B", (0.8, 0.6)),
        ((0.5, 0.7), Priority.ACTIVE, "B", (0.5, 0.6)),
        ((1.0, 0.3), Priority.ACTIVE, "B", (math.sqrt(1 - 0.09), 0.3)),
    ],
)
def test_priority(
    asked: tuple[float, float],
    priority: Priority,
    category: Literal["A", "B"],
    got: tuple[float, float],
) -> None:
    assert within(FULL, asked, priority, category) == pytest.approx(got)


@given(p_w=st.floats(-0.5, 1.0), pf=st.floats(0.05, 1.0))
def test_at_constant_power_factor_both_shrink_together(p_w: float, pf: float) -> None:
    q_var = p_w * math.tan(math.acos(pf))
    p_out, q_out = within_at_pf(FULL, (p_w, q_var))
    assert fits((p_out, q_out))
    if abs(q_out) < 0.6 and abs(p_w) > 1e-6:
        assert abs(p_out) / math.hypot(p_out, q_out) == pytest.approx(pf, rel=1e-6)


@pytest.mark.parametrize(
    ("asked", "got"),
    [
        ((0.8, 0.5), (0.8, 0.5)),
        ((1.0, 0.5), (1.0 / math.hypot(1.0, 0.5), 0.5 / math.hypot(1.0, 0.5))),
        ((1.0, 2.0), (0.8, 0.6)),
        ((0.5, 2.0), (0.5, 0.6)),
        ((0.5, math.inf), (0.5, 0.6)),
        ((1.0, -math.inf), (0.8, -0.6)),
    ],
)
def test_beyond_the_reactive_bound_the_power_factor_is_given_up(
    asked: tuple[float, float], got: tuple[float, float]
) -> None:
    assert within_at_pf(FULL, asked) == pytest.approx(got)


@given(p_pu=st.floats(-1.0, 1.0))
def test_watt_var_stays_on_its_curve(p_pu: float) -> None:
    p_w, asked_var = FULL.w_of_pu(p_pu), CURVE(p_pu)
    p_out, q_out = within_watt_var(FULL, (p_w, asked_var), CURVE)
    assert fits((p_out, q_out))
    assert abs(p_out) <= abs(p_w)
    assert q_out == pytest.approx(CURVE(FULL.pu_of_w(p_out)), abs=1e-6)


def test_watt_var_goes_as_far_along_the_curve_as_fits() -> None:
    """From half power on Q = -1.2 (P - 0.5): the circle is met where P^2 + 1.44 (P - 0.5)^2 = 1."""
    p_out, q_out = within_watt_var(FULL, (1.0, -0.6), CURVE)
    a, b, c = 2.44, -1.44, 0.36 - 1.0
    assert p_out == pytest.approx((-b + math.sqrt(b * b - 4 * a * c)) / (2 * a), abs=1e-9)
    assert q_out == pytest.approx(-1.2 * (p_out - 0.5), abs=1e-9)


def test_a_lagging_watt_var_keeps_its_reactive_power_and_still_fits() -> None:
    p_out, q_out = within_watt_var(FULL, (1.0, 0.2), CURVE)
    assert q_out == 0.2
    assert fits((p_out, q_out))


@given(asked=POWERS, priority=st.sampled_from(Priority), category=CATEGORIES)
def test_a_greater_der_does_the_same_in_proportion(
    asked: tuple[float, float], priority: Priority, category: Literal["A", "B"]
) -> None:
    scale = 40e3
    greater = Rating(scale, scale, 0.6 * scale, 0.6 * scale, 0.5 * scale, 0.5 * scale)
    large = (asked[0] * scale, asked[1] * scale)
    for got, small in (
        (within(greater, large, priority, category), within(FULL, asked, priority, category)),
        (within_at_pf(greater, large), within_at_pf(FULL, asked)),
        (within_watt_var(greater, large, CURVE), within_watt_var(FULL, asked, CURVE)),
    ):
        assert (got[0] / scale, got[1] / scale) == pytest.approx(small, abs=1e-7)
