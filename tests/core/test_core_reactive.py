"""The reactive flow beside a limit in VA: noise averaged out, steps followed at once, the bound above every sample."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest
from core_bench import SETTINGS
from hypothesis import given
from hypothesis import strategies as st

from edge.core.noise import Noise
from edge.core.reactive import Reactive, followed, left_w, most_var

KNOWN = Reactive(50.0, Noise(0.0, 50.0))
"""Free of noise: the margin is its floor, 1."""


def test_the_first_sample_is_believed_with_the_noise_of_the_power() -> None:
    assert followed(SETTINGS, None, -30.0, 0.25) == Reactive(30.0, Noise(0.25, 30.0))


@pytest.mark.parametrize("var", [49.0, 49.5, 50.0, 50.5, 51.0, -51.0])
def test_noise_is_averaged_out(var: float) -> None:
    assert followed(SETTINGS, KNOWN, var, 9.9).var == pytest.approx(50.0 + (abs(var) - 50.0) / 8)


@pytest.mark.parametrize("var", [0.0, 48.9, 51.1, -51.1, 90.0])
def test_a_step_is_followed_at_once_either_way(var: float) -> None:
    assert followed(SETTINGS, KNOWN, var, 9.9).var == pytest.approx(abs(var))


def test_the_noise_is_heard() -> None:
    found = followed(SETTINGS, KNOWN, 50.6, 9.9)
    assert found.noise.variance_w2 == pytest.approx(0.36 / 2 / 300)
    assert found.noise.last_w == 50.6


@given(st.lists(st.floats(-200.0, 200.0), min_size=1, max_size=30))
def test_the_bound_is_above_the_last_sample(flow: list[float]) -> None:
    known = None
    for var in flow:
        known = followed(replace(SETTINGS, margin_cap_w=5.0), known, var, 0.0)
        assert most_var(replace(SETTINGS, margin_cap_w=5.0), known) >= abs(var) - 1e-9


@pytest.mark.parametrize(("variance_w2", "margin"), [(0.0, 1.0), (0.25, 1.5), (4.0, 2.0)])
def test_the_bound_has_a_margin_of_its_noise_between_floor_and_cap(variance_w2: float, margin: float) -> None:
    assert most_var(SETTINGS, Reactive(30.0, Noise(variance_w2))) == 30.0 + margin
    assert most_var(SETTINGS, None) == 0.0


@pytest.mark.parametrize("var", [-26.0, -25.0, -15.0, 0.0, 7.0, 15.0, 24.9, 25.0, 25.1, 1e6])
def test_what_is_left_makes_up_the_limit(var: float) -> None:
    found = left_w(25.0, var)
    assert found == 0.0 if abs(var) >= 25.0 else math.hypot(found, var) == pytest.approx(25.0)
