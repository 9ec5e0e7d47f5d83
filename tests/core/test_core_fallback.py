"""Fallback: in at the age of staleness, out only with sight held, and limits read back since it began."""

from __future__ import annotations

from dataclasses import replace

import pytest
from core_bench import SETTINGS, der, image, pcc

from edge.core.fallback import Fallback, fallback_step, fallback_total_w
from edge.model.image import Image

NONE_LOST = frozenset[str]()
OUT = Fallback(active=False, since_s=0.0)
IN = Fallback(active=True, since_s=0.0, count=1)


def seen(at_s: float, a_w: float = 5.0, b_w: float = 15.0, limits_s: float = 50.0) -> Image:
    """A PCC sample of a time, and limits read back at another."""
    return image(pcc(0.0, at_s), der("a", 0.0, a_w, limits_s), der("b", 0.0, b_w, limits_s))


@pytest.mark.parametrize(
    ("aim_w", "unmanaged_w", "total_w"),
    [(25.0, 0.0, 25.0), (25.0, 25.0, 0.0), (25.0, 25.1, 0.0), (-5.0, 0.0, 0.0)],
)
def test_the_total_is_the_aim_at_zero_host_load(aim_w: float, unmanaged_w: float, total_w: float) -> None:
    assert fallback_total_w(replace(SETTINGS, unmanaged_w=unmanaged_w), aim_w) == total_w


@pytest.mark.parametrize("age_s", [0.0, 0.999, 1.0, 1.001, 100.0])
@pytest.mark.parametrize("forced", [False, True])
def test_it_begins_when_the_sample_is_stale_or_the_guard_says_so(age_s: float, forced: bool) -> None:
    state = fallback_step(SETTINGS, OUT, seen(100.0 - age_s), NONE_LOST, 25.0, 100.0, forced=forced)
    begins = age_s > 1.0 or forced
    assert state == (Fallback(active=True, since_s=100.0, count=1) if begins else OUT)


def test_it_is_counted_once() -> None:
    state = OUT
    for _ in range(5):
        state = fallback_step(SETTINGS, state, image(pcc(None, 0.0)), NONE_LOST, 25.0, 100.0, forced=False)
    assert (state.count, state.since_s) == (1, 100.0)


def ended(hold_s: float = 5.0, sum_w: float = 20.0, *, limits_s: float = 50.0, since_s: float = 0.0) -> bool:
    """Whether it ends when sight has been held for a time."""
    state = replace(IN, sighted_s=100.0 - hold_s, since_s=since_s, starting=True)
    after = fallback_step(
        SETTINGS, state, seen(100.0, 5.0, sum_w - 5.0, limits_s), NONE_LOST, 20.0, 100.0, forced=False
    )
    assert after.count == 1
    assert after.starting is after.active
    return not after.active


@pytest.mark.parametrize("hold_s", [0.0, 4.9, 4.999, 5.0, 5.1])
def test_sight_must_be_held(hold_s: float) -> None:
    assert ended(hold_s) is (hold_s >= 5.0)


@pytest.mark.parametrize("sum_w", [0.0, 20.0, 20.5, 20.501, 100.0])
def test_the_limits_read_back_must_keep_the_sum(sum_w: float) -> None:
    assert ended(sum_w=max(5.0, sum_w)) is (max(5.0, sum_w) <= 20.5)


@pytest.mark.parametrize("limits_s", [49.0, 50.0, 50.1])
def test_they_must_have_been_read_since_it_began(limits_s: float) -> None:
    """A limit verified before the loss proves nothing about what was written since."""
    assert ended(limits_s=limits_s, since_s=50.0) is (limits_s > 50.0)


def test_a_der_that_does_not_answer_is_not_asked_for_its_limit() -> None:
    state = replace(IN, sighted_s=0.0)
    at = image(pcc(0.0, 100.0), der("a", 0.0, 5.0, 50.0), replace(der("b", 0.0, 80.0, 50.0), reachable=False))
    assert not fallback_step(SETTINGS, state, at, frozenset({"b"}), 20.0, 100.0, forced=False).active


def test_a_gap_in_sight_begins_the_hold_anew() -> None:
    state = fallback_step(SETTINGS, IN, seen(100.0), NONE_LOST, 25.0, 100.0, forced=False)
    assert state.sighted_s == 100.0
    state = fallback_step(SETTINGS, state, seen(100.0), NONE_LOST, 25.0, 101.1, forced=False)
    assert state.sighted_s is None
    assert (
        fallback_step(SETTINGS, state, seen(106.0), NONE_LOST, 25.0, 106.0, forced=False).sighted_s == 106.0
    )


def test_every_der_that_answers_counts_wherever_it_stands() -> None:
    state = replace(IN, sighted_s=0.0)
    at = seen(100.0, 5.0, 30.0)
    assert fallback_step(SETTINGS, state, at, frozenset({"a"}), 20.0, 100.0, forced=False).active
    assert not fallback_step(SETTINGS, state, at, frozenset({"a"}), 30.0, 100.0, forced=False).active


@pytest.mark.parametrize(("b_w", "ends"), [(20.45, True), (20.55, False)])
def test_an_order_to_absorb_makes_no_room(b_w: float, ends: bool) -> None:
    """20 W are allowed, and half a percent of 100 W above that."""
    held = replace(IN, sighted_s=0.0)
    after = fallback_step(SETTINGS, held, seen(100.0, -5.0, b_w), NONE_LOST, 20.0, 100.0, forced=False)
    assert after.active is not ends
