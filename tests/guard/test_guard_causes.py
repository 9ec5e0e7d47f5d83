"""What trips besides an excursion: lost sensing, a DER that keeps its power, the PCS bound; and what a test lowers."""

from __future__ import annotations

from dataclasses import replace

import pytest
from guard_bench import SETTINGS, Bench

from edge.guard.element import ElementState
from edge.guard.guard import permit
from edge.guard.measured import effective
from edge.guard.settings import ElementSettings
from edge.guard.supervisor import PATIENCE_S, TRIP_AFTER_S
from edge.model.image import Override
from edge.model.sample import Quality, Sample


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
        timing = bench.state._replace(pcs=ElementState(100.0, picked_up=True))
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
        looks_back = replace(self.ELEMENT, on_import=True)
        image = replace(Bench().image(), overrides=(Override("test", 1.0, pickup_w=-1e6),))
        assert effective(looks_back, image) == looks_back


def test_a_minimum_power_element_is_blocked_at_verified_zero_only() -> None:
    element = ElementSettings("32F", -5.0, -6.0, 1.0, 0.0, blocked_at_zero_output=True)
    bench = Bench(elements=(element,)).scans(5.0, 0.0, a=0.0, b=0.0)
    assert (bench.state.elements[0].blocked, bench.state.durable.tripped) == (True, False)
    bench.scans(1.3, 0.0, a=1.0, b=0.0)
    assert bench.state.durable.target == "32F"
