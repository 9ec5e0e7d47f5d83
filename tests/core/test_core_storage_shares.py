"""Who makes room for whom: generation first, then storage, and surplus is absorbed."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest
from core_bench import A, B
from hypothesis import given
from hypothesis import strategies as st
from storage_bench import FAST, C

from edge.core.dispatch import Stores, banded
from edge.core.settings import DerPlant

D = replace(C, name="d", nameplate_w=20.0, charge_w=10.0)
SET = replace(C, name="s", by_setpoint=True)


def stores(**swaps: object) -> Stores:
    """Storage c that may do anything and was measured to absorb nothing."""
    plain = Stores(
        math.inf,
        math.inf,
        {"c": 30.0, "d": 10.0, "s": 30.0},
        {"c": 0.0, "d": 0.0, "s": 0.0},
        serve_w=0.0,
        level_w=-1e9,
    )
    return replace(plain, **swaps)  # type: ignore[arg-type]  # named fields


CAPS = {"a": 20.0, "b": 80.0, "c": 40.0, "d": 20.0, "s": 40.0}


def shared(
    total_w: float,
    wants_w: float,
    given: Stores,
    storage: tuple[DerPlant, ...] = (C,),
    caps_w: dict[str, float] | None = None,
) -> tuple[dict[str, float], dict[str, float]]:
    """A generator b that wants something, and storage."""
    return banded(total_w, (B,), storage, caps_w or CAPS, {"b": wants_w}, given, "proportional")


def test_generation_first_then_storage_and_the_rest_goes_back() -> None:
    assert shared(70.0, 50.0, stores()) == ({"b": 50.0, "c": 20.0}, {"c": -30.0})
    assert shared(70.0, 50.0, stores(discharge_w=5.0)) == ({"b": 65.0, "c": 5.0}, {"c": -30.0})
    assert shared(70.0, 50.0, stores(charge_w=12.0)) == ({"b": 50.0, "c": 20.0}, {"c": -12.0})
    assert shared(200.0, 50.0, stores())[0] == {"b": 80.0, "c": 40.0}


def test_surplus_is_absorbed_and_only_what_was_measured_makes_room() -> None:
    assert shared(40.0, 60.0, stores()) == ({"b": 40.0, "c": -20.0}, {"c": -30.0})
    measured = stores(absorbed_w={"c": 8.0})
    assert shared(40.0, 60.0, measured)[0] == {"b": 48.0, "c": -20.0}
    more = stores(absorbed_w={"c": 25.0})
    assert shared(40.0, 60.0, more)[0] == {"b": 60.0, "c": -20.0}, (
        "what it was not told to, it may end at any time"
    )
    assert shared(40.0, 80.0, more)[0] == {"b": 65.0, "c": -30.0}, "no more than it can"
    assert shared(40.0, 60.0, stores(charge_w=5.0, absorbed_w={"c": 25.0}))[0] == {"b": 45.0, "c": -5.0}
    full = stores(charge_caps_w={"c": 0.0})
    assert shared(40.0, 60.0, full) == ({"b": 40.0, "c": 0.0}, {"c": 0.0})


@pytest.mark.parametrize(("wants_w", "limit_w"), [(50.05, -0.05), (50.0, 0.0), (49.95, 0.0)])
def test_the_least_surplus_is_absorbed_and_the_least_room_left_alone(wants_w: float, limit_w: float) -> None:
    limits_w, _ = shared(50.0, wants_w, stores(discharge_w=0.0))
    assert limits_w["c"] == pytest.approx(limit_w)


def test_what_little_it_can_absorb_it_absorbs() -> None:
    limits_w, floors_w = shared(50.0, 60.0, stores(charge_caps_w={"c": 0.05}))
    assert limits_w["c"] == floors_w["c"] == -0.05


def test_what_is_only_waiting_for_its_ramp_is_no_surplus() -> None:
    assert shared(40.0, 60.0, stores(level_w=60.0))[0] == {"b": 40.0, "c": 0.0}
    assert shared(40.0, 60.0, stores(level_w=59.0))[0] == {"b": 40.0, "c": -1.0}
    assert shared(40.0, 60.0, replace(stores(), level_w=math.inf))[0] == {"b": 40.0, "c": 0.0}


def test_several_absorb_in_proportion_to_what_they_can() -> None:
    limits_w, floors_w = shared(40.0, 60.0, stores(), (C, D))
    assert limits_w == {"b": 40.0, "c": -15.0, "d": -5.0}
    assert floors_w == {"c": -30.0, "d": -10.0}
    assert shared(40.0, 60.0, stores(charge_w=20.0), (C, D))[1] == {"c": -15.0, "d": -5.0}


def test_a_negative_limit_that_a_device_holds_is_not_loosened_but_to_its_floor() -> None:
    held = {**CAPS, "c": -10.0}
    assert shared(70.0, 50.0, stores(), caps_w=held)[0] == {"b": 70.0, "c": -10.0}
    assert shared(70.0, 50.0, stores(charge_w=4.0), caps_w=held)[0]["c"] == -4.0


def test_a_set_point_serves_the_net_load_within_the_band() -> None:
    assert shared(70.0, 50.0, stores(serve_w=12.0), (SET,)) == ({"b": 58.0, "s": 12.0}, {"s": 0.0})
    assert shared(70.0, 50.0, stores(serve_w=99.0), (SET,)) == ({"b": 50.0, "s": 20.0}, {"s": 0.0})
    assert shared(70.0, 50.0, stores(serve_w=-12.0), (SET,)) == ({"b": 70.0, "s": -12.0}, {"s": -12.0})
    assert shared(70.0, 50.0, stores(serve_w=-99.0), (SET,))[0]["s"] == -30.0
    assert shared(40.0, 60.0, stores(serve_w=12.0), (SET,))[0] == {"b": 40.0, "s": -20.0}


POWERS_W = st.floats(0.0, 100.0)


@given(
    st.floats(-50.0, 200.0),
    POWERS_W,
    st.tuples(POWERS_W, POWERS_W),
    st.tuples(POWERS_W, POWERS_W),
    st.floats(-60.0, 60.0),
    st.floats(-50.0, 200.0),
    st.sampled_from(["proportional", "priority", "equal"]),
    st.sampled_from([(C, D), (SET, D), (SET,)]),
)
@FAST
def test_the_upper_limits_never_pass_the_total_but_by_what_is_measured_and_every_band_is_one(
    total_w: float,
    wants_w: float,
    may_w: tuple[float, float],
    absorbed: tuple[float, float],
    serve_w: float,
    level_w: float,
    order: str,
    storage: tuple[DerPlant, ...],
) -> None:
    given_to = stores(
        discharge_w=may_w[0],
        charge_w=may_w[1],
        absorbed_w={"c": absorbed[0], "s": absorbed[0], "d": absorbed[1]},
        serve_w=serve_w,
        level_w=level_w,
    )
    limits_w, floors_w = banded(total_w, (A, B), storage, CAPS, {"a": 0.0, "b": wants_w}, given_to, order)  # type: ignore[arg-type]  # one of three
    told_w = sum(limits_w[plant.name] for plant in storage)
    generation_w = limits_w["a"] + limits_w["b"]
    counted_w = sum(max(limits_w[plant.name], -given_to.absorbed_w[plant.name]) for plant in storage)
    assert generation_w + counted_w <= max(total_w, counted_w) + 1e-9
    assert generation_w == 0.0 or generation_w + told_w <= total_w + 1e-9
    assert -sum(floors_w.values()) <= may_w[1] + 1e-9
    assert sum(max(0.0, limits_w[plant.name]) for plant in storage) <= may_w[0] + 1e-9
    for plant in storage:
        assert -plant.charge_w - 1e-9 <= floors_w[plant.name] <= min(0.0, limits_w[plant.name]) + 1e-9
        assert limits_w[plant.name] <= plant.nameplate_w


@pytest.mark.parametrize(("charge_w", "stores"), [(0.0, False), (0.5, True)])
def test_what_can_absorb_anything_is_storage(charge_w: float, stores: bool) -> None:
    assert replace(B, charge_w=charge_w).stores is stores
