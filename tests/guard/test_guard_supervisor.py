"""The supervisor: who keeps its power above its limit is found, who is on its way down is not."""

from __future__ import annotations

import pytest

from edge.guard.settings import DerSettings
from edge.guard.supervisor import Watch, must_trip, watch_step
from edge.model.image import DerReading
from edge.model.sample import Sample

DER = DerSettings("a", 100.0, "k", 1.0, 2.0)
PATIENCE_S = 2 * 1.0 + 2.0


class Watched:
    """One DER, told and measured every 0.1 s."""

    def __init__(self) -> None:
        self.now_s = 0.0
        self.watch = Watch(((0.0, 100.0),))

    def see(
        self, limit_w: float, output_w: float | None, *, reachable: bool = True, after_s: float = 0.1
    ) -> Watched:
        """One scan."""
        self.now_s += after_s
        self.sample = Sample.none() if output_w is None else Sample.good(output_w, self.now_s)
        reading = DerReading("a", self.sample, Sample.none(), reachable=reachable)
        self.watch = watch_step(DER, self.watch, limit_w, reading, self.now_s)
        return self

    @property
    def convicted(self) -> bool:
        """Whether it is called unresponsive."""
        return self.watch.unresponsive_s is not None


@pytest.mark.parametrize(
    ("output_w", "guilty"), [(52.0, False), (52.001, True), (51.0, False), (100.0, True)]
)
def test_two_percent_above_the_limit_is_following_it(output_w: float, guilty: bool) -> None:
    watched = Watched()
    while watched.now_s < PATIENCE_S + 1:
        watched.see(50.0, output_w)
    assert watched.convicted is guilty


def test_it_has_twice_its_decay_and_some_patience() -> None:
    watched = Watched()
    while not watched.convicted:
        watched.see(50.0, 100.0)
    assert PATIENCE_S < watched.now_s <= PATIENCE_S + 0.21


@pytest.mark.parametrize("seen_s", [4.95, 4.999, 5.0, 5.05])
def test_what_counts_is_the_highest_limit_in_force_that_long_before_the_measurement(seen_s: float) -> None:
    told = Watch(((0.0, 100.0), (1.0, 50.0)))
    reading = DerReading("a", Sample.good(60.0, seen_s), Sample.none())
    assert (watch_step(DER, told, 50.0, reading, 6.0).unresponsive_s is not None) is (
        seen_s >= 1.0 + PATIENCE_S
    )


@pytest.mark.parametrize(("decay_s", "patience_s"), [(0.5, 3.0), (1.0, 4.0), (3.0, 8.0)])
def test_a_slow_der_has_longer(decay_s: float, patience_s: float) -> None:
    slow = DerSettings("a", 100.0, "k", decay_s, 2.0)
    told = Watch(((0.0, 100.0), (1.0, 50.0)))
    for seen_s in (0.95 + patience_s, 1.05 + patience_s):
        reading = DerReading("a", Sample.good(60.0, seen_s), Sample.none())
        convicted = watch_step(slow, told, 50.0, reading, seen_s).unresponsive_s is not None
        assert convicted is (seen_s > 1.0 + patience_s)


@pytest.mark.parametrize(("output_w", "convicted"), [(52.0, False), (52.001, True)])
def test_two_percent_above_what_was_due_is_following_it(output_w: float, convicted: bool) -> None:
    """The limit fell again just now: what counts is the one it has had the time to follow."""
    told = Watch(((0.0, 50.0), (9.0, 20.0)))
    reading = DerReading("a", Sample.good(output_w, 10.0), Sample.none())
    assert (watch_step(DER, told, 20.0, reading, 10.0).unresponsive_s is not None) is convicted


def test_limits_are_kept_as_long_as_a_measurement_may_need_them() -> None:
    """A measurement of ten seconds ago is held against what was in force before that."""
    watch = Watch(((0.0, 100.0),))
    silent = DerReading("a", Sample.none(), Sample.none())
    for now_s, limit_w in [(1.0, 80.0), (10.0, 50.0), (14.9, 50.0)]:
        watch = watch_step(DER, watch, limit_w, silent, now_s)
    assert watch.limits == ((0.0, 100.0), (1.0, 80.0), (10.0, 50.0))
    assert watch_step(DER, watch, 50.0, silent, 15.0).limits == ((1.0, 80.0), (10.0, 50.0))


@pytest.mark.parametrize(
    ("limit_w", "limits"),
    [
        (100.0, ((0.0, 100.0),)),
        (90.0, ((0.0, 100.0), (1.0, 90.0))),
        (80.0, ((0.0, 100.0), (1.0, 80.0))),
        (60.0, ((0.0, 100.0), (1.0, 80.0), (2.0, 60.0))),
        (50.0, ((0.0, 100.0), (1.0, 80.0), (2.0, 50.0))),
        (40.0, ((0.0, 100.0), (1.0, 80.0), (2.0, 50.0), (3.0, 40.0))),
    ],
)
def test_a_limit_takes_over_from_the_first_that_it_reaches(
    limit_w: float, limits: tuple[tuple[float, float], ...]
) -> None:
    told = Watch(((0.0, 100.0), (1.0, 80.0), (2.0, 50.0)))
    silent = DerReading("a", Sample.none(), Sample.none())
    assert watch_step(DER, told, limit_w, silent, 3.0).limits == limits


def test_one_that_is_unreachable_may_be_at_nameplate_from_then_on() -> None:
    told = Watch(((0.0, 50.0),), 1.0, 0.5)
    lost = DerReading("a", Sample.none(), Sample.none(), reachable=False)
    assert watch_step(DER, told, 50.0, lost, 3.0) == Watch(((3.0, 100.0),), 1.0, 0.5)


def test_a_der_that_lags_a_falling_limit_is_not_convicted() -> None:
    watched = Watched()
    for k in range(200):
        watched.see(max(0.0, 100.0 - k), min(100.0, max(0.0, 110.0 - k)))
    assert not watched.convicted


def test_a_limit_that_swings_below_its_power_is_no_excuse() -> None:
    """Each lowering used to give new patience: a DER that stood still under a restless load was never found."""
    watched = Watched()
    for k in range(100):
        watched.see(50.0 if k % 20 < 10 else 40.0, 60.0)
    assert watched.convicted


def test_only_power_within_the_limit_in_force_acquits() -> None:
    watched = Watched()
    while not watched.convicted:
        watched.see(50.0, 100.0)
    began_s = watched.watch.unresponsive_s
    assert watched.see(0.0, 40.0).watch.unresponsive_s == began_s
    assert watched.see(0.0, None).watch.unresponsive_s == began_s
    assert not watched.see(0.0, 2.0).convicted


def test_without_a_measurement_nobody_is_convicted() -> None:
    watched = Watched()
    for _ in range(200):
        watched.see(0.0, None)
    assert not watched.convicted


def test_an_old_measurement_says_nothing() -> None:
    watched = Watched()
    old = DerReading("a", Sample.good(100.0, 5.0), Sample.none())
    watched.see(0.0, None)
    assert watch_step(DER, watched.watch, 0.0, old, 15.1).unresponsive_s is None
    assert watch_step(DER, watched.watch, 0.0, old, 14.95).unresponsive_s == 14.95
    assert watch_step(DER, watched.watch, 0.0, old, 14.9).unresponsive_s == 14.9


def test_one_that_could_not_be_reached_was_not_told() -> None:
    watched = Watched()
    for _ in range(100):
        watched.see(0.0, None, reachable=False)
    for _ in range(30):
        watched.see(0.0, 100.0)
    assert not watched.convicted
    for _ in range(20):
        watched.see(0.0, 100.0)
    assert watched.convicted


@pytest.mark.parametrize("after_s", [9.9, 9.999, 10.0, 10.1])
def test_ten_seconds_unresponsive_trip(after_s: float) -> None:
    assert must_trip(Watch(((0.0, 1.0),), unresponsive_s=5.0), 5.0 + after_s) is (after_s >= 10.0)
    assert not must_trip(Watch(((0.0, 1.0),)), 1e9)


def test_the_memory_of_limits_is_bounded() -> None:
    watched = Watched()
    for k in range(2_000):
        watched.see(100.0 - k * 0.05, 0.0)
    assert len(watched.watch.limits) <= (PATIENCE_S + 10.0) / 0.1 + 2
