"""Which length a read on a serial line asks for while answers are owed, and how long what cannot differ waits."""

from __future__ import annotations

import pytest

from drivers.lost import DEAF_S, KEPT, KEPT_S, LostAnswers
from drivers.question import READ_INPUTS, READ_REGISTERS, WRITE_COIL


def owing(*lengths: int, function: int = READ_REGISTERS, at_s: float = 0.0) -> LostAnswers:
    lost = LostAnswers(serial=True)
    for length in lengths:
        lost.add(7, (function, length), at_s)
    return lost


def asked(lost: LostAnswers, count: int, now_s: float = 1.0, unit: int = 7) -> int:
    return lost.asked(unit, READ_REGISTERS, count, now_s)


@pytest.mark.parametrize(
    ("owed", "count", "wanted"),
    [([], 5, 5), ([5], 5, 6), ([5], 4, 4), ([5], 6, 6), ([5, 6], 5, 7), ([6, 5], 5, 7), ([125], 125, 125)],
)
def test_no_length_that_is_owed_is_asked_for(owed: list[int], count: int, wanted: int) -> None:
    lost = owing(*owed)
    assert asked(lost, count) == wanted
    assert asked(lost, count, unit=8) == count
    assert lost.asked(7, READ_INPUTS, count, 1.0) == count
    lost.forget(7)
    assert asked(lost, count) == count


@pytest.mark.parametrize(
    ("owed", "count", "wanted"), [([], 1, 1), ([1], 1, 9), ([1, 2], 1, 17), ([2], 1, 1), ([1], 8, 16)]
)
def test_bits_differ_by_whole_bytes(owed: list[int], count: int, wanted: int) -> None:
    assert owing(*owed, function=READ_INPUTS).asked(7, READ_INPUTS, count, 1.0) == wanted


def test_ids_tell_answers_apart_on_tcp() -> None:
    lost = LostAnswers(serial=False)
    lost.add(7, (READ_REGISTERS, 5), 0.0)
    assert asked(lost, 5, 0.0) == 5
    assert lost.due_s(7, (READ_REGISTERS, 5), 0.5, 0.1) == 0.1


def test_what_is_owed_for_long_never_comes() -> None:
    lost = owing(5, at_s=10.0)
    assert asked(lost, 5, 10.0 + KEPT_S - 0.01) == 6
    assert asked(lost, 5, 10.0 + KEPT_S) == 5


def test_what_looks_like_an_owed_answer_waits_for_it_and_nothing_else_does() -> None:
    lost = LostAnswers(serial=True)
    lost.add(7, (WRITE_COIL, 0, 1), 10.0)
    lost.add(7, (WRITE_COIL, 0, 1), 11.0)
    assert lost.due_s(7, (WRITE_COIL, 0, 1), 0.5, 11.2) == 11.5
    assert lost.due_s(7, (WRITE_COIL, 0, 1), 0.5, 11.7) == 11.7
    lost.add(7, (WRITE_COIL, 2, 1), 12.0)
    assert lost.due_s(7, (WRITE_COIL, 0, 1), 0.5, 12.0) == 12.5
    for unit, shape in ((7, (WRITE_COIL, 0, 0)), (7, (WRITE_COIL, 1, 1)), (8, (WRITE_COIL, 0, 1))):
        assert lost.due_s(unit, shape, 0.5, 12.0) == 12.0


def test_a_deaf_device_is_asked_for_no_longer_read_for_a_minute() -> None:
    lost = owing(5, at_s=DEAF_S)
    lost.answered(7, READ_REGISTERS, longer=False)
    lost.silent(7, READ_REGISTERS, 1.0)
    assert [asked(lost, 5, now_s) for now_s in (DEAF_S, DEAF_S + 0.99, DEAF_S + 1.0)] == [5, 5, 6]
    assert lost.asked(7, READ_INPUTS, 1, DEAF_S) == 1


@pytest.mark.parametrize("before", [[], [True], [False, True], [True, False]])
def test_only_who_answers_all_but_longer_reads_is_deaf(before: list[bool]) -> None:
    lost = owing(5)
    for longer in before:
        lost.answered(7, READ_REGISTERS, longer=longer)
    lost.silent(7, READ_REGISTERS, 1.0)
    assert asked(lost, 5) == 6


def test_who_is_late_is_not_deaf() -> None:
    lost = owing(5, at_s=9.0)
    lost.answered(7, READ_REGISTERS, longer=False)
    lost.late(7, 4.0)
    lost.silent(7, READ_REGISTERS, 4.0 + KEPT_S - 0.01)
    assert asked(lost, 5, 9.0) == 6
    lost.silent(7, READ_REGISTERS, 4.0 + KEPT_S)
    assert asked(lost, 5, 9.0) == 5


def test_a_dead_unit_does_not_make_reads_longer_for_ever() -> None:
    lost = LostAnswers(serial=True)
    lengths = []
    for _ in range(5 * KEPT):
        lengths.append(asked(lost, 10, 0.0))
        lost.add(7, (READ_REGISTERS, lengths[-1]), 0.0)
    assert set(lengths) == set(range(10, 10 + KEPT + 1))
    assert all(lengths[number] not in lengths[number - KEPT : number] for number in range(KEPT, len(lengths)))
