"""The demo site in virtual time: what a person would try, and each fault of the fault model once."""

from __future__ import annotations

import pytest
from plant import DT_S, FOREVER, WIRE_S, Plant, settled, swapped

from edge.model.durable import STATE_LOST, Durable
from edge.model.image import Override

LIMIT_W = 25_000.0
COUNTED_W = LIMIT_W + 500.0
"""Half a percent of nameplate above the limit: what counts as an excursion."""
DROP_W = 36_000.0
CLEARING_S = 2.0


def clairvoyant_s(plant: Plant, at_s: float, excess_w: float) -> float:
    """Who knows everything and acts on the first meter sample after the step: until the excess is shed."""
    first_s = next(sample_s for sample_s in plant.samples if sample_s >= at_s)
    der = plant.site.der[0]
    slope_w_per_s = sum(each.slope_w_per_s for each in plant.site.der)
    return first_s - at_s + plant.site.meter.latency_s + WIRE_S + der.dead_time_s + excess_w / slope_w_per_s


class TestContradiction:
    @pytest.mark.parametrize(("sign", "told"), [(1.0, 0), (-1.0, 1)])
    def test_a_meter_of_the_wrong_sign_is_an_alarm_while_the_ders_enter_service(
        self, sign: float, told: int
    ) -> None:
        plant = Plant(meter_sign=sign, load_w=10_000.0).run(30.0)
        said = [detail for _, kind, detail in plant.events if kind == "alarm"]
        assert len(said) == told
        assert all("the PCC meter contradicts the DERs" in detail for detail in said)


class TestRegulating:
    def test_it_settles_at_the_limit_less_its_margin(self) -> None:
        plant = settled()
        assert plant.export_w == pytest.approx(24_500.0 - 200.0)
        assert plant.view.target_w == pytest.approx(plant.export_w)
        assert (plant.view.service, plant.view.trips, plant.view.fallbacks) == ("in-service", 0, 0)

    @pytest.mark.parametrize("noise_w", [0.0, 60.0, 200.0])
    def test_a_load_drop_is_over_in_one_and_a_half_clairvoyant_times(self, noise_w: float) -> None:
        for seed in range(10):
            plant = settled(seed=seed, noise_w=noise_w).run(seed * 0.037)
            at_s, before_w = plant.now_s, plant.export_w
            plant.load_w -= DROP_W
            plant.run(4.0)
            excess_w = before_w + DROP_W - COUNTED_W
            duration_s = plant.longest_excursion_s(COUNTED_W, at_s)
            assert 0.2 < duration_s <= 1.5 * clairvoyant_s(plant, at_s, excess_w)
            assert "trip" not in plant.kinds()

    @pytest.mark.parametrize("fall_w_per_s", [400.0, 800.0, 900.0, 1_000.0])
    def test_a_load_that_falls_steadily_stays_below_the_element(self, fall_w_per_s: float) -> None:
        """Followed half-way at each sample, it tripped the site."""
        plant = settled()
        at_s = plant.now_s
        for _ in range(round(40_000.0 / fall_w_per_s / DT_S)):
            plant.load_w -= fall_w_per_s * DT_S
            plant.run(DT_S)
        assert not {"pickup", "trip", "fallback"} & set(plant.kinds(at_s))

    @pytest.mark.parametrize("noise_w", [60.0, 200.0])
    def test_noise_trips_nothing_and_starts_no_fallback(self, noise_w: float) -> None:
        plant = settled(noise_w=noise_w, seed=7)
        at_s = plant.now_s
        plant.run(60.0)
        assert plant.kinds(at_s) == []
        assert plant.longest_excursion_s(LIMIT_W, at_s) < 0.1

    def test_a_load_rise_is_followed_by_ramp(self) -> None:
        plant = settled()
        at_s = plant.now_s
        plant.load_w += 20_000.0
        plant.run(5.0)
        assert plant.export_w == pytest.approx(24_300.0)
        assert plant.longest_excursion_s(LIMIT_W, at_s) == 0.0

    def test_loads_that_come_and_go_every_four_seconds_trip_nothing(self) -> None:
        """Excursions of 0.6 s, less than the PCS bound's reset time apart."""
        plant = settled()
        for _ in range(12):
            plant.load_w = 9_000.0
            plant.run(4.0)
            plant.load_w = 45_000.0
            plant.run(4.0)
        assert "trip" not in plant.kinds()
        assert plant.kinds().count("pickup") >= 6

    @pytest.mark.parametrize("dip_s", [0.3, 0.6, 1.0, 2.0, 4.0, 15.0])
    def test_a_cloud_winds_nothing_up(self, dip_s: float) -> None:
        for seed in range(5):
            plant = settled(seed=seed)
            at_s = plant.now_s
            plant.sun_w = 0.0
            plant.run(dip_s)
            assert plant.commanded_w <= 69_300.0 + 10_000.0 * 0.8
            plant.sun_w = FOREVER
            plant.run(8.0)
            assert plant.longest_excursion_s(LIMIT_W + 5_000.0, at_s) == 0.0
            assert plant.longest_excursion_s(LIMIT_W, at_s) <= (0.5 if dip_s < 1.0 else 0.0)
            assert plant.export_w == pytest.approx(24_300.0, abs=601.0)

    def test_under_a_weak_sun_the_ceiling_floats_with_the_load(self) -> None:
        plant = settled(sun_w=5_000.0)
        at_s = plant.now_s
        plant.load_w -= DROP_W
        plant.run(1.0)
        assert plant.commanded_w == pytest.approx(9_000.0 + 24_300.0, abs=600.0)
        plant.sun_w = FOREVER
        plant.run(5.0)
        assert plant.longest_excursion_s(LIMIT_W, at_s) == 0.0


class TestMeterLost:
    def test_at_full_output_one_fallback_and_one_trip_and_back_by_itself(self) -> None:
        plant = settled()
        at_s = plant.now_s
        plant.meter_lost = True
        plant.run(20.0)
        assert plant.kinds(at_s) == ["fallback", "trip"]
        assert (plant.view.mode, plant.view.target, plant.view.fallbacks) == ("tripped", "lost-sensing", 1)
        assert plant.at_s("trip") - at_s <= 1.25 + 2 * 0.2 + 0.04
        plant.meter_lost = False
        plant.run(20.0)
        assert plant.kinds(at_s) == ["fallback", "trip", "fallback-end", "reset", "in-service"]
        assert plant.view.mode == "regulating"
        assert plant.longest_excursion_s(LIMIT_W, at_s) == 0.0

    def test_at_low_output_nothing_trips_as_the_ders_prove_it_safe(self) -> None:
        plant = settled(sun_w=10_000.0, load_w=5_000.0)
        at_s = plant.now_s
        plant.meter_lost = True
        plant.run(60.0)
        assert plant.kinds(at_s) == ["fallback"]
        plant.sun_w = FOREVER
        plant.run(5.0)
        assert plant.kinds(at_s) == ["fallback"]
        assert plant.export_w + plant.load_now_w <= LIMIT_W
        plant.meter_lost = False
        plant.run(10.0)
        assert plant.kinds(at_s) == ["fallback", "fallback-end"]

    def test_a_proof_that_ends_trips(self) -> None:
        plant = settled(sun_w=10_000.0)
        plant.meter_lost = True
        plant.run(10.0)
        plant.der_lost = {"inverter-2"}
        plant.run(4.0)
        assert plant.view.target == "lost-sensing"


class TestDerLost:
    def test_inverter_one_costs_its_nameplate_and_no_trip(self) -> None:
        plant = settled()
        at_s = plant.now_s
        plant.der_lost = {"inverter-1"}
        plant.run(20.0)
        assert plant.commands.limits[0].limit_w == 0.0
        assert plant.commands.limits[1].limit_w == pytest.approx(69_300.0 - 20_000.0, abs=500.0)
        plant.load_w -= DROP_W
        plant.run(5.0)
        assert plant.longest_excursion_s(LIMIT_W, at_s) <= 0.8
        plant.der_lost = set()
        plant.load_w += DROP_W
        plant.run(20.0)
        assert set(plant.kinds(at_s)) == {"pickup", "dropout"}
        assert (
            24_300.0 - 0.2 * 200.0 - 0.1 <= plant.export_w <= 24_300.1
        )  # a fifth of its margin is left alone

    def test_inverter_two_is_waited_for_before_its_contact_closes(self) -> None:
        plant = settled()
        plant.der_lost = {"inverter-2"}
        plant.run(5.0)
        at_s = plant.now_s
        plant.load_w -= DROP_W
        plant.run(30.0)
        # It holds its last limit, and nobody can tell it: the element is what ends the export.
        assert plant.longest_excursion_s(LIMIT_W, at_s) <= CLEARING_S
        assert (plant.view.service, plant.closed) == ("tripped", False)
        plant.der_lost = set()
        plant.run(20.0)
        assert plant.view.mode == "regulating"

    def test_blind_and_unheard_is_isolated_or_tripped(self) -> None:
        plant = settled(site=swapped(('[[guard.element]]\nkind = "32"\n', "")))
        plant.der_lost = {"inverter-2"}
        plant.run(3.0)
        plant.meter_lost = True
        plant.run(3.0)
        assert "isolation" in plant.kinds()
        assert (plant.closed, plant.view.tripped, plant.view.service) == (False, False, "waiting")
        plant.meter_lost = False
        plant.run(20.0)
        assert not plant.closed
        plant.der_lost = set()
        plant.run(20.0)
        assert (plant.closed, plant.view.mode) == (True, "regulating")

    def test_one_that_refuses_its_limit_gets_nothing_until_it_takes_it(self) -> None:
        plant = settled()
        plant.der_refuses = {"inverter-1"}
        plant.run(3.0)
        assert plant.commands.limits[0].limit_w == 0.0
        plant.der_refuses = set()
        plant.run(20.0)
        assert plant.export_w == pytest.approx(24_300.0, abs=100.0)


class TestWritesIgnored:
    def test_a_load_drop_trips_within_two_seconds_of_its_onset(self) -> None:
        for seed in range(12):
            plant = settled(seed=seed).run(seed * 0.013)
            plant.writes_ignored = True
            at_s = plant.now_s
            plant.load_w -= DROP_W
            plant.run(3.0)
            assert plant.kinds(at_s)[:2] == ["pickup", "trip"]
            assert 1.0 < plant.longest_excursion_s(LIMIT_W, at_s) <= CLEARING_S
            assert not plant.closed

    def test_it_stays_out_while_they_are_ignored(self) -> None:
        plant = settled()
        plant.writes_ignored = True
        plant.load_w -= DROP_W
        plant.run(60.0)
        assert (plant.closed, plant.view.tripped) == (False, True)
        assert plant.view.trips <= 3
        assert plant.longest_excursion_s(LIMIT_W) <= CLEARING_S

    def test_the_third_trip_in_a_day_locks_out_until_reset_by_hand(self) -> None:
        plant = settled()
        for trips in (1, 2, 3):
            plant.drop_sample = lambda _now_s: True
            plant.run(4.0)
            plant.drop_sample = lambda _now_s: False
            assert plant.view.trips == trips
            plant.run(20.0)
        assert (plant.view.service, plant.view.lockout, plant.view.trips_24h) == ("lockout", True, 3)
        plant.reset = True
        plant.run(20.0)
        assert (plant.view.mode, plant.view.lockout, plant.view.target) == ("regulating", False, None)


class TestAgent:
    def test_stopped_for_three_seconds_it_comes_back_by_enter_service_without_a_trip(self) -> None:
        plant = settled()
        at_s = plant.now_s
        plant.agent_stopped = True
        plant.run(3.0)
        assert not plant.closed
        plant.agent_stopped = False
        plant.run(plant.site.enter_service.delay_s - 0.1)
        assert not plant.closed
        assert plant.kinds(at_s) == ["fallback", "out-of-service"]
        plant.run(15.0)
        assert plant.view.mode == "regulating"
        assert "trip" not in plant.kinds(at_s)

    @pytest.mark.parametrize("gap_s", [0.2, 0.28])
    def test_a_gap_shorter_than_the_dead_man_is_ridden_through(self, gap_s: float) -> None:
        plant = settled()
        at_s = plant.now_s
        plant.agent_stopped = True
        plant.run(gap_s)
        plant.agent_stopped = False
        plant.run(5.0)
        assert plant.kinds(at_s) == []
        assert plant.closed

    def test_killed_and_started_it_loosens_nothing_and_waits(self) -> None:
        plant = settled()
        plant.restart(2.0)
        plant.run(1.0)
        assert plant.commanded_w <= LIMIT_W
        assert (plant.view.mode, plant.view.service, plant.closed) == ("starting", "waiting", False)
        plant.run(20.0)
        assert plant.view.mode == "regulating"

    @pytest.mark.parametrize("durable", [STATE_LOST, Durable(tripped=True, target="32", lockout=True)])
    def test_started_latched_only_a_hand_resets_it(self, durable: Durable) -> None:
        plant = Plant(durable=durable).run(30.0)
        assert (plant.view.tripped, plant.closed, plant.commanded_w) == (True, False, 0.0)
        assert plant.restart(1.0).run(30.0).view.tripped
        plant.reset = True
        plant.run(20.0)
        assert (plant.view.mode, plant.view.target) == ("regulating", None)

    def test_killed_between_reset_and_service_it_still_owes_enter_service(self) -> None:
        site = swapped(('reset = "auto"', 'reset = "manual"'), ("delay_s = 2.0", "delay_s = 20.0"))
        plant = Plant(site=site, durable=Durable(tripped=True, target="32")).run(3.0)
        plant.reset = True
        plant.run(1.0)
        assert not plant.view.tripped
        plant.restart(1.0).run(10.0)
        assert plant.commanded_w == 0.0  # inverter one too, which has no contact
        plant.run(30.0)
        assert plant.view.mode == "regulating"


class TestOverrides:
    def test_a_lower_pickup_trips_as_a_test_and_does_not_count(self) -> None:
        plant = settled()
        at_s = plant.now_s
        plant.overrides = (Override("commissioning", FOREVER, pickup_w=10_000.0),)
        plant.run(2.0)
        assert plant.kinds(at_s)[:2] == ["pickup", "trip"]
        assert 0.95 <= plant.at_s("trip", at_s) - at_s <= 1.25 + 0.2
        assert (plant.view.target, plant.view.trips, plant.view.trips_24h) == ("32", 1, 0)
        plant.overrides = ()
        plant.run(20.0)
        assert (plant.view.mode, plant.view.lockout) == ("regulating", False)

    def test_blind_is_a_lost_meter_and_does_not_count(self) -> None:
        plant = settled()
        plant.overrides = (Override("commissioning", FOREVER, blind=True),)
        plant.run(5.0)
        assert (plant.view.target, plant.view.fallbacks, plant.view.trips_24h) == ("lost-sensing", 1, 0)
        plant.overrides = ()
        plant.run(20.0)
        assert plant.view.mode == "regulating"

    def test_a_limit_narrows_and_gives_back(self) -> None:
        plant = settled()
        plant.overrides = (Override("portal", FOREVER, limit_w=10_000.0, test=False),)
        plant.run(5.0)
        assert sum(plant.output_w.values()) == pytest.approx(10_000.0)
        assert plant.reasons.limits[0].by == "portal"
        plant.overrides = ()
        plant.run(20.0)
        assert plant.export_w == pytest.approx(24_300.0)


class TestContact:
    def test_a_welded_contact_is_told_of_and_never_closed_again(self) -> None:
        plant = settled()
        plant.welded = True
        plant.meter_lost = True
        plant.run(3.0)
        plant.meter_lost = False
        plant.run(30.0)
        assert "breaker-failure" in plant.kinds()
        assert (plant.view.tripped, plant.commanded_w) == (True, 0.0)
        plant.welded = False
        plant.run(20.0)
        assert plant.view.service == "lockout", "only a person can tell that it is sound again"
        plant.reset = True
        plant.run(20.0)
        assert plant.view.mode == "regulating"

    def test_voltage_outside_the_window_keeps_it_open(self) -> None:
        plant = Plant(v_pu=1.06).run(20.0)
        assert (plant.closed, plant.view.service, plant.view.remaining_s) == (False, "waiting", None)
        plant.v_pu = 1.05
        plant.run(1.0)
        assert plant.view.remaining_s == pytest.approx(plant.site.enter_service.delay_s - 1.0, abs=0.3)
        plant.run(20.0)
        assert plant.closed


def test_manual_reset_waits_for_a_hand() -> None:
    plant = settled(site=swapped(('reset = "auto"', 'reset = "manual"')))
    plant.meter_lost = True
    plant.run(3.0)
    plant.meter_lost = False
    plant.run(60.0)
    assert (plant.view.service, plant.view.tripped, plant.closed) == ("tripped", True, False)
    plant.reset = True
    plant.run(DT_S * 25)
    assert not plant.view.tripped
    plant.run(20.0)
    assert plant.view.mode == "regulating"
