"""Breaker failure (50BF): each state of a contact with each feedback, what stands behind it, and what a person must do."""

from __future__ import annotations

import itertools
from dataclasses import replace

import pytest
from guard_bench import SETTINGS, Bench

from edge.guard.contact import (
    FEEDBACK_GRACE_S,
    Contact,
    commanded,
    failures,
    feedback,
    fell_open,
    looked_at,
    opened,
)
from edge.guard.settings import OutputSettings
from edge.guard.state import guard_start
from edge.model.durable import NEW_SITE
from edge.model.image import OutputReading
from edge.model.sample import Quality, Sample

CHAIN = (
    OutputSettings("k", 0.05, backup=("m",)),
    OutputSettings("m", 0.25, backup=("n",), stands_by=True),
    OutputSettings("n", 0.05, stands_by=True),
)
STATES = [Contact(7.0, closed, failed) for closed, failed in itertools.product((False, True), repeat=2)]
SHOWN = (None, 0.0, 1.0)


class TestOneContact:
    @pytest.mark.parametrize("opens_s", [0.0, 0.05, 2.0])
    @pytest.mark.parametrize("late_s", [-0.001, 0.0, 0.001])
    @pytest.mark.parametrize("value", [0.0, 1.0])
    def test_feedback_counts_from_when_the_command_must_have_been_carried_out(
        self, opens_s: float, late_s: float, value: float
    ) -> None:
        due_s = 7.0 + opens_s + FEEDBACK_GRACE_S
        seen = replace(Bench().image(), outputs=(OutputReading("k", Sample.good(value, due_s + late_s)),))
        (found,) = feedback((OutputSettings("k", opens_s),), (Contact(7.0),), seen)
        assert found == (value if late_s > 0 else None)

    def test_the_grace_is_half_a_second(self) -> None:
        assert FEEDBACK_GRACE_S == 0.5

    @pytest.mark.parametrize(
        "sample", [Sample.none(), Sample.none(Quality.INVALID), Sample(1.0, 1e9, 1e9, Quality.STALE)]
    )
    def test_feedback_that_is_not_good_or_not_wired_says_nothing(self, sample: Sample) -> None:
        one, told = (OutputSettings("k", 0.0),), (Contact(7.0),)
        assert feedback(one, told, replace(Bench().image(), outputs=(OutputReading("k", sample),))) == (None,)
        assert feedback(one, told, replace(Bench().image(), outputs=(OutputReading("x", sample),))) == (None,)

    def test_each_output_has_its_own_feedback_whatever_their_order(self) -> None:
        shown = (OutputReading("n", Sample.good(0.0, 90.0)), OutputReading("k", Sample.good(1.0, 90.0)))
        told = tuple(Contact(7.0) for _ in CHAIN)
        assert feedback(CHAIN, told, replace(Bench().image(), outputs=shown)) == (1.0, None, 0.0)

    @pytest.mark.parametrize("was", STATES)
    @pytest.mark.parametrize("value", SHOWN)
    def test_every_state_with_every_feedback(self, was: Contact, value: float | None) -> None:
        (now,) = looked_at((was,), (value,))
        # Open by command: failed is what the feedback says, or as it was. Closed by command: nothing is judged.
        expected = was.failed if was.closed or value is None else bool(value)
        assert now == Contact(7.0, was.closed, expected)
        assert fell_open((was,), (value,)) == (was.closed and value == 0.0,)

    def test_a_command_that_changes_starts_its_time_and_the_same_again_does_not(self) -> None:
        for was, in_service in itertools.product(STATES, (False, True)):
            (now,) = commanded(CHAIN[:1], (was,), (False,), 9.0, in_service=in_service)
            assert now == (was if was.closed is in_service else Contact(9.0, in_service))
            assert opened((was,), 9.0) == (Contact(9.0) if was.closed else was,)


class TestBackup:
    def test_every_state_of_a_chain(self) -> None:
        three = list(itertools.product((False, True), repeat=3))
        for closed, failed, fell, in_service in itertools.product(three, three, three, (False, True)):
            told = tuple(Contact(7.0, *states) for states in zip(closed, failed, strict=True))
            after = commanded(CHAIN, told, fell, 9.0, in_service=in_service)
            assert [contact.closed for contact in after] == [
                in_service,
                (in_service or (closed[1] and not fell[1])) and not failed[0],
                (in_service or (closed[2] and not fell[2])) and not failed[1],
            ]

    def test_one_failure_may_open_several(self) -> None:
        fan = (replace(CHAIN[0], backup=("m", "n")), *CHAIN[1:])
        told = (Contact(7.0, failed=True), Contact(7.0, closed=True), Contact(7.0, closed=True))
        after = commanded(fan, told, (False,) * 3, 9.0, in_service=False)
        assert [contact.closed for contact in after] == [False, False, False]

    def test_an_event_says_what_opens_instead_and_comes_once(self) -> None:
        before = (Contact(7.0), Contact(7.0), Contact(7.0, failed=True))
        after = (Contact(7.0, failed=True), Contact(7.0), Contact(7.0, failed=True))
        (event,) = failures(CHAIN, before, after, 7.56)
        assert (event.kind, event.at_s) == ("breaker-failure", 7.56)
        assert event.detail == (
            "k shows closed 0.56 s after it was told to open; m opens in its place; every DER is told to cease"
        )
        (alone,) = failures(CHAIN[2:], before[:1], after[:1], 8.0)
        assert alone.detail == "n shows closed 1.00 s after it was told to open; every DER is told to cease"
        assert list(failures(CHAIN, after, after, 9.0)) == []


class Chain(Bench):
    """A guard with a contact, its backup, and what stands behind that."""

    def __init__(self) -> None:
        super().__init__(SETTINGS, NEW_SITE, outputs=CHAIN, reset_is_manual=False)

    def told(self) -> str:
        """The last command of each, as in `K.n`: upper case is closed."""
        return "".join(o.name.upper() if o.closed else o.name for o in self.commands.outputs)

    def shows(self, **values: float) -> Chain:
        """Feedback of now."""
        self.feedback = tuple(
            OutputReading(name, Sample.good(value, self.now_s)) for name, value in values.items()
        )
        return self


class TestInTheGuard:
    def test_backups_close_with_the_site_and_stay_closed_through_a_trip(self) -> None:
        chain = Chain()
        assert chain.scan(0.0).told() == "kmn", "a start opens everything"
        assert chain.in_service().commands.outputs[0].closed
        chain.scans(1.3, 150.0)
        assert (chain.told(), chain.state.durable.target) == ("kMN", "32")
        assert chain.scan(0.0, a=0.0, b=0.0, ready=True).told() == "KMN"

    def test_a_contact_that_stays_closed_opens_its_backup_and_that_one_the_next(self) -> None:
        chain = Chain()
        chain.tripped()
        since_s = chain.state.contacts[0].told_s
        while chain.told() == "kMN":
            chain.shows(k=1.0, m=1.0, n=1.0).scan(0.0, a=0.0, b=0.0)
        # Feedback of the scan before, measured after 0.05 s of opening and the grace of 0.5 s.
        assert chain.now_s - since_s == pytest.approx(0.7, abs=0.11)
        assert (chain.told(), chain.kinds().count("breaker-failure")) == ("kmN", 1)
        assert (chain.state.durable.target, chain.state.durable.lockout) == ("32", True)
        assert chain.granted_w == (0.0, 0.0)
        opened_s = chain.now_s
        while chain.told() == "kmN":
            chain.shows(k=1.0, m=1.0, n=1.0).scan(0.0, a=0.0, b=0.0)
        assert chain.now_s - opened_s == pytest.approx(0.9, abs=0.11)
        assert (chain.told(), chain.kinds().count("breaker-failure")) == ("kmn", 2)

    def test_nothing_closes_again_before_a_person_has_reset_it(self) -> None:
        chain = Chain()
        chain.tripped()
        for _ in range(10):
            chain.shows(k=1.0, m=0.0).scan(0.0, a=0.0, b=0.0)
        chain.scan(0.0, ready=True)
        assert chain.told() == "kmN"
        assert chain.scan(0.0, reset=True).state.durable.tripped, "not while it is welded"
        chain.shows(k=0.0, m=0.0).scan(0.0)
        assert not chain.state.breaker_failed
        for _ in range(10):
            assert chain.scan(0.0, ready=True).told() == "kmN"
        assert not chain.scan(0.0, reset=True).state.durable.tripped
        assert chain.scan(0.0, ready=True).told() == "KMN"

    def test_one_seen_closed_at_rest_trips_the_site_and_locks_it_out(self) -> None:
        chain = Chain()
        chain.limits_w = {"a": 40.0, "b": 60.0}
        assert chain.scan(0.0).granted_w == (40.0, 60.0)
        chain.scans(0.6, 0.0).shows(k=1.0).scan(0.0)
        assert chain.state.durable.target == "breaker-failure:k"
        assert (chain.state.durable.lockout, chain.state.trips) == (True, 1)
        assert chain.granted_w == (0.0, 0.0)
        assert chain.kinds() == ["trip", "breaker-failure"]
        assert chain.scan(0.0, ready=True).told() == "kmn"

    def test_a_restart_with_a_welded_contact_finds_it_again(self) -> None:
        chain = Chain()
        chain.scans(0.6, 0.0).shows(k=1.0).scan(0.0)
        chain.state = guard_start(chain.settings, chain.state.durable, chain.now_s)
        assert not chain.scan(0.0, reset=True).state.durable.tripped, "nothing is known of it yet"
        chain.scans(0.6, 0.0).shows(k=1.0).scan(0.0)
        assert chain.state.durable.target == "breaker-failure:k"

    def test_a_failure_whose_feedback_is_gone_stays_one(self) -> None:
        chain = Chain()
        chain.scans(0.6, 0.0).shows(k=1.0).scan(0.0)
        chain.feedback = ()
        assert chain.scan(0.0, reset=True).state.durable.tripped
        assert chain.state.breaker_failed

    def test_a_backup_that_fell_open_takes_the_site_out_of_service(self) -> None:
        chain = Chain()
        chain.in_service()
        chain.scans(1.0, 0.0).shows(k=1.0, m=0.0).scan(0.0)
        assert (chain.told(), chain.state.durable.tripped) == ("kmN", False)
        assert chain.kinds() == ["out-of-service"]
        assert chain.scan(0.0, ready=True).told() == "KMN"

    def test_one_that_fell_open_during_a_trip_is_closed_with_the_site_again(self) -> None:
        chain = Chain()
        chain.tripped()
        chain.scans(1.0, 0.0).shows(k=0.0, m=0.0).scan(0.0)
        assert chain.told() == "kmN"
        assert chain.scan(0.0, a=0.0, b=0.0, ready=True).told() == "KMN"

    def test_a_gap_in_the_scans_opens_backups_too(self) -> None:
        chain = Chain()
        chain.tripped()
        assert chain.told() == "kMN"
        assert chain.scan(0.0, after_s=0.501).told() == "kmn"

    def test_isolation_leaves_the_backup_where_it_is(self) -> None:
        chain = Chain()
        chain.in_service()
        assert chain.scan(0.0, isolate=frozenset({"k"})).told() == "kMN"

    def test_a_test_that_trips_a_welded_contact_still_counts_and_locks_out(self) -> None:
        chain = Chain()
        chain.tripped()
        assert not chain.state.durable.lockout
        chain.scans(0.6, 0.0, a=0.0, b=0.0).shows(k=1.0).scan(0.0)
        assert chain.state.durable.lockout
