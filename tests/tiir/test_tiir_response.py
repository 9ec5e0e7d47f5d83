"""The first-order lag: 90 % after its open-loop response time, whatever the step."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tiir.response import lag, respond, time_constant_s

TIMES = st.floats(0.01, 100.0)


@given(t90_s=TIMES, start=st.floats(-2, 2), end=st.floats(-2, 2), steps=st.integers(1, 50))
def test_ninety_percent_at_the_response_time(t90_s: float, start: float, end: float, steps: int) -> None:
    value = start
    for _ in range(steps):
        value = respond(value, end, t90_s / steps, t90_s)
    assert value == pytest.approx(start + 0.9 * (end - start), abs=1e-9)


@given(t90_s=TIMES, dt_s=TIMES)
def test_two_half_steps_are_one_step(t90_s: float, dt_s: float) -> None:
    halves = respond(respond(0.0, 1.0, dt_s / 2, t90_s), 1.0, dt_s / 2, t90_s)
    assert halves == pytest.approx(respond(0.0, 1.0, dt_s, t90_s), abs=1e-12)


@given(value=st.floats(-2, 2), target=st.floats(-2, 2), dt_s=TIMES, t90_s=TIMES)
def test_it_never_overshoots_nor_turns_back(value: float, target: float, dt_s: float, t90_s: float) -> None:
    after = respond(value, target, dt_s, t90_s)
    low, high = sorted((value, target))
    assert low - 1e-12 <= after <= high + 1e-12
    assert abs(after - target) <= abs(value - target) + 1e-12


def test_no_time_is_no_lag_and_no_step_is_no_change() -> None:
    assert respond(0.3, 1.0, 0.01, 0.0) == 1.0
    assert lag(0.3, 1.0, 0.01, -1.0) == 1.0
    assert respond(0.3, 1.0, 0.0, 5.0) == 0.3


def test_time_constant() -> None:
    assert time_constant_s(1.0) == pytest.approx(1 / math.log(10))
    assert lag(0.0, 1.0, 3.0, 3.0) == pytest.approx(1 - math.exp(-1))
