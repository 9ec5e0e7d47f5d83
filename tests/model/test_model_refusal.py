"""When a DER that refused its limit is believed again."""

from __future__ import annotations

import pytest

from edge.model.band import Band
from edge.model.refusal import Refusal

AT_20, AT_5, NOTHING = Band(20_000.0), Band(5_000.0), Band(0.0)


def refusal() -> Refusal:
    """Of a DER of 100 kW, so that 100 W are a step."""
    return Refusal(100_000.0)


def test_nothing_is_refused_at_first_and_a_limit_that_is_taken_ends_nothing() -> None:
    made = refusal()
    assert not made.active
    assert not made.taken(1.0, AT_5)
    assert not made.active


def test_a_refusal_is_news_once() -> None:
    made = refusal()
    assert made.refused(1.0, AT_20)
    assert made.active
    assert not made.refused(1.5, AT_20)


@pytest.mark.parametrize("held", [AT_20, None])
def test_a_der_that_moved_or_was_not_seen_is_believed_at_once(held: Band | None) -> None:
    made = refusal()
    made.refused(1.0, held)
    assert made.taken(1.5, AT_5)
    assert not made.active


@pytest.mark.parametrize(
    ("held_w", "moved"), [(5_100.0, False), (5_100.1, True), (4_900.0, False), (4_899.9, True)]
)
def test_less_than_a_step_is_no_move(held_w: float, moved: bool) -> None:
    made = refusal()
    made.refused(1.0, Band(held_w))
    assert made.taken(1.5, AT_5) is moved


def test_a_der_that_did_not_have_to_move_is_believed_after_two_seconds() -> None:
    made = refusal()
    made.refused(1.0, NOTHING)
    assert not made.taken(1.5, NOTHING)
    assert not made.taken(3.49, NOTHING)
    assert made.active
    assert made.taken(3.5, NOTHING)
    assert not made.active


def test_a_refusal_meanwhile_begins_the_time_anew() -> None:
    made = refusal()
    made.refused(1.0, NOTHING)
    made.taken(1.5, NOTHING)
    made.refused(3.0, NOTHING)
    assert not made.taken(4.0, NOTHING)
    assert not made.taken(5.99, NOTHING)
    assert made.taken(6.0, NOTHING)


def held_for_s(made: Refusal, from_s: float) -> float:
    """How long it holds what it was told, from a refusal on, until it is believed, in halves of a second."""
    assert made.refused(from_s, NOTHING)
    steps = 0
    while not made.taken(from_s + steps * 0.5, NOTHING):
        steps += 1
    return steps * 0.5


def test_each_time_it_was_chance_it_takes_twice_as_long_up_to_five_minutes() -> None:
    made, now_s, holds_s = refusal(), 0.0, []
    for _ in range(10):
        holds_s.append(held_for_s(made, now_s))
        now_s += holds_s[-1] + 59.5
    assert holds_s == [2.0, 4.0, 8.0, 16.0, 32.0, 64.0, 128.0, 256.0, 300.0, 300.0]


def test_a_minute_of_obedience_is_no_chance() -> None:
    made = refusal()
    held_for_s(made, 0.0)
    assert held_for_s(made, 2.0 + 60.0) == 2.0
