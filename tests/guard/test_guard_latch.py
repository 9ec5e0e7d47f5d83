"""Latch, lockout, resets, lost sensing, outputs: the guard scan by scan on the bench."""

from __future__ import annotations

from dataclasses import replace

import pytest
from guard_bench import SETTINGS, Bench

from edge.guard.element import ElementState
from edge.guard.guard import permit
from edge.guard.measured import effective
from edge.guard.settings import ElementSettings
from edge.guard.state import guard_start
from edge.guard.supervisor import PATIENCE_S, TRIP_AFTER_S
from edge.model.durable import NEW_SITE, STATE_LOST, Durable
from edge.model.image import Override
from edge.model.sample import Quality, Sample

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


class TestLostSensing:
    def blind_at_s(self, bench: Bench, a: float | None = None, b: float | None = None) -> float | None:
        """How long it was blind when it tripped, up to 3 s."""
        seen_s = bench.now_s
        for _ in range(30):
            if a is not None and b is not None:
                bench.measured(a=a, b=b)
            if bench.scan().state.durable.tripped:
                return bench.now_s - seen_s
        return None

    def test_blind_for_the_delay_trips(self) -> None:
        bench = Bench().in_service()
        assert self.blind_at_s(bench) == pytest.approx(1.0, abs=0.11)
        assert bench.state.durable.target == "lost-sensing"

    @pytest.mark.parametrize("blind_s", [0.999, 1.0, 1.001])
    def test_at_the_delay_and_not_before(self, blind_s: float) -> None:
        bench = Bench(watchdog_s=float("inf")).in_service()
        bench.pcc = replace(bench.pcc, export_w=Sample.good(0.0, 128.0), sequence=9)
        bench.scan(after_s=128.0 - bench.now_s)
        assert bench.scan(after_s=blind_s).state.durable.tripped is (blind_s >= 1.0)

    def test_not_while_the_ders_prove_that_nothing_can_happen(self) -> None:
        assert self.blind_at_s(Bench().in_service(), a=40.0, b=60.0) is None
        bench = Bench().in_service()
        self.blind_at_s(bench, a=40.0, b=60.0)
        bench.scans(0.9)
        assert not bench.state.durable.tripped
        assert bench.scan(after_s=0.2).state.durable.target == "lost-sensing"

    def test_not_when_open_already_nor_without_an_element(self) -> None:
        assert self.blind_at_s(Bench().scan(0.0)) is None
        assert self.blind_at_s(Bench(lost_sensing_s=None, elements=()).in_service()) is None

    @pytest.mark.parametrize("lost", [Sample.none(), Sample(0.0, 1e9, 1e9, Quality.STALE)])
    def test_a_reading_that_is_not_good_is_no_sight_and_is_not_used_up(self, lost: Sample) -> None:
        bench = Bench().in_service()
        good = bench.pcc
        bench.pcc = replace(good, export_w=lost, sequence=9)
        assert self.blind_at_s(bench) == pytest.approx(1.0, abs=0.11)
        bench.pcc = replace(good, export_w=Sample.good(101.0, bench.now_s), sequence=9)
        assert bench.scan().state.elements[0].picked_up


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


class TestSupervisor:
    def ignored(self, bench: Bench, seconds: float, **outputs_w: float) -> Bench:
        """Told 0 W, and keeping its power."""
        return bench.scans(seconds, 0.0, **outputs_w)

    def test_a_der_that_ignores_its_limit_is_told_of_then_tripped(self) -> None:
        bench = self.ignored(Bench().in_service(), 2 + PATIENCE_S + 0.5, b=50.0)
        assert permit(bench.settings, bench.state, bench.now_s).unresponsive == {"b"}
        assert bench.kinds() == ["write-unverified"]
        self.ignored(bench, TRIP_AFTER_S, b=50.0)
        assert bench.state.durable.target == "supervisor:b"
        bench.scan(0.0, b=0.0)
        assert permit(bench.settings, bench.state, bench.now_s).unresponsive == set()

    def test_one_without_a_contact_is_told_of_only(self) -> None:
        bench = self.ignored(Bench().in_service(), 20.0, a=50.0)
        assert permit(bench.settings, bench.state, bench.now_s).unresponsive == {"a"}
        assert not bench.state.durable.tripped

    @pytest.mark.parametrize("name", ["a", "b"])
    def test_nothing_is_closed_while_one_keeps_its_power(self, name: str) -> None:
        bench = self.ignored(Bench(), 2 + PATIENCE_S + 0.5, **{name: 50.0})
        assert permit(bench.settings, bench.state, bench.now_s).unresponsive == {name}
        assert not bench.measured(**{name: 50.0}).scan(0.0, ready=True).closed
        assert bench.measured(**{name: 0.0}).scan(0.0, ready=True).closed

    def test_one_without_a_contact_whose_permit_can_be_taken_is_tripped(self) -> None:
        ders = (replace(SETTINGS.ders[0], has_permit=True), SETTINGS.ders[1])
        bench = self.ignored(Bench(ders=ders).in_service(), 20.0, a=50.0)
        assert bench.state.durable.target == "supervisor:a"

    def test_one_behind_an_open_contact_trips_nothing(self) -> None:
        assert not self.ignored(Bench(), 20.0, b=50.0).state.durable.tripped


class TestPcsBound:
    def test_fallback_is_forced_before_it_operates(self) -> None:
        bench = Bench(elements=(), lost_sensing_s=None).in_service()
        forced_s = None
        onset_s = bench.now_s
        while not bench.state.durable.tripped:
            bench.scan(100.1)
            if forced_s is None and permit(bench.settings, bench.state, bench.now_s).force_fallback:
                forced_s = bench.now_s - onset_s
        assert forced_s == pytest.approx(25.0, abs=0.11)
        assert bench.now_s - onset_s == pytest.approx(30.0, abs=0.11)
        assert bench.state.durable.target == "PCS"

    @pytest.mark.parametrize("lasted_s", [24.875, 25.0, 25.125])
    def test_at_its_time_and_not_before(self, lasted_s: float) -> None:
        bench = Bench()
        timing = replace(bench.state, pcs=ElementState(100.0, picked_up=True))
        assert permit(SETTINGS, timing, 100.0 + lasted_s).force_fallback is (lasted_s >= 25.0)
        assert not permit(SETTINGS, bench.state, 100.0 + lasted_s).force_fallback


class TestEffective:
    ELEMENT = ElementSettings("32", 100.0, 90.0, 1.0, 0.0)

    @pytest.mark.parametrize(
        ("asked_w", "pickup_w"),
        [
            (99.999, 99.999),
            (100.0, 100.0),
            (1e9, 100.0),
            (-50.0, -50.0),
            (float("nan"), 100.0),
            (None, 100.0),
        ],
    )
    def test_a_test_lowers_a_pickup_and_never_raises_it(self, asked_w: float | None, pickup_w: float) -> None:
        image = replace(Bench().image(), overrides=(Override("test", 1.0, pickup_w=asked_w),))
        found = effective(self.ELEMENT, image)
        assert found.pickup_w == pickup_w
        assert found.pickup_w - found.dropout_w == pytest.approx(10.0)
        assert (found is self.ELEMENT) is (pickup_w == 100.0)

    def test_the_lowest_of_several_counts(self) -> None:
        overrides = tuple(Override("test", 1.0, pickup_w=at_w) for at_w in (float("nan"), 80.0, 70.0, 90.0))
        assert effective(self.ELEMENT, replace(Bench().image(), overrides=overrides)).pickup_w == 70.0

    def test_an_import_element_is_left_alone(self) -> None:
        looks_back = replace(self.ELEMENT, direction=-1.0)
        image = replace(Bench().image(), overrides=(Override("test", 1.0, pickup_w=-1e6),))
        assert effective(looks_back, image) == looks_back


def test_a_minimum_power_element_is_blocked_at_verified_zero_only() -> None:
    element = ElementSettings("32F", -5.0, -6.0, 1.0, 0.0, blocked_at_zero_output=True)
    bench = Bench(elements=(element,)).scans(5.0, 0.0, a=0.0, b=0.0)
    assert (bench.state.elements[0].blocked, bench.state.durable.tripped) == (True, False)
    bench.scans(1.3, 0.0, a=1.0, b=0.0)
    assert bench.state.durable.target == "32F"
