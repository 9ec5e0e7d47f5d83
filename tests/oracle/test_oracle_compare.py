"""The comparison itself: what counts as agreement, at its bounds."""

from __future__ import annotations

import numpy as np
import pytest
from oracle_case import Answer
from oracle_compare import TOLERANCE_PU, compare

from sim.der import Status

STEPS = 20
CHANGE = 10


def answer(change: int | None = None, /, **off_pu: float) -> Answer:
    """Steady output with one trip at `change`; `off_pu` puts P or Q at a step (as `p5=0.1`) off by so much."""
    powers = {"p": np.full(STEPS, 0.8), "q": np.full(STEPS, -0.1)}
    for place, distance in off_pu.items():
        powers[place[0]][int(place[1:])] += distance
    status = np.zeros(STEPS, dtype=np.int8)
    if change is not None:
        status[change:] = Status.TRIP
    unsaid = np.zeros(STEPS, dtype=bool)
    return Answer(powers["p"], powers["q"], status, np.full(STEPS, np.nan), unsaid, unsaid)


@pytest.mark.parametrize("quantity", ["p", "q"])
@pytest.mark.parametrize("sign", [-1.0, 1.0])
@pytest.mark.parametrize(("times", "holds"), [(0.999, True), (1.001, False)])
def test_powers_may_differ_by_the_tolerance_and_no_more(
    quantity: str, sign: float, times: float, holds: bool
) -> None:
    found = compare(answer(**{f"{quantity}0": sign * times * TOLERANCE_PU}), answer())
    assert found.holds is holds
    assert found.worst_pu == pytest.approx(times * TOLERANCE_PU)


@pytest.mark.parametrize("step", range(STEPS))
def test_only_two_steps_on_each_side_of_a_change_do_not_count(step: int) -> None:
    beside = step in {CHANGE - 2, CHANGE - 1, CHANGE, CHANGE + 1}
    off = compare(answer(CHANGE, **{f"p{step}": 0.5}), answer(CHANGE))
    assert off.holds is beside


@pytest.mark.parametrize("late", range(-4, 5))
def test_a_change_is_the_same_when_it_is_one_step_earlier_or_later(late: int) -> None:
    found = compare(answer(CHANGE + late), answer(CHANGE))
    assert (not found.astray) is (abs(late) <= 1)
    assert found.transitions == 1


def test_a_change_that_one_alone_makes_is_found_from_either_side() -> None:
    assert not compare(answer(CHANGE), answer()).holds
    assert not compare(answer(), answer(CHANGE)).holds


def test_a_state_of_one_step_that_one_alone_is_in_is_found() -> None:
    blip = answer()
    blip.status[CHANGE] = Status.TRIP
    assert compare(blip, answer()).astray == [CHANGE]
    assert compare(answer(), blip).astray == [CHANGE]


def test_the_jump_of_reactive_capability_is_a_transition() -> None:
    rising, early = answer(q10=0.1), answer(q9=0.1, q10=0.1)
    rising.p_pu[:] = early.p_pu[:] = np.where(np.arange(STEPS) < CHANGE, 0.04, 0.06)
    assert not compare(rising, early).holds
    assert compare(rising, early, 0.05).holds
    assert not compare(rising, early, 0.07).holds
