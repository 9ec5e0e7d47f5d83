"""The vectorised model held to the scalar one of `tiir`, function by function."""

from __future__ import annotations

import numpy as np
import pytest
from der_units import DT_S, run, started, storage, unit
from hypothesis import given, settings
from hypothesis import strategies as st

from sim.der import Fleet, Status
from sim.der.arrays import Floats
from sim.der.curve import CurveBank
from sim.der.ride_through import RideThroughBank
from sim.der.settings import SettingsBank
from sim.files.unit import Unit
from sim.setpoint import SetpointWrite
from tiir import capability, curves, droop, enter_service, reactive, ride_through, trip, vref
from tiir.rating import Rating
from tiir.values import Values, number

CATEGORIES = ("I", "II", "III")

STATUS_OF = {
    ride_through.Mode.CONTINUOUS: Status.CONTINUOUS,
    ride_through.Mode.MANDATORY: Status.MANDATORY,
    ride_through.Mode.PERMISSIVE: Status.PERMISSIVE,
    ride_through.Mode.MOMENTARY_CESSATION: Status.MOMENTARY_CESSATION,
    ride_through.Mode.CEASE: Status.CEASE,
    # Frequency beyond the table: nothing is asked, and the unit runs on.
    ride_through.Mode.NONE: Status.MANDATORY,
}

EDGES_V = (0.0, 0.3, 0.45, 0.5, 0.65, 0.7, 0.88, 1.0, 1.1, 1.15, 1.175, 1.2, 1.5)
EDGES_HZ = (50.0, 56.5, 57.0, 58.5, 58.8, 60.0, 61.2, 61.8, 62.0, 66.0)


def around(edges: tuple[float, ...], by: float) -> list[float]:
    """Each edge, and just below and above it."""
    return sorted({max(0.0, edge + offset) for edge in edges for offset in (-by, 0.0, by)})


def rating(file: Unit) -> Rating:
    """Nameplate of a unit in SI."""
    va = file.nameplate_w * file.va_rating_pu
    inject, absorb = file.var_rating
    battery = file.storage
    charge_w = 0.0 if battery is None else min(battery.charge_w or file.nameplate_w, file.nameplate_w)
    return Rating(file.nameplate_w, va, inject * va, absorb * va, charge_w, va)


def amount(values: Values, label: str) -> float:
    value = number(values[label])
    assert value is not None
    return value


class TestRideThrough:
    @pytest.mark.parametrize("category", CATEGORIES)
    @pytest.mark.parametrize("cessation", [None, True, False])
    @pytest.mark.parametrize("hz", [60.0, 58.7, 61.9])
    def test_mode_at_every_edge_of_voltage(self, category: str, cessation: bool | None, hz: float) -> None:
        file = unit({} if cessation is None else {"MC_ENABLE": cessation}, abnormal_category=category)
        volts = around(EDGES_V, 1e-6)
        pairs = [(low, high) for low in volts for high in volts if low <= high]
        bank = RideThroughBank([file] * len(pairs), SettingsBank([file.complete_settings] * len(pairs)), DT_S)
        low, high = np.array(pairs).T
        for mode, (v_low, v_high) in zip(bank.mode(low, high, hz), pairs, strict=True):
            grid = trip.Grid(v_low, v_high, hz)
            expected = ride_through.mode_in_force(file.complete_settings, file.abnormal_category, grid)
            assert Status(mode) is STATUS_OF[expected], (v_low, v_high, hz)

    def test_mode_at_every_edge_of_frequency(self) -> None:
        file = unit()
        bank = RideThroughBank([file], SettingsBank([file.complete_settings]), DT_S)
        seen = set()
        for hz in around(EDGES_HZ, 1e-6):
            expected = STATUS_OF[
                ride_through.mode_in_force(file.complete_settings, "III", trip.Grid(1, 1, hz))
            ]
            assert Status(bank.mode(1.0, 1.0, hz)[0]) is expected, hz
            seen.add(expected)
        assert seen == {Status.CONTINUOUS, Status.MANDATORY}


class TestTrip:
    @pytest.mark.parametrize("category", CATEGORIES)
    @pytest.mark.parametrize("name", trip.NAMES)
    def test_each_element_clears_in_its_time(self, category: str, name: trip.Name) -> None:
        """Beyond by the least amount, for one step less than its time and then for all of it."""
        file = unit(abnormal_category=category)
        element = next(e for e in trip.elements(file.complete_settings) if e.name == name)
        beyond = element.threshold + (1e-6 if name[0] == "O" else -1e-6)
        v_pu, hz = (beyond, 60.0) if name[1] == "V" else (1.0, beyond)
        # A higher stage that is picked up as well must not be the one that trips.
        dt_s = element.clearing_s / 40.0
        fleet = started(file, dt_s=dt_s)
        statuses = run(fleet, element.clearing_s, v_pu, hz)[:, 2, 0]
        assert len(statuses) == 40
        assert (statuses[:-1] != Status.TRIP).all()
        assert statuses[-1] == Status.TRIP

    @pytest.mark.parametrize("name", trip.NAMES)
    def test_at_its_threshold_it_does_not_pick_up(self, name: trip.Name) -> None:
        file = unit()
        element = next(e for e in trip.elements(file.complete_settings) if e.name == name)
        v_pu, hz = (element.threshold, 60.0) if name[1] == "V" else (1.0, element.threshold)
        fleet = started(file, dt_s=element.clearing_s / 4)
        run(fleet, element.clearing_s * 1.5, v_pu, hz)
        index = ("OV2", "OV1", "UV2", "UV1", "OF2", "OF1", "UF2", "UF1").index(name)
        assert fleet.protection.trip.timer_s[index, 0] == 0.0

    @settings(max_examples=25, deadline=None)
    @given(
        stretches=st.lists(
            st.tuples(
                st.integers(1, 40), st.sampled_from(EDGES_V), st.sampled_from([55.0, 57.5, 60.0, 61.5, 63.0])
            ),
            min_size=1,
            max_size=8,
        ),
        category=st.sampled_from(CATEGORIES),
    )
    def test_trips_when_the_scalar_timers_operate(
        self, stretches: list[tuple[int, float, float]], category: str
    ) -> None:
        """The scalar timers count from the first sample seen beyond, ours from the step before it."""
        file = unit({"UF1_TRIP_T": 180.0}, abnormal_category=category)
        dt_s, trips = 0.02, trip.elements(file.complete_settings)
        fleet = Fleet([file], dt_s)
        fleet.settle(np.ones(1, dtype=bool))
        timers, now_s, operated = trip.Timers({}), 0.0, False
        for steps, v_pu, hz in stretches:
            for _ in range(steps):
                grid = trip.Grid(v_pu, v_pu, hz)
                now_s += dt_s
                timers = trip.Timers(
                    {e.name: timers.since_s.get(e.name, now_s - dt_s) for e in trips if e.beyond(grid)}
                )
                operated = operated or bool(timers.operated(trips, now_s))
                fleet.step(np.ones(1, dtype=bool), v_pu, hz)
                assert (Status(int(fleet.status[0])) is Status.TRIP) == operated


class TestEnterService:
    @settings(max_examples=25, deadline=None)
    @given(
        stretches=st.lists(
            st.tuples(
                st.integers(1, 60),
                st.sampled_from([0.9, 0.917, 1.0, 1.05, 1.06]),
                st.sampled_from([59.4, 59.5, 60.0, 60.1, 60.2]),
            ),
            max_size=8,
        ),
        ramp_s=st.sampled_from([0.0, 1.0, 3.0]),
    )
    def test_enters_and_ramps_like_the_scalar_one(
        self, stretches: list[tuple[int, float, float]], ramp_s: float
    ) -> None:
        file = unit({"ES_DELAY": 0.5, "ES_RAMP_RATE": ramp_s, "PF_MODE_ENABLE": False})
        fleet = started(file, dt_s=0.02)
        fleet.permit[0] = False
        run(fleet, 0.02)
        fleet.permit[0] = True
        service, now_s = enter_service.Service(), 0.0
        for steps, v_pu, hz in stretches:
            for _ in range(steps):
                now_s += 0.02
                # A step's inputs hold over the step: the good grid began a step before it is seen.
                seen = service.good_s is None and service.entered_s is None
                service = service.at(
                    file.complete_settings, trip.Grid(v_pu, v_pu, hz), now_s - 0.02 if seen else now_s
                )
                if seen and service.good_s is not None:
                    service = service.at(file.complete_settings, trip.Grid(v_pu, v_pu, hz), now_s)
                fleet.step(np.ones(1, dtype=bool), v_pu, hz)
                ceiling = service.ceiling_pu(file.complete_settings, now_s)
                assert fleet.p_pu[0] == pytest.approx(ceiling, abs=0.02 / max(ramp_s, 0.02) + 1e-9)
                assert (fleet.p_pu[0] > 0) == (service.entered_s is not None)


MODES: list[dict[str, object]] = [
    {"QV_MODE_ENABLE": True, "QV_OLRT": 1.0},
    {"QV_MODE_ENABLE": True, "QV_VREF": 1.02, "QV_CURVE_V2": 1.0, "QV_CURVE_Q2": 0.1, "QV_CURVE_Q1": 0.3},
    {"QP_MODE_ENABLE": True},
    {"QP_MODE_ENABLE": True, "QP_CURVE_P1_GEN": 0.3, "QP_CURVE_Q1_GEN": 0.2, "QP_CURVE_Q3_GEN": -0.44},
    {"CONST_Q_MODE_ENABLE": True, "CONST_Q": -0.4},
    {"CONST_Q_MODE_ENABLE": True, "CONST_Q": 0.6},
    {"CONST_PF": 0.9, "CONST_PF_EXCITATION": "INJ"},
    {"CONST_PF": 0.8, "CONST_PF_EXCITATION": "ABS"},
    {"CONST_PF": 0.6, "CONST_PF_EXCITATION": "INJ"},
    {},
]


def scalar_power(file: Unit, v_pu: float, p_pu: float) -> tuple[float, float]:
    """P and Q in pu of nameplate that the scalar functions come to in the end."""
    values, rated, p_w = file.complete_settings, rating(file), p_pu * file.nameplate_w
    mode = reactive.reactive_mode(values)
    power = (p_w, reactive.desired_var(values, rated, v_pu, p_w))
    if mode == "CONST_PF_MODE_ENABLE":
        power = capability.within_at_pf(rated, power)
    elif mode == "QP_MODE_ENABLE":
        power = capability.within_watt_var(rated, power, curves.watt_var(values))
    else:
        priority = capability.Priority.REACTIVE if file.priority == "var" else capability.Priority.ACTIVE
        power = capability.within(rated, power, priority, file.normal_category)
    return power[0] / file.nameplate_w, power[1] / file.nameplate_w


class TestReactivePower:
    @pytest.mark.parametrize("mode", MODES)
    @pytest.mark.parametrize("va_pu", [1.0, 1.05, 1.3])
    @pytest.mark.parametrize("priority", ["var", "watt"])
    def test_where_each_mode_settles_within_the_rating(
        self, mode: dict[str, object], va_pu: float, priority: str
    ) -> None:
        """Over voltage and active power, generating and charging, beyond the circle too."""
        fields = {
            "va_rating_pu": va_pu,
            "priority": priority,
            "var_inject_pu": 0.6,
            "var_at_low_power": "full",
        }
        powers = np.linspace(-1.0, 1.0, 41)
        file = unit(
            {**mode, "PF_MODE_ENABLE": False},
            **fields,
            kind="storage",
            storage={"capacity_wh": 1e6, "charge_w": 8_000.0},
        )
        fleet = Fleet([file] * len(powers), DT_S)
        for v_pu in np.linspace(0.9, 1.09, 20):
            asked = np.clip(powers, -0.8, 1.0)
            q_pu = fleet.reactive.settle(float(v_pu), asked, np.ones(len(asked), dtype=bool))
            p_fit, q_fit = fleet.capability.fit(asked, q_pu, fleet.reactive.enabled)
            for p_pu, got_p, got_q in zip(asked, p_fit, q_fit, strict=True):
                wanted = scalar_power(file, float(v_pu), float(p_pu))
                assert (got_p, got_q) == pytest.approx(wanted, abs=1e-6), (v_pu, p_pu)

    def test_a_watt_var_curve_without_an_absorbing_side(self) -> None:
        load = {f"QP_CURVE_{axis}{i}_LOAD": 0.0 for axis in "PQ" for i in (1, 2, 3)}
        file = unit({"QP_MODE_ENABLE": True, **load, "QP_CURVE_Q1_GEN": 0.1}, var_at_low_power="full")
        scalar = curves.watt_var(file.complete_settings)
        powers = np.linspace(0.0, 1.0, 201)
        fleet = Fleet([file] * len(powers), DT_S)
        wanted = [scalar(p) * file.va_rating_pu for p in powers]
        assert fleet.reactive.watt_var_at(powers) == pytest.approx(wanted, abs=1e-12)

    def test_the_reference_voltage_that_adjusts_itself(self) -> None:
        file = unit(
            {"QV_MODE_ENABLE": True, "QV_VREF_AUTO_MODE": True, "QV_VREF_TIME": 300.0, "QV_OLRT": 1.0}
        )
        values, dt_s = file.complete_settings, 0.1
        fleet, mean = started(file, dt_s=dt_s), 1.0
        run(fleet, dt_s)
        lagged = []
        for v_pu in (1.04, 1.07, 0.96, 0.93):
            for _ in range(600):
                fleet.step(np.ones(1, dtype=bool), v_pu, 60.0)
                mean = vref.mean_v_pu(values, mean, v_pu, dt_s)
            curve = vref.volt_var_about(values, vref.vref_pu(values, mean))
            assert fleet.q_pu[0] == pytest.approx(curve(v_pu) * file.va_rating_pu, abs=2e-3)
            lagged.append(float(fleet.q_pu[0]))
        assert min(lagged) < -0.05
        assert max(lagged) > 0.05


class TestDroop:
    @settings(max_examples=25, deadline=None)
    @given(
        hz=st.floats(58.9, 61.1),
        before=st.floats(-0.9, 0.9),
        dbof=st.floats(0.017, 1.0),
        kof=st.floats(0.02, 0.05),
        kuf=st.floats(0.02, 0.05),
    )
    def test_where_it_settles(self, hz: float, before: float, dbof: float, kof: float, kuf: float) -> None:
        """Storage and, above 0, PV held back to the same power by its limit."""
        given_settings: dict[str, object] = {"PF_DBOF": dbof, "PF_KOF": kof, "PF_KUF": kuf, "PF_OLRT": 1.0}
        files = [storage(given_settings, capacity_wh=1e6), unit(given_settings)]
        fleet = started(*files, dt_s=0.1)
        fleet.setpoint.write(0, SetpointWrite(enabled=True, set_pu=before))
        fleet.configure(1, {"AP_LIMIT_ENABLE": True, "AP_LIMIT": abs(before)})
        fleet.settle(np.ones(2, dtype=bool))
        run(fleet, 0.1)
        starts = fleet.p_pu.copy()
        assert starts == pytest.approx([before, abs(before)])
        run(fleet, 10.0, hz=hz)
        for index, (file, least) in enumerate(zip(files, (-1.0, 0.0), strict=True)):
            memory = droop.Droop().noticed(file.complete_settings, hz, float(starts[index]))
            wanted = memory.wanted_pu(file.complete_settings, hz, least, 1.0)
            assert fleet.p_pu[index] == pytest.approx(starts[index] if wanted is None else wanted, abs=2e-3)


@settings(max_examples=40, deadline=None)
@given(points=st.lists(st.sampled_from([0.9, 0.95, 1.0, 1.05, 1.1]), min_size=2, max_size=6), data=st.data())
def test_a_curve_with_jumps_is_the_scalar_one(points: list[float], data: st.DataObject) -> None:
    xs = sorted(points)
    ys = data.draw(st.lists(st.floats(-1, 1), min_size=len(xs), max_size=len(xs)))
    bank = CurveBank(np.ones(2, dtype=bool))
    bank.set(np.array([xs, xs]).T, np.array([np.zeros_like(ys), ys]).T)
    scalar = curves.Curve(tuple(zip(xs, ys, strict=True)))
    at: Floats = np.array([0.8, 0.9, 0.925, 0.95, 0.975, 1.0, 1.025, 1.05, 1.075, 1.1, 1.2])
    for x in at:
        # At an abscissa that three points share, the scalar curve takes the first of them, and so do we.
        assert bank.at(float(x))[1] == pytest.approx(scalar(float(x)), abs=1e-9)
