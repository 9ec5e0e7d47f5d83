"""The margin follows the noise between its floor and its cap; a step of the load is no noise."""

from __future__ import annotations

import random

import pytest

from edge.core.noise import Noise, heard, margin_w


@pytest.mark.parametrize(
    ("sigma_w", "margin"),
    [(0.0, 10.0), (3.333, 10.0), (3.334, 10.002), (20.0, 60.0), (33.3, 99.9), (34.0, 100.0)],
)
def test_three_sigma_between_floor_and_cap(sigma_w: float, margin: float) -> None:
    assert margin_w(Noise(sigma_w**2), 10.0, 100.0) == pytest.approx(margin)


def test_a_floor_above_the_cap_gives_way() -> None:
    assert margin_w(Noise(0.0), 10.0, 5.0) == 5.0


def test_the_first_load_says_nothing_of_noise() -> None:
    assert heard(Noise(4.0), 1000.0, 1.0) == Noise(4.0, 1000.0)


@pytest.mark.parametrize(
    ("change_w", "counts"), [(84.8, True), (84.9, False), (-84.8, True), (-84.9, False), (5000.0, False)]
)
def test_a_change_beyond_six_sigma_is_a_step(change_w: float, counts: bool) -> None:
    after = heard(Noise(100.0, 0.0), change_w, 1.0)
    assert (after.variance_w2 != 100.0) is counts
    assert after.last_w == change_w


@pytest.mark.parametrize(("change_w", "counts"), [(10.0, True), (10.1, False)])
def test_up_to_the_floor_a_change_always_counts(change_w: float, counts: bool) -> None:
    assert (heard(Noise(0.0, 0.0), change_w, 10.0).variance_w2 > 0) is counts


@pytest.mark.parametrize("sigma_w", [20.0, 200.0, 2000.0])
def test_it_learns_noise_of_ten_floors_from_far_below_and_far_above(sigma_w: float) -> None:
    """A floor of 0.2 % of nameplate, and noise of 2 %."""
    source = random.Random(3)
    for first_w in (sigma_w / 30, 10 * sigma_w):
        noise = Noise(first_w**2)
        for _ in range(3000):
            noise = heard(noise, source.gauss(45_000.0, sigma_w), sigma_w / 10)
        assert noise.variance_w2**0.5 == pytest.approx(sigma_w, rel=0.35)
