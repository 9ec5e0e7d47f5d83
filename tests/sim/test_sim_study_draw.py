"""Draws: every distribution is a monotone quantile function inside its support; a site's values are its own."""

from __future__ import annotations

import math
import random
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.model.strict_toml import FileRefusedError, load
from sim.study.draw import Draw, share_of
from sim.study.family import Family

DRAWS = [
    Draw(uniform=(0.2, 0.7)),
    Draw(uniform=(-3.0, -3.0)),
    Draw(log_uniform=(0.05, 500.0)),
    Draw(normal=(0.6, 0.2), low=0.1, high=0.7),
    Draw(choice=(5.0, 1.0, 3.0)),
    Draw(choice=(1.0, 2.0), weights=(1.0, 9.0)),
]

shares = st.floats(0.0, 1.0, exclude_max=True)


@pytest.mark.parametrize("draw", DRAWS, ids=repr)
@given(one=shares, other=shares)
def test_values_lie_in_the_support_and_rise_with_the_share(draw: Draw, one: float, other: float) -> None:
    low, high = draw.support()
    first, second = draw.at(min(one, other)), draw.at(max(one, other))
    assert low <= first <= high
    assert low <= second <= high
    assert draw.choice is not None or first <= second


@pytest.mark.parametrize(
    ("draw", "share", "value"),
    [
        (Draw(uniform=(0.0, 10.0)), 0.25, 2.5),
        (Draw(log_uniform=(0.1, 10.0)), 0.5, 1.0),
        (Draw(normal=(5.0, 1.0), low=0.0, high=9.0), 0.5, 5.0),
        (Draw(normal=(5.0, 1.0), low=4.9, high=9.0), 0.1, 4.9),
        (Draw(normal=(5.0, 1.0), low=0.0, high=5.1), 0.9, 5.1),
        (Draw(normal=(5.0, 1.0), low=-99.0, high=99.0), 0.84134, 6.0),
        (Draw(choice=(1.0, 2.0), weights=(1.0, 3.0)), 0.249, 1.0),
        (Draw(choice=(1.0, 2.0), weights=(1.0, 3.0)), 0.25, 2.0),
        (Draw(choice=(7.0,)), 0.999999, 7.0),
    ],
)
def test_quantiles_by_hand(draw: Draw, share: float, value: float) -> None:
    assert math.isclose(draw.at(share), value, rel_tol=1e-4)


def test_weights_come_out_as_frequencies() -> None:
    draw, chance = Draw(choice=(1.0, 2.0, 3.0), weights=(1.0, 2.0, 7.0)), random.Random(1)
    found = Counter(draw.at(chance.random()) for _ in range(20_000))
    assert [round(found[value] / 20_000, 1) for value in (1.0, 2.0, 3.0)] == [0.1, 0.2, 0.7]


def test_the_share_of_a_site_is_the_same_on_every_machine() -> None:
    found = [round(share_of(1, site, "limit_pu"), 6) for site in (0, 1, 1200)]
    assert found == [0.028485, 0.866448, 0.927323]


def test_shares_fill_the_unit_interval_evenly_and_parameters_do_not_follow_each_other() -> None:
    ones = [share_of(3, site, "ders") for site in range(4000)]
    others = [share_of(3, site, "limit_pu") for site in range(4000)]
    assert all(abs(sum(lower <= one < lower + 0.1 for one in ones) - 400) < 100 for lower in (0.0, 0.4, 0.9))
    middle = sum((one - 0.5) * (other - 0.5) for one, other in zip(ones, others, strict=True)) / 4000
    assert abs(middle * 12) < 0.05, "the correlation of independent draws is near 0"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("uniform = [0.1, 0.2]\nchoice = [0.1]", "give exactly one of"),
        ("weights = [1.0]", "give exactly one of"),
        ("uniform = [0.1, 0.2]\nweights = [1.0, 1.0]", "weights need a choice"),
        ("choice = [0.1, 0.2]\nweights = [1.0]", "one weight for each"),
        ("choice = [0.1, 0.2]\nweights = [1.0, 0.0]", "greater than 0"),
        ("choice = []", "at least 1"),
        ("normal = [0.1, 0.2]", "it needs both"),
        ("normal = [0.1, 0.2]\nlow = 0.0", "it needs both"),
        ("normal = [0.1, 0.0]\nlow = 0.0\nhigh = 1.0", "sigma"),
        ("uniform = [0.1, 0.2]\nlow = 0.0\nhigh = 1.0", "nothing else takes them"),
        ("uniform = [0.3, 0.2]", "above the upper"),
        ("log_uniform = [0.0, 0.2]", "above 0"),
        ("uniform = [0.1]", "uniform"),
        ('uniform = ["a", "b"]', "number"),
        ("gauss = [0.1, 0.2]", "unknown key"),
    ],
)
def test_a_draw_that_makes_no_sense_is_refused(text: str, said: str) -> None:
    with pytest.raises(FileRefusedError, match=said):
        load(Draw, text, "draw.toml")


def test_a_parameter_does_not_depend_on_the_others() -> None:
    few = Family(limit_pu=Draw(uniform=(0.0, 0.5)))
    many = Family(limit_pu=Draw(uniform=(0.0, 0.5)), ders=Draw(choice=(1.0, 5.0)))
    for site in range(50):
        assert few.drawn(1, site)["limit_pu"] == many.drawn(1, site)["limit_pu"]
    assert few.drawn(1, 7) != few.drawn(2, 7)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("limit_pu = { uniform = [0.5, 1.01] }", "family.limit_pu: can draw 0.5 to 1.01; allowed is 0 to 1"),
        ("dead_time_s = { choice = [-0.1, 1.0] }", "family.dead_time_s: can draw -0.1"),
        ("ders = { uniform = [1.0, 5.0] }", "family.ders: counts something"),
        ("ders = { choice = [1, 2.5] }", "family.ders: counts something"),
        ("ders = { choice = [0] }", "family.ders: can draw 0"),
    ],
)
def test_a_parameter_that_could_leave_its_bounds_is_refused(text: str, said: str) -> None:
    with pytest.raises(FileRefusedError, match=said):
        load(Family, text, "family.toml")
