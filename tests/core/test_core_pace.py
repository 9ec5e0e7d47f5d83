"""The bounds of a DER's pace: moved at once by what lies beyond them, closed in slowly by what lies within."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edge.core.pace import AROUND, SPREAD, Pace, learnt

WIDE = Pace(1 / SPREAD, SPREAD)


@pytest.mark.parametrize(("share", "factor"), [(0.0, 0.5), (0.5, 1.0), (1.0, 2.0), (0.25, 2**-0.5)])
def test_within_the_bounds_they_close_by_a_tenth_of_their_way(share: float, factor: float) -> None:
    found = learnt(WIDE, share)
    assert found.quick == pytest.approx(max(0.5, 0.5 + 0.1 * (factor / AROUND - 0.5)))
    assert found.slow == pytest.approx(min(2.0, 2.0 + 0.1 * (factor * AROUND - 2.0)))


def test_beyond_a_bound_it_is_moved_at_once() -> None:
    narrow = Pace(0.9, 1.1)
    assert learnt(narrow, -1.0).quick == pytest.approx(0.9 * (0.9 / 1.1) / AROUND)
    assert learnt(narrow, 2.0).slow == pytest.approx(1.1 * (1.1 / 0.9) * AROUND)


@pytest.mark.parametrize("share", [0.0, 0.01, 0.5, 0.99, 1.0])
def test_on_a_bound_it_stays_where_it_is(share: float) -> None:
    """An output that has not begun to move says that its answer is not quicker, and not how slow it is."""
    found = learnt(Pace(0.9, 1.1), share)
    assert 0.9 <= found.quick <= found.slow <= 1.1


@pytest.mark.parametrize(("share", "clipped"), [(-9.0, -1.0), (-1.01, -1.0), (2.01, 2.0), (99.0, 2.0)])
def test_one_answer_moves_them_by_no_more_than_their_own_width(share: float, clipped: float) -> None:
    assert learnt(Pace(0.9, 1.1), share) == learnt(Pace(0.9, 1.1), clipped)


@given(st.lists(st.floats(-3.0, 3.0), max_size=40))
@settings(max_examples=200, deadline=None, derandomize=True, database=None)
def test_they_stay_in_order_and_within_twice_the_profile(shares: list[float]) -> None:
    pace = Pace()
    for share in shares:
        pace = learnt(pace, share)
        assert 1 / SPREAD <= pace.quick <= pace.slow <= SPREAD
