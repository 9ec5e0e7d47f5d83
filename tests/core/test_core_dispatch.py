"""Shares: never above the total, never above a cap, never between 0 and the minimum."""

from __future__ import annotations

import itertools
from dataclasses import replace

import pytest
from core_bench import A, B
from hypothesis import given, settings
from hypothesis import strategies as st

from edge.core.dispatch import equal, priority, proportional, sharing
from edge.core.settings import Order

ORDERS: tuple[Order, ...] = ("proportional", "priority", "equal")
NOTHING_CAPS = {"a": 20.0, "b": 80.0}


@pytest.mark.parametrize("total_w", [-10.0, 0.0, 0.001, 50.0, 99.999, 100.0, 100.001, 1e9])
def test_in_proportion_to_nameplate_up_to_it(total_w: float) -> None:
    within_w = min(100.0, max(0.0, total_w))
    assert proportional(total_w, (A, B), NOTHING_CAPS) == {
        "a": pytest.approx(within_w * 0.2),
        "b": pytest.approx(within_w * 0.8),
    }


def test_what_one_may_not_take_goes_to_the_other() -> None:
    assert proportional(50.0, (A, B), {"a": 20.0, "b": 10.0}) == {"a": 20.0, "b": 10.0}
    assert proportional(50.0, (A, B), {"a": 0.0, "b": 80.0}) == {"a": 0.0, "b": 50.0}
    assert proportional(50.0, (), {}) == {}


@pytest.mark.parametrize(
    ("total_w", "a_w", "b_w"), [(9.99, 0.0, 9.99), (49.99, 0.0, 49.99), (50.0, 10.0, 40.0)]
)
def test_a_share_below_the_minimum_is_nothing_and_goes_to_the_other(
    total_w: float, a_w: float, b_w: float
) -> None:
    limits_w = proportional(total_w, (replace(A, min_w=10.0), B), NOTHING_CAPS)
    assert limits_w == {"a": pytest.approx(a_w), "b": pytest.approx(b_w)}


LEVELS = (0.0, 4.999, 5.0, 5.001, 20.0, 79.999, 80.0, 200.0)


def test_every_total_cap_and_minimum_at_the_boundaries() -> None:
    passed = 0
    for total_w, a_cap_w, b_cap_w, min_w in itertools.product(LEVELS, LEVELS, LEVELS, (0.0, 5.0, 19.0)):
        ders = (replace(A, min_w=min_w), replace(B, min_w=min_w))
        limits_w = proportional(total_w, ders, {"a": a_cap_w, "b": b_cap_w})
        assert sum(limits_w.values()) <= total_w + 1e-9
        for plant, cap_w in zip(ders, (a_cap_w, b_cap_w), strict=True):
            limit_w = limits_w[plant.name]
            assert limit_w == 0.0 or min_w <= limit_w <= min(cap_w, plant.nameplate_w)
        passed += total_w > min(a_cap_w, 20.0) + min(b_cap_w, 80.0)
    assert passed > 100  # the totals do pass what the caps allow


@given(
    st.lists(st.tuples(st.floats(1, 1e6), st.floats(0, 1e6), st.floats(0, 0.9)), min_size=1, max_size=12),
    st.floats(0, 1e7),
)
@settings(max_examples=200, deadline=None, derandomize=True, database=None)
def test_the_sum_never_passes_the_total_and_nothing_is_left_without_a_reason(
    made: list[tuple[float, float, float]], total_w: float
) -> None:
    ders = tuple(
        replace(A, name=str(k), nameplate_w=nameplate_w, min_w=nameplate_w * part)
        for k, (nameplate_w, _, part) in enumerate(made)
    )
    caps_w = {str(k): cap_w for k, (_, cap_w, _) in enumerate(made)}
    limits_w = proportional(total_w, ders, caps_w)
    most_w = sum(min(caps_w[plant.name], plant.nameplate_w) for plant in ders)
    assert sum(limits_w.values()) <= total_w * (1 + 1e-12) + 1e-9
    if all(plant.min_w == 0 for plant in ders):
        assert sum(limits_w.values()) == pytest.approx(min(total_w, most_w))


@pytest.mark.parametrize(
    ("total_w", "a_w", "b_w"),
    [(-1.0, 0.0, 0.0), (19.0, 19.0, 0.0), (20.0, 20.0, 0.0), (50.0, 20.0, 30.0), (101.0, 20.0, 80.0)],
)
def test_by_priority_each_gets_all_it_may_take_before_the_next(
    total_w: float, a_w: float, b_w: float
) -> None:
    assert priority(total_w, (A, B), NOTHING_CAPS) == {"a": a_w, "b": b_w}


def test_priority_is_the_order_of_the_file_and_holds_caps_and_minima() -> None:
    assert priority(50.0, (B, A), NOTHING_CAPS) == {"b": 50.0, "a": 0.0}
    assert priority(50.0, (A, B), {"a": 5.0, "b": 80.0}) == {"a": 5.0, "b": 45.0}
    assert priority(50.0, (A, B), {"a": -5.0, "b": 300.0}) == {"a": 0.0, "b": 50.0}
    assert priority(300.0, (A, B), {"a": 300.0, "b": 300.0}) == {"a": 20.0, "b": 80.0}
    picky = replace(B, min_w=31.0)
    assert priority(50.0, (A, picky), NOTHING_CAPS) == {"a": 20.0, "b": 0.0}
    assert priority(9.0, (replace(A, min_w=10.0), B), NOTHING_CAPS) == {"a": 0.0, "b": 9.0}


@pytest.mark.parametrize(
    ("total_w", "a_w", "b_w"),
    [(-1.0, 0.0, 0.0), (30.0, 15.0, 15.0), (40.0, 20.0, 20.0), (50.0, 20.0, 30.0), (101.0, 20.0, 80.0)],
)
def test_equal_shares_are_equal_in_watts(total_w: float, a_w: float, b_w: float) -> None:
    assert equal(total_w, (B, A), NOTHING_CAPS) == {"a": a_w, "b": b_w}


def test_equal_shares_hold_caps_and_minima() -> None:
    assert equal(50.0, (A, B), {"a": 5.0, "b": 80.0}) == {"a": 5.0, "b": 45.0}
    assert equal(50.0, (A, B), {"a": -5.0, "b": 80.0}) == {"a": 0.0, "b": 50.0}
    assert equal(29.0, (replace(A, min_w=15.0), B), NOTHING_CAPS) == {"a": 0.0, "b": 29.0}


@given(
    st.lists(st.tuples(st.floats(1, 1e6), st.floats(0, 1e6), st.floats(0, 0.9)), max_size=8),
    st.floats(-10, 1e7),
    st.sampled_from(ORDERS),
)
@settings(max_examples=200, deadline=None, derandomize=True, database=None)
def test_in_every_order_the_sum_and_each_share_are_held(
    made: list[tuple[float, float, float]], total_w: float, order: Order
) -> None:
    ders = tuple(
        replace(A, name=str(k), nameplate_w=nameplate_w, min_w=nameplate_w * part)
        for k, (nameplate_w, _, part) in enumerate(made)
    )
    caps_w = {str(k): cap_w for k, (_, cap_w, _) in enumerate(made)}
    limits_w = sharing(order)(total_w, ders, caps_w)
    assert sum(limits_w.values()) <= max(0.0, total_w) * (1 + 1e-12) + 1e-9
    for plant in ders:
        limit_w = limits_w[plant.name]
        assert limit_w == 0.0 or plant.min_w <= limit_w <= min(caps_w[plant.name], plant.nameplate_w)
    if all(plant.min_w == 0 for plant in ders):
        most_w = sum(min(caps_w[plant.name], plant.nameplate_w) for plant in ders)
        assert sum(limits_w.values()) == pytest.approx(min(max(0.0, total_w), most_w))


def test_each_order_is_its_own() -> None:
    assert [sharing(order) for order in ORDERS] == [proportional, priority, equal]
