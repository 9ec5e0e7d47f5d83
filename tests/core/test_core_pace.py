"""The bound of a DER's pace: moved at once by what is slower, closed in slowly by what is not."""

from __future__ import annotations

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edge.core.pace import AROUND, QUICK, SPREAD, TAIL_S, lags, learnt


def test_a_profile_may_be_off_by_two() -> None:
    assert (QUICK, SPREAD) == (0.5, 2.0)


@pytest.mark.parametrize(("share", "seen"), [(0.0, 0.5), (0.5, 1.0), (0.75, 2**0.5), (1.0, 2.0)])
def test_what_is_not_slower_closes_it_by_a_tenth_of_the_way(share: float, seen: float) -> None:
    assert learnt(2.0, share) == pytest.approx(min(2.0, 2.0 + 0.1 * (seen * AROUND - 2.0)))


@pytest.mark.parametrize(("share", "seen"), [(1.001, 1.201), (1.2, 1.4302), (1.5, 1.859)])
def test_what_is_slower_moves_it_at_once(share: float, seen: float) -> None:
    assert learnt(1.2, share) == pytest.approx(min(2.0, seen * 1.15), rel=1e-3)


@pytest.mark.parametrize(("share", "clipped"), [(-9.0, 0.0), (-0.01, 0.0), (2.01, 2.0), (99.0, 2.0)])
def test_what_lies_far_beyond_counts_as_the_ends(share: float, clipped: float) -> None:
    assert learnt(1.3, share) == learnt(1.3, clipped)


@given(st.lists(st.floats(-3.0, 3.0), max_size=40))
@settings(max_examples=200, deadline=None, derandomize=True, database=None)
def test_it_stays_between_what_the_profile_says_and_twice_that(shares: list[float]) -> None:
    slow = AROUND
    for share in shares:
        slow = learnt(slow, share)
        assert AROUND <= slow <= SPREAD


def test_the_tail_holds_a_lag_of_a_second_to_90_percent_by_as_much_as_the_slowest_has() -> None:
    assert 1 / math.log(10) < TAIL_S <= 1.2 / math.log(10)


@pytest.mark.parametrize("lag", [True, False])
@pytest.mark.parametrize(
    ("seen_w", "straight_w", "lagging_w", "told"),
    [
        (9.0, 1.01, 9.0, None),  # on its way either way
        (0.51, 1.01, 9.0, None),
        (0.5, 1.01, 9.0, False),
        (0.6, 1.0, 9.0, None),
        (1.5, 1.0, 9.0, None),
        (1.51, 1.0, 9.0, True),
        (9.0, 0.0, 9.0, True),
        (9.1, 0.0, 9.0, None),  # beyond both
        (0.51, 0.0, 0.6, True),
        (0.51, 0.0, 0.5, None),
        (0.5, 0.0, 2.5, False),
        (-0.5, 0.0, 9.0, False),
        (0.5, 0.0, 2.49, None),
        (0.0, 0.0, 0.0, None),
    ],
)
def test_a_lag_is_told_by_where_it_differs_from_a_slope(
    lag: bool, seen_w: float, straight_w: float, lagging_w: float, told: bool | None
) -> None:
    found = lags(lag, 2 * seen_w, 2 * straight_w, 2 * lagging_w, 2.0)
    assert found is (lag if told is None else told)
