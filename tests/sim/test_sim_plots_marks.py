"""Marks of a run's picture: every one at its own time, labels apart and close by."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sim.plots.marks import Mark, apart, labels, marks
from sim.plots.style import BLACK, GREY, VERMILION
from sim.run import run
from sim.scenario import load_scenario

PLACES = st.lists(st.floats(0.0, 100.0), max_size=30).map(sorted)


@given(PLACES)
def test_labels_are_apart_in_order_and_inside(wanted: list[float]) -> None:
    places = apart(wanted, 2.0, 100.0)
    assert all(right - left >= 2.0 - 1e-9 for left, right in pairwise(places))
    assert all(-1e-9 <= place <= 100.0 + 1e-9 for place in places)


@given(PLACES)
def test_labels_that_are_apart_stay(wanted: list[float]) -> None:
    spread = [place for index, place in enumerate(wanted) if not index or place - wanted[index - 1] >= 2.0]
    if all(right - left >= 2.0 for left, right in pairwise(spread)):
        assert apart(spread, 2.0, 100.0) == pytest.approx(spread)


def test_labels_of_one_instant_stand_around_it() -> None:
    assert apart([50.0] * 3, 2.0, 100.0) == pytest.approx([48.0, 50.0, 52.0])
    assert apart([0.0] * 3, 2.0, 100.0) == pytest.approx([0.0, 2.0, 4.0])
    assert apart([100.0] * 3, 2.0, 100.0) == pytest.approx([96.0, 98.0, 100.0])
    assert apart([], 2.0, 100.0) == []


def test_equal_words_close_by_share_a_label_and_keep_their_times() -> None:
    happened = [Mark(at_s, text, GREY) for at_s, text in ((1.0, "a"), (1.5, "b"), (2.0, "a"), (60.0, "a"))]
    told = labels(happened, 100.0)
    assert [(label.text, label.times_s) for label in told] == [
        ("a ×2", (1.0, 2.0)),
        ("b", (1.5,)),
        ("a", (60.0,)),
    ]


def test_more_than_fit_are_merged_and_the_loud_ones_stay() -> None:
    often = [Mark(float(second), "again", GREY) for second in range(0, 100, 10) for _ in range(3)]
    many = [Mark(50.0, f"event {number}", GREY) for number in range(80)]
    trip = Mark(50.0, "trip 32", VERMILION)
    told = labels(
        sorted([*often, *many, trip, Mark(51.0, "reset", BLACK)], key=lambda mark: mark.at_s), 100.0
    )
    assert {"trip 32", "reset"} <= {label.text for label in told}
    places = [label.place_s for label in told]
    assert all(right - left >= 1.8 - 1e-9 for left, right in pairwise(places))
    assert 0.0 <= places[0] <= places[-1] <= 100.0 + 1e-9


def test_a_trip_stands_at_its_own_time_and_watts_are_told_as_kilowatts() -> None:
    done = run(load_scenario("trip-and-return"))
    told = {label.text: label for label in labels(marks(done), done.scenario.duration_s)}
    trip = next(event.at_s for event in done.events if event.kind == "trip")
    assert told["load to 2 kW"].times_s == (30.0,)
    assert told["trip 32"].times_s == (trip,)
    assert trip > 30.5
