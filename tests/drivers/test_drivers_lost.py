"""Which length a read on a serial line asks for while answers are owed."""

from __future__ import annotations

import pytest

from drivers.lost import KEPT, KEPT_S, LostAnswers


@pytest.mark.parametrize(
    ("owed", "count", "asked"),
    [([], 5, 5), ([5], 5, 6), ([5], 4, 4), ([5], 6, 6), ([5, 6], 5, 7), ([6, 5], 5, 7), ([125], 125, 125)],
)
def test_no_length_that_is_owed_is_asked_for(owed: list[int], count: int, asked: int) -> None:
    lost = LostAnswers(serial=True)
    for length in owed:
        lost.add(7, length, 0.0)
    assert lost.length(7, count, 1.0) == asked
    assert lost.length(8, count, 1.0) == count
    lost.forget(7)
    assert lost.length(7, count, 1.0) == count


def test_ids_tell_answers_apart_on_tcp() -> None:
    lost = LostAnswers(serial=False)
    lost.add(7, 5, 0.0)
    assert lost.length(7, 5, 0.0) == 5


def test_what_is_owed_for_long_never_comes() -> None:
    lost = LostAnswers(serial=True)
    lost.add(7, 5, 10.0)
    assert lost.length(7, 5, 10.0 + KEPT_S - 0.01) == 6
    assert lost.length(7, 5, 10.0 + KEPT_S) == 5


def test_a_dead_unit_does_not_make_reads_longer_for_ever() -> None:
    lost = LostAnswers(serial=True)
    asked = []
    for _ in range(5 * KEPT):
        asked.append(lost.length(7, 10, 0.0))
        lost.add(7, asked[-1], 0.0)
    assert set(asked) == set(range(10, 10 + KEPT + 1))
    assert all(asked[number] not in asked[number - KEPT : number] for number in range(KEPT, len(asked)))
