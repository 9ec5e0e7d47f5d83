"""A meter slower than its site file says is told of once, by the median of its samples' ages."""

from __future__ import annotations

import pytest
from guard_bench import site

from edge.guard import budget
from edge.guard.slipping import SAMPLES, Slipping
from edge.model.sample import Quality, Sample

DECLARED_S = 0.2 + 0.02 + 2 * 0.15 + 0.15


class Fed:
    """Samples, each `age_s` old when the next one comes."""

    def __init__(self) -> None:
        self.slipping = Slipping(site())
        self.now_s = 100.0

    def take(self, age_s: float, count: int) -> list[str]:
        """So many samples; what was said."""
        said = []
        for _ in range(count):
            self.now_s += age_s
            said.append(self.slipping.take(Sample.good(1.0, self.now_s, self.now_s)))
        return [sentence for sentence in said if sentence is not None]


def test_what_is_declared_is_a_sum() -> None:
    assert budget.renewal(site()).spelled() == (
        "0.20 meter period + 0.00 averaging + 0.02 latency + 0.30 between two requests, twice + 0.15 request = 0.67 s"
    )
    shared = site(("15022?unit=1", "15021?unit=2"))
    assert budget.renewal(shared).total_s == pytest.approx(DECLARED_S + 0.3)
    seldom = site(("latency_s = 0.02", "latency_s = 0.02\npoll_s = 0.2"))
    assert budget.renewal(seldom).total_s == pytest.approx(DECLARED_S + 2 * 0.05)


@pytest.mark.parametrize(("age_s", "slips"), [(DECLARED_S - 0.001, False), (DECLARED_S + 0.001, True)])
def test_it_slips_beyond_what_is_declared(age_s: float, slips: bool) -> None:
    fed = Fed()
    assert fed.take(age_s, 20) == []
    said = fed.take(age_s, 1)
    assert bool(said) is slips
    if slips:
        assert said[0].startswith(
            "the PCC meter is slower than declared: a sample is 0.67 s old when the next one"
        )


def test_as_late_as_declared_is_in_time() -> None:
    slipping, declared_s = Slipping(site()), budget.renewal(site()).total_s
    assert [slipping.take(Sample.good(1.0, 0.0, declared_s)) for _ in range(30)] == [None] * 30


def test_it_is_told_once_and_again_after_it_was_quick_enough() -> None:
    fed = Fed()
    assert len(fed.take(0.8, 3 * SAMPLES)) == 1
    assert fed.take(0.2, SAMPLES) == []
    assert len(fed.take(0.8, SAMPLES)) == 1


def test_less_than_half_that_are_late_are_no_rule() -> None:
    fed = Fed()
    for _ in range(10):
        assert fed.take(0.2, SAMPLES // 2 + 1) + fed.take(0.8, SAMPLES // 2 - 1) == []


def test_what_is_not_good_says_nothing() -> None:
    fed = Fed()
    fed.take(0.8, SAMPLES)
    assert fed.slipping.take(Sample.none(Quality.INVALID)) is None
    assert len(fed.take(0.8, 1)) == 1
