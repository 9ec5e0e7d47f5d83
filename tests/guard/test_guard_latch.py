"""Latch, lockout, resets, outputs: the guard scan by scan on the bench."""

from __future__ import annotations

from dataclasses import replace

import pytest
from guard_bench import SETTINGS, Bench

from edge.guard.guard import permit
from edge.guard.state import guard_start
from edge.model.durable import NEW_SITE, STATE_LOST, Durable
from edge.model.image import Override
from edge.model.sample import Sample

LATCHED = Durable(tripped=True, target="32")


class TestTrip:
    def test_it_opens_and_commands_every_der_to_cease(self) -> None:
        bench = Bench().in_service()
        bench.limits_w = {"a": 40.0, "b": 60.0}
        assert bench.scan(50.0).granted_w == (40.0, 60.0)
        bench.scans(1.3, 101.0)
        assert bench.state.durable == Durable(tripped=True, target="32", trips_s=bench.state.durable.trips_s)
        assert list(bench.state.durable.trips_s) == [pytest.approx(bench.now_s - 0.2)]
        assert (bench.closed, bench.granted_w) == (False, (0.0, 0.0))
        assert bench.kinds() == ["pickup", "trip"]
        assert permit(bench.settings, bench.state, bench.now_s).tripped

    def test_the_first_target_stays_and_one_trip_is_counted_once(self) -> None:
        bench = Bench(pcs=replace(SETTINGS.pcs, delay_s=3.0)).in_service().scans(5.0, 150.0)
        assert bench.state.causes[:2] == ("32", "PCS")
        assert (bench.state.durable.target, bench.state.trips) == ("32", 1)

    def test_of_two_elements_that_operate_together_the_first_is_the_target(self) -> None:
        other = replace(SETTINGS.elements[0], name="32F")
        bench = Bench(elements=(*SETTINGS.elements, other)).in_service().scans(1.3, 150.0)
        assert (bench.state.causes, bench.state.durable.target) == (("32", "32F"), "32")

    def test_the_latch_keeps_its_word_when_the_cause_is_gone(self) -> None:
        bench = Bench(reset_is_manual=True).tripped().scans(60.0, 0.0, ready=True)
        assert bench.state.durable.tripped
        assert bench.granted_w == (0.0, 0.0)

    def test_a_limit_is_clipped_to_the_nameplate_and_no_number_is_nothing(self) -> None:
        bench = Bench().in_service()
        for asked_w, granted_w in [
            (60.0, 50.0),
            (50.0, 50.0),
            (0.05, 0.05),
            (-0.05, 0.0),
            (-1.0, 0.0),
            (float("nan"), 0.0),
            (float("inf"), 0.0),
        ]:
            bench.limits_w = {"a": asked_w}
            assert bench.scan().granted_w == (granted_w, 0.0)


def test_an_excursion_that_ends_in_time_is_told_of_and_trips_nothing() -> None:
    bench = Bench().in_service().scans(0.5, 101.0).scans(0.5, 50.0)
    assert bench.kinds() == ["pickup", "dropout"]


class TestManualReset:
    def test_it_is_refused_while_a_cause_stands(self) -> None:
        bench = Bench(reset_is_manual=True).in_service().scans(1.3, 150.0)
        assert bench.scan(150.0, reset=True).state.durable.tripped
        assert not bench.scan(0.0, reset=True).state.durable.tripped
        assert bench.kinds()[-1] == "reset"

    def test_it_clears_target_and_lockout_and_closes_nothing_by_itself(self) -> None:
        bench = Bench(durable=Durable(tripped=True, target="32", lockout=True, trips_s=(99.0,)))
        bench.scan(0.0, reset=True)
        assert bench.state.durable == Durable(tripped=False, trips_s=(99.0,))
        assert not bench.closed
        assert bench.scan(0.0, ready=True).closed

    def test_nothing_happens_when_nothing_is_latched(self) -> None:
        assert Bench().scan(0.0, reset=True).state.durable == NEW_SITE


class TestReset:
    @pytest.mark.parametrize(
        ("manual", "durable", "resets"),
        [
            (False, LATCHED, True),
            (True, LATCHED, False),
            (False, replace(LATCHED, lockout=True), False),
            (False, STATE_LOST, False),
            (True, STATE_LOST, False),
        ],
    )
    def test_by_itself_only_when_agreed_and_never_from_lockout_or_lost_state(
        self, manual: bool, durable: Durable, resets: bool
    ) -> None:
        bench = Bench(durable=durable, reset_is_manual=manual)
        bench.scans(1.0, 0.0, a=0.0, b=0.0)
        assert bench.state.durable == durable
        bench.scan(0.0, ready=True)
        assert (not bench.state.durable.tripped) is resets
        assert bench.closed is resets

    def test_not_while_a_cause_stands(self) -> None:
        bench = Bench().tripped().measured(a=0.0, b=0.0).scans(1.3, 150.0, ready=True)
        assert permit(bench.settings, bench.state, bench.now_s).operated
        assert bench.state.durable.tripped
        assert bench.scan(0.0, ready=True, a=0.0, b=0.0).closed

    def test_not_before_every_der_that_answers_has_stopped(self) -> None:
        bench = Bench().in_service().measured(a=0.0, b=0.0).scans(1.3, 150.0)
        assert bench.state.durable.tripped
        assert not bench.scan(0.0, ready=True).closed, "measured before the trip"
        assert not bench.scan(0.0, ready=True, b=0.0, a=1.01).closed, "above 2 % of nameplate"
        assert bench.scan(0.0, ready=True, a=1.0).closed

    def test_a_der_that_cannot_be_heard_does_not_keep_the_others_out(self) -> None:
        bench = Bench().in_service().scans(1.3, 150.0)
        bench.unreachable = {"b"}
        assert bench.scan(0.0, ready=True, a=0.0).closed

    def test_service_is_durable_only_after_the_ramp(self) -> None:
        bench = Bench().tripped().scan(0.0, ready=True)
        assert (bench.closed, bench.state.durable.in_service) == (True, False)
        assert bench.scan(0.0, entered=True).state.durable.in_service

    @pytest.mark.parametrize("durable", [NEW_SITE, STATE_LOST, LATCHED, replace(LATCHED, lockout=True)])
    def test_a_restart_keeps_everything_and_starts_open(self, durable: Durable) -> None:
        state = guard_start(SETTINGS, durable, 5.0)
        assert (state.durable, state.closed) == (durable, False)
        assert not Bench(durable=durable).scan(0.0).closed


@pytest.mark.parametrize("sequence", [0, 1, 2])
def test_the_first_sample_after_a_start_is_new_whatever_its_number(sequence: int) -> None:
    bench = Bench()
    bench.pcc = replace(bench.pcc, export_w=Sample.good(101.0, bench.now_s), sequence=sequence)
    assert bench.scan().state.elements[0].picked_up


class TestLockout:
    def test_n_trips_in_a_day_lock_out(self) -> None:
        bench = Bench()
        for trips in range(1, 4):
            bench.tripped()
            assert len(bench.state.durable.trips_s) == trips
            assert bench.state.durable.lockout is (trips == 3)
        assert not bench.scan(0.0, ready=True).closed

    @pytest.mark.parametrize("age_s", [86_399.0, 86_399.95, 86_400.0, 86_400.05, 86_401.0])
    def test_a_trip_counts_for_a_day(self, age_s: float) -> None:
        bench = Bench(durable=Durable(tripped=False, trips_s=(100.1 - age_s, 100.1 - age_s)))
        bench.scan(0.0)
        assert len(bench.state.durable.trips_s) == (2 if age_s < 86_400 else 0)

    @pytest.mark.parametrize(
        ("override", "counts"),
        [
            (Override("test", 1e9, pickup_w=50.0), False),
            (Override("test", 1e9, pickup_w=1e9), True),
            (Override("test", 1e9, pickup_w=100.0), True),
            (Override("test", 1e9, blind=True), True),
            (Override("test", 1e9, limit_w=10.0), True),
            (Override("portal", 1e9, pickup_w=50.0, test=False), True),
        ],
    )
    def test_only_a_test_that_lowered_the_pickup_is_not_counted(
        self, override: Override, counts: bool
    ) -> None:
        bench = Bench().in_service()
        bench.overrides = (override,)
        bench.scans(1.3, 150.0)
        assert bench.state.durable.tripped
        assert len(bench.state.durable.trips_s) == counts

    @pytest.mark.parametrize(
        ("override", "counts"),
        [
            (Override("test", 1e9, blind=True), False),
            (Override("test", 1e9, pickup_w=50.0), True),
            (Override("portal", 1e9, blind=True, test=False), True),
        ],
    )
    def test_lost_sensing_is_not_counted_when_a_test_hid_the_meter(
        self, override: Override, counts: bool
    ) -> None:
        bench = Bench().in_service()
        bench.overrides = (override,)
        bench.scans(1.3)
        assert bench.state.durable.target == "lost-sensing"
        assert len(bench.state.durable.trips_s) == counts

    def test_a_cause_of_its_own_beside_the_test_is_counted(self) -> None:
        tight = replace(SETTINGS.elements[0], pickup_w=40.0, dropout_w=36.0)
        bench = Bench(elements=(SETTINGS.elements[0], tight)).in_service()
        bench.overrides = (Override("test", 1e9, pickup_w=50.0),)
        bench.scans(1.3, 60.0)
        assert bench.state.causes == ("32", "32")
        assert len(bench.state.durable.trips_s) == 1

    def test_a_test_never_locks_out_after_a_reset_by_hand(self) -> None:
        bench = Bench(durable=Durable(tripped=True, target="32", lockout=True, trips_s=(97.0, 98.0, 99.0)))
        bench.scan(0.0, reset=True).scan(0.0, ready=True)
        bench.overrides = (Override("test", 1e9, pickup_w=50.0),)
        bench.scans(1.3, 60.0)
        assert (bench.state.durable.tripped, bench.state.durable.lockout) == (True, False)


class TestOutputs:
    def test_a_gap_as_long_as_the_dead_man_has_opened_them(self) -> None:
        bench = Bench().in_service()
        assert bench.scan(0.0, after_s=0.499).closed
        assert not bench.scan(0.0, after_s=0.501).closed
        assert (bench.state.durable.tripped, bench.kinds()) == (False, ["out-of-service"])
        assert bench.scan(0.0, ready=True).closed

    @pytest.mark.parametrize(("gap_s", "closed"), [(0.5 - 2**-20, True), (0.5, False)])
    def test_at_the_dead_man_itself_they_have_opened(self, gap_s: float, closed: bool) -> None:
        bench = Bench().in_service()
        bench.now_s = 100.0
        assert bench.scan(0.0, after_s=0.25).closed
        assert bench.scan(0.0, after_s=gap_s).closed is closed

    def test_a_stopped_agent_is_out_of_service_and_not_a_lost_meter(self) -> None:
        bench = Bench().in_service().scan(after_s=3.0)
        assert (bench.closed, bench.state.durable.tripped) == (False, False)

    def test_isolation_opens_without_a_trip_and_holds(self) -> None:
        bench = Bench().in_service()
        contact = frozenset({"k"})
        assert not bench.scan(0.0, isolate=contact).closed
        assert not bench.scan(0.0, isolate=contact, ready=True).closed
        assert not bench.state.durable.tripped
        assert bench.scan(0.0, ready=True).closed

    @pytest.mark.parametrize("late_s", [0.54, 0.55, 0.56])
    def test_a_contact_seen_open_though_held_is_out_of_service(self, late_s: float) -> None:
        bench = Bench().in_service()
        bench.seen_contact(0.0, bench.now_s + late_s).scans(1.0, 0.0)
        assert bench.closed is (late_s <= 0.55)

    def test_a_contact_that_stays_closed_has_failed_and_is_not_closed_again(self) -> None:
        bench = Bench().tripped()
        bench.seen_contact(1.0).scan(0.0)
        assert not bench.state.breaker_failed
        bench.scans(0.5, 0.0).seen_contact(1.0)
        assert not bench.scan(0.0, ready=True).closed
        assert bench.kinds()[-1] == "breaker-failure"
        assert not bench.scan(0.0, ready=True).closed
        bench.seen_contact(0.0).scan(0.0)
        assert not bench.scan(0.0, ready=True).closed, "only a person can tell that it is sound again"
        bench.scan(0.0, reset=True)
        assert bench.scan(0.0, ready=True).closed

    @pytest.mark.parametrize("late_s", [0.44, 0.46, 0.54, 0.56])
    def test_a_contact_has_its_actuation_and_some_grace_to_open(self, late_s: float) -> None:
        bench = Bench().tripped()
        bench.seen_contact(1.0, bench.state.commanded_s + late_s).scans(1.0, 0.0)
        assert bench.state.breaker_failed is (late_s > 0.55)

    def test_without_feedback_nothing_is_known(self) -> None:
        assert not Bench().in_service().tripped().scans(2.0, 0.0).state.breaker_failed
