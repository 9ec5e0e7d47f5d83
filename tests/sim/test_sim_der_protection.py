"""Trip, ride-through and enter service over time."""

from __future__ import annotations

from typing import ClassVar

import numpy as np
import pytest
from der_units import DT_S, run, started, storage, unit

from sim.der import Fleet, Status
from sim.der.service import uniform
from sim.setpoint import SetpointWrite

QUICK = {"ES_DELAY": 1.0, "ES_RAMP_RATE": 2.0}


def statuses(rows: np.ndarray) -> list[Status]:
    return [Status(int(code)) for code in rows[:, 2, 0]]


def test_a_dip_shorter_than_the_trip_time_leaves_no_trace() -> None:
    fleet = started(unit({"UV1_TRIP_T": 21.0}))
    for _ in range(3):
        run(fleet, 20.9, v_pu=0.85)
        assert fleet.status[0] == Status.MANDATORY
        run(fleet, DT_S)
        assert fleet.status[0] == Status.CONTINUOUS
        assert not fleet.protection.trip.timer_s.any()


def test_a_threshold_within_the_continuous_band_forgets_too() -> None:
    fleet = started(unit())
    fleet.configure(0, {"OV1_TRIP_V": 1.05, "OV1_TRIP_T": 1.0})
    for _ in range(3):
        run(fleet, 0.9, v_pu=1.06)
        run(fleet, 0.1)
        assert fleet.status[0] == Status.CONTINUOUS
    assert run(fleet, 1.0, v_pu=1.06)[-1, 2, 0] == Status.TRIP


def test_trip_then_delay_then_ramp() -> None:
    fleet = started(unit(QUICK))
    run(fleet, 0.3, v_pu=1.25)
    assert fleet.status[0] == Status.TRIP
    assert fleet.power_w[0] == 0.0
    assert fleet.service_remaining_s(0) == pytest.approx(1.0)
    waiting = run(fleet, 0.99)
    assert set(statuses(waiting)) == {Status.TRIP}
    assert fleet.service_remaining_s(0) == pytest.approx(0.01)
    ramp = run(fleet, 2.0)
    assert set(statuses(ramp)[:-1]) == {Status.ENTERING_SERVICE}
    steps = np.arange(1, len(ramp) + 1)
    assert ramp[:, 0, 0] == pytest.approx(np.minimum(steps * DT_S / 2.0, 1.0))
    assert fleet.status[0] == Status.CONTINUOUS
    assert fleet.service_remaining_s(0) == 0.0


def test_the_delay_starts_over_after_every_excursion() -> None:
    fleet = started(unit(QUICK))
    run(fleet, 0.3, v_pu=1.25)
    for _ in range(3):
        run(fleet, 0.9)
        run(fleet, DT_S, hz=60.2)
        assert fleet.service_remaining_s(0) == pytest.approx(1.0)
    assert set(statuses(run(fleet, 0.99))) == {Status.TRIP}


@pytest.mark.parametrize("how", ["permit", "connect", "grid"])
def test_what_is_not_allowed_is_off_at_once_and_comes_back_by_enter_service(how: str) -> None:
    fleet = started(unit(QUICK))
    if how == "permit":
        fleet.configure(0, {"ES_PERMIT_SERVICE": False})
    elif how == "connect":
        fleet.connect[0] = False
    off = run(fleet, 5.0, on=how != "grid")
    assert set(statuses(off)) == {Status.OFF}
    assert not off[:, :2].any()
    fleet.permit[0] = fleet.connect[0] = True
    back = statuses(run(fleet, 1.0))
    assert back[-2:] == [Status.TRIP, Status.ENTERING_SERVICE]


def test_a_dead_grid_does_not_run_the_trip_timers() -> None:
    fleet = started(unit(QUICK))
    run(fleet, 5.0, v_pu=0.0, on=False)
    assert not fleet.protection.trip.timer_s.any()


class TestRandomDelay:
    SETTINGS: ClassVar = {"ES_DELAY": 1.0, "ES_RANDOMIZED_DELAY": 10.0, "ES_RAMP_RATE": 0.0}

    def returns(self, count: int, seed: int, **fields: object) -> np.ndarray:
        """When each of `count` units is back after a trip of all, in s."""
        fleet = started(*[unit(self.SETTINGS, **fields)] * count, dt_s=0.05, seed=seed)
        fleet.permit[:] = False
        run(fleet, 0.05)
        fleet.permit[:] = True
        on = run(fleet, 12.0)[:, 2] == Status.CONTINUOUS
        assert on[-1].all()
        back: np.ndarray = 0.05 * (1 + on.argmax(axis=0))
        return back

    def test_is_spread_over_its_range_and_repeats_for_its_seed(self) -> None:
        first, again, other = self.returns(500, 7), self.returns(500, 7), self.returns(500, 8)
        assert (first == again).all()
        assert (first != other).any()
        assert first.min() == pytest.approx(1.0, abs=0.2)
        assert first.max() == pytest.approx(11.0, abs=0.2)
        assert np.histogram(first, bins=5, range=(1, 11))[0].min() > 70

    def test_does_not_depend_on_who_else_is_there(self) -> None:
        assert (self.returns(3, 7) == self.returns(50, 7)[:3]).all()

    def test_is_drawn_anew_each_time(self) -> None:
        fleet = started(unit(self.SETTINGS), dt_s=0.05)
        seen = set()
        for _ in range(4):
            fleet.permit[0] = False
            run(fleet, 0.05)
            fleet.permit[0] = True
            steps = 0
            while fleet.status[0] != Status.CONTINUOUS:
                run(fleet, 0.05)
                steps += 1
            seen.add(steps)
        assert len(seen) == 4

    def test_is_not_for_large_units(self) -> None:
        fleet = started(unit({"ES_DELAY": 1.0, "ES_RAMP_RATE": 0.0}, nameplate_w=1e6), dt_s=0.05)
        fleet.configure(0, {"ES_RANDOMIZED_DELAY": 100.0})
        fleet.permit[0] = False
        run(fleet, 0.05)
        fleet.permit[0] = True
        assert statuses(run(fleet, 1.0))[-1] == Status.CONTINUOUS

    def test_numbers_are_even_and_apart(self) -> None:
        units = np.arange(10_000, dtype=np.uint64)
        numbers = np.concatenate(
            [uniform(3, units, np.full(10_000, draw, dtype=np.uint64)) for draw in (1, 2)]
        )
        assert ((numbers >= 0) & (numbers < 1)).all()
        assert len(set(numbers.tolist())) == 20_000
        assert numbers.mean() == pytest.approx(0.5, abs=0.01)
        assert np.corrcoef(numbers[:10_000], numbers[10_000:])[0, 1] == pytest.approx(0.0, abs=0.03)


class TestRideThrough:
    def test_momentary_cessation_gives_nothing_and_comes_back_where_it_was(self) -> None:
        fleet = started(unit(abnormal_category="III"))
        low = run(fleet, 0.9, v_pu=0.3)
        assert set(statuses(low)) == {Status.MOMENTARY_CESSATION}
        assert not low[:, :2].any()
        assert run(fleet, DT_S)[0, 0, 0] == pytest.approx(1.0)

    def test_each_step_of_the_way_has_its_time(self) -> None:
        slow = {"cease_s": 0.16, "momentary_s": 0.05, "restore_s": 0.3}
        fleet = started(unit(abnormal_category="III", ride_through=slow))
        powers = run(fleet, 0.5, v_pu=0.3)[:, 0, 0]
        assert (powers[:4] > 0).all()
        assert not powers[4:].any()
        powers = run(fleet, 0.5)[:, 0, 0]
        assert not powers[:29].any()
        assert powers[29:] == pytest.approx(np.ones(21))

    def test_cease_to_energize_takes_its_time(self) -> None:
        fleet = started(unit({"UV2_TRIP_T": 2.0}, abnormal_category="II"))
        powers = run(fleet, 0.5, v_pu=0.29)[:, 0, 0]
        assert (powers[:15] > 0).all()
        assert not powers[15:].any()

    @pytest.mark.parametrize(
        ("v_pu", "expected"), [(0.84, 1.0), (0.8, 0.8 * 1.2 * 1.1), (0.7, 0.7 * 1.2 * 1.1)]
    )
    def test_the_largest_current_bounds_power_at_low_voltage(self, v_pu: float, expected: float) -> None:
        fleet = started(unit())
        run(fleet, 0.1, v_pu=v_pu)
        assert fleet.p_pu[0] == pytest.approx(min(1.0, expected))

    @pytest.mark.parametrize(("cessation", "steps"), [(True, 0), (False, 15)])
    def test_above_120_percent_momentary_cessation_has_already_stopped_it(
        self, cessation: bool, steps: int
    ) -> None:
        fleet = started(unit({"MC_ENABLE": cessation}))
        rows = run(fleet, 0.16, v_pu=1.25)
        assert statuses(rows) == [*[Status.CEASE] * 15, Status.TRIP]
        assert (rows[:, 0, 0] > 0).sum() == steps

    def test_a_unit_without_spare_current_gives_less_below_nominal_voltage(self) -> None:
        fleet = started(unit(va_rating_pu=1.0, ride_through={"current_pu": 1.0}))
        assert run(fleet, 0.1)[-1, 0, 0] == 1.0
        assert run(fleet, 0.1, v_pu=0.95)[-1, 0, 0] == pytest.approx(0.95)

    def test_at_low_voltage_reactive_power_comes_first(self) -> None:
        fleet = started(unit({"CONST_Q_MODE_ENABLE": True, "CONST_Q": 0.44}), v_pu=1.0)
        run(fleet, 0.1, v_pu=0.55)
        most = 0.55 * 1.2 * 1.1
        assert fleet.q_pu[0] == pytest.approx(0.44 * 1.1)
        assert fleet.p_pu[0] == pytest.approx(np.sqrt(most**2 - (0.44 * 1.1) ** 2))

    def test_least_and_greatest_phase_voltage_count_each_by_itself(self) -> None:
        fleet, on = started(unit(), unit()), np.ones(2, dtype=bool)
        fleet.step(on, 1.0, 60.0, np.array([0.87, 1.0]), np.array([1.0, 1.13]))
        assert fleet.status.tolist() == [Status.MANDATORY, Status.MOMENTARY_CESSATION]


def test_charging_enters_service_by_the_ramp_too() -> None:
    fleet = started(storage(QUICK))
    fleet.setpoint.write(0, SetpointWrite(enabled=True, set_pu=-0.8))
    fleet.configure(0, {"ES_PERMIT_SERVICE": False})
    run(fleet, 0.1)
    fleet.configure(0, {"ES_PERMIT_SERVICE": True})
    powers = run(fleet, 4.0)[:, 0, 0]
    assert not powers[:99].any()
    assert powers[99:179] == pytest.approx(-np.arange(1, 81) * DT_S / 2.0)
    assert powers[-1] == pytest.approx(-0.8)


class Watchful(Fleet):
    """A fleet that takes every step of its protection."""

    def step(self, *args: object, **kwargs: object) -> None:
        self.protection.take()
        super().step(*args, **kwargs)  # type: ignore[arg-type] # handed on as they are


def test_what_is_skipped_changes_nothing() -> None:
    """Voltage, frequency, sun, permits and grid at random: with and without the short cut, bit for bit."""
    random = np.random.default_rng(5)
    files = [
        unit({**QUICK, "UV1_TRIP_T": 21.0}),
        unit({**QUICK, "QV_MODE_ENABLE": True, "PV_MODE_ENABLE": True}, abnormal_category="II"),
        unit({**QUICK, "CONST_PF": 0.9}, dead_time_s=0.2, slope_pct_s=20.0),
        storage(QUICK),
    ]
    quick, watchful = started(*files, dt_s=0.05), Watchful(files, 0.05)
    watchful.settle(np.ones(4, dtype=bool))
    skipped = 0
    for _ in range(80):
        v_pu, hz = random.choice([1.0, 1.03, 1.105, 0.7, 1.25], p=[0.6, 0.25, 0.05, 0.05, 0.05]), 60.0
        hz += random.choice([0.0, 0.02, 0.5, -1.0, 3.0], p=[0.6, 0.2, 0.1, 0.05, 0.05])
        grid, sun = random.random(4) > 0.01, random.random(4)
        permit = random.random(4) > 0.01
        for fleet in (quick, watchful):
            fleet.sun_pu[:] = sun
            fleet.permit[:] = permit
        for _ in range(random.integers(1, 80)):
            skipped += quick.protection.calm
            quick.step(grid, v_pu, hz)
            watchful.step(grid, v_pu, hz)
            for name in ("p_pu", "q_pu", "status"):
                assert (getattr(quick, name) == getattr(watchful, name)).all()
    assert skipped > 150
