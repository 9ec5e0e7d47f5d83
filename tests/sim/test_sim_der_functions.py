"""Functions over time: responses, the way of a command, storage, settings, and what the time step does."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pytest
from der_units import DT_S, run, started, storage, unit
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from sim.der import Fleet, Status
from sim.files.unit import Unit
from sim.limit import LimitWrite
from sim.setpoint import SetpointBank, SetpointWrite
from tiir.setting import TiirError

ON = np.ones(1, dtype=bool)

RESPONSES: dict[str, tuple[dict[str, object], float, float]] = {
    "QV": ({"QV_MODE_ENABLE": True, "QV_OLRT": 4.0}, 1.08, 4.0),
    "CONST_Q": ({"CONST_Q_MODE_ENABLE": True, "CONST_Q": -0.44}, 1.0, 5.0),
    "QP": ({"QP_MODE_ENABLE": True}, 1.0, 5.0),
    "PF": ({"CONST_PF": 0.9}, 1.0, 5.0),
}


class TestResponse:
    @pytest.mark.parametrize("name", RESPONSES)
    def test_reactive_power_covers_90_percent_in_its_time(self, name: str) -> None:
        given_settings, v_pu, response_s = RESPONSES[name]
        fleet = started(unit(given_settings, va_rating_pu=2.0))
        after = run(fleet, response_s, v_pu)[-1, 1, 0]
        final = run(fleet, 30.0, v_pu)[-1, 1, 0]
        assert final < -0.2
        assert after == pytest.approx(0.9 * final, abs=1e-3)

    def test_volt_watt_covers_90_percent_in_its_time(self) -> None:
        fleet = started(unit({"PV_MODE_ENABLE": True, "PV_OLRT": 3.0}))
        assert run(fleet, 3.0, 1.08)[-1, 0, 0] == pytest.approx(1.0 - 0.9 * 0.5, abs=1e-3)

    @pytest.mark.parametrize(("hz", "step"), [(60.536, -0.5 / 3), (59.464, 0.5 / 3)])
    def test_droop_covers_90_percent_in_its_time_and_takes_as_long_to_go_back(
        self, hz: float, step: float
    ) -> None:
        fleet = started(unit({"PF_OLRT": 2.0, "AP_LIMIT_ENABLE": True, "AP_LIMIT": 0.5}))
        run(fleet, DT_S)
        assert run(fleet, 2.0, hz=hz)[-1, 0, 0] == pytest.approx(0.5 + 0.9 * step, abs=1e-3)
        assert run(fleet, 20.0, hz=hz)[-1, 0, 0] == pytest.approx(0.5 + step, abs=1e-3)
        assert run(fleet, 2.0)[-1, 0, 0] == pytest.approx(0.5 + 0.1 * step, abs=1.5e-3)
        assert run(fleet, 20.0)[-1, 0, 0] == pytest.approx(0.5, abs=1e-9)

    def test_a_limit_lowered_while_the_frequency_is_low_acts(self) -> None:
        fleet = started(unit({"PF_OLRT": 1.0, "AP_LIMIT_ENABLE": True, "AP_LIMIT": 0.5}))
        run(fleet, 10.0, hz=59.464)
        fleet.limit.write(0, LimitWrite(cap_pu=0.2))
        run(fleet, 10.0, hz=59.464)
        assert fleet.p_pu[0] == pytest.approx(0.2 + 0.5 / 3, abs=1e-3)

    def test_out_of_service_the_reference_voltage_is_the_voltage(self) -> None:
        """Back after the voltage has changed, nothing is asked of a curve that moves with it."""
        adjusting = {"QV_MODE_ENABLE": True, "QV_VREF_AUTO_MODE": True, "QV_OLRT": 1.0}
        fleet = started(unit({**adjusting, "ES_DELAY": 0.1, "ES_RAMP_RATE": 0.0}))
        run(fleet, 1.0)
        fleet.permit[0] = False
        run(fleet, 0.1, v_pu=1.04)
        fleet.permit[0] = True
        assert np.abs(run(fleet, 5.0, v_pu=1.04)[:, 1, 0]).max() < 1e-9

    def test_the_mode_that_is_enabled_last_is_the_one(self) -> None:
        fleet = started(unit({"QV_MODE_ENABLE": True}))
        fleet.configure(0, {"CONST_Q_MODE_ENABLE": True, "CONST_Q": 0.3})
        assert fleet.settings(0)["QV_MODE_ENABLE"] is False
        run(fleet, 30.0, v_pu=1.08)
        assert fleet.q_pu[0] == pytest.approx(0.3 * 1.1, abs=1e-5)

    @pytest.mark.parametrize(("p_pu", "share"), [(0.04, 0.0), (0.1, 0.5), (0.2, 1.0), (1.0, 1.0)])
    def test_pv_gives_less_reactive_power_below_a_fifth_of_its_rating(
        self, p_pu: float, share: float
    ) -> None:
        constant = {"CONST_Q_MODE_ENABLE": True, "CONST_Q": 0.44}
        fleet = started(
            unit(constant, sun_pu=p_pu), unit(constant, sun_pu=p_pu, var_at_low_power="full"), v_pu=1.0
        )
        assert fleet.q_pu == pytest.approx([share * 0.44 * 1.1, 0.44 * 1.1])


class TestCommand:
    def test_lag_covers_90_percent_in_its_time(self) -> None:
        fleet = started(unit(lag_s=2.0))
        fleet.limit.write(0, LimitWrite(enabled=True, cap_pu=0.0))
        assert run(fleet, 2.0)[-1, 0, 0] == pytest.approx(0.1, abs=1e-6)

    @pytest.mark.parametrize(("moves", "expected"), [("output", 0.4), ("limit", 0.5)])
    def test_the_slope_acts_on_the_output_or_on_the_limit(self, moves: str, expected: float) -> None:
        """From half sun, a limit of nothing: the limit has to come down from full first."""
        fleet = started(unit(slope_pct_s=10.0, moves=moves, sun_pu=0.5))
        fleet.limit.write(0, LimitWrite(enabled=True, cap_pu=0.0))
        assert run(fleet, 1.0)[-1, 0, 0] == pytest.approx(expected)
        fleet.sun_pu[:] = 1.0
        fleet.limit.write(0, LimitWrite(enabled=False))
        rise = run(fleet, 0.5)[-1, 0, 0] - expected
        assert rise == pytest.approx(0.05 if moves == "output" else 0.45)

    def test_a_command_within_the_deadband_is_not_followed(self) -> None:
        fleet = started(unit(deadband_pct=5.0))
        followed = []
        for cap_pu in (0.96, 0.94, 0.98, 0.9, 0.889):
            fleet.limit.write(0, LimitWrite(enabled=True, cap_pu=cap_pu))
            followed.append(run(fleet, DT_S)[-1, 0, 0])
        assert followed == pytest.approx([1.0, 0.94, 0.94, 0.94, 0.889])

    def test_a_limit_brings_about_no_less_than_the_least_power(self) -> None:
        fleet = started(unit(min_pct=10.0))
        fleet.limit.write(0, LimitWrite(enabled=True, cap_pu=0.02))
        assert run(fleet, DT_S)[-1, 0, 0] == pytest.approx(0.1)
        fleet.sun_pu[:] = 0.05
        assert run(fleet, DT_S)[-1, 0, 0] == pytest.approx(0.05)

    def test_dead_times_of_several_units_are_their_own(self) -> None:
        fleet = started(unit(dead_time_s=0.1), unit(dead_time_s=0.3))
        for index in (0, 1):
            fleet.limit.write(index, LimitWrite(enabled=True, cap_pu=0.5))
        powers = run(fleet, 0.4)[:, 0]
        assert (powers < 0.9).argmax(axis=0).tolist() == [10, 30]


class TestStorage:
    def test_a_setpoint_charges_and_discharges_and_the_energy_adds_up(self) -> None:
        fleet = started(storage(efficiency=0.8), dt_s=1.0)
        for set_pu in (-1.0, 0.5):
            fleet.setpoint.write(0, SetpointWrite(enabled=True, set_pu=set_pu))
            run(fleet, 720.0)
        assert fleet.absorbed_wh[0] == pytest.approx(2000.0)
        assert fleet.energy_wh[0] == pytest.approx(1000.0)
        assert fleet.soc_pu[0] == pytest.approx(0.5 + (0.8 * 2000 - 1000) / 10_000)

    @pytest.mark.parametrize(("set_pu", "end"), [(1.0, 0.2), (-1.0, 0.9)])
    def test_it_stops_exactly_at_either_end(self, set_pu: float, end: float) -> None:
        fleet = started(storage(soc_min_pu=0.2, soc_max_pu=0.9, efficiency=0.9), dt_s=1.0)
        fleet.setpoint.write(0, SetpointWrite(enabled=True, set_pu=set_pu))
        run(fleet, 3600.0)
        assert fleet.soc_pu[0] == pytest.approx(end, abs=1e-12)
        assert fleet.p_pu[0] == pytest.approx(0.0, abs=1e-9)
        energy_wh = fleet.energy_wh[0] if set_pu > 0 else 0.9 * fleet.absorbed_wh[0]
        assert energy_wh == pytest.approx(abs(end - 0.5) * 10_000)

    def test_a_long_step_fills_it_to_the_brim_and_no_further(self) -> None:
        """2 kW of charging a step at 90 %: 0.06 of the capacity each, the last step less."""
        fleet = started(storage(soc_pu=0.8, charge_w=2_000.0, efficiency=0.9), dt_s=1200.0)
        fleet.setpoint.write(0, SetpointWrite(enabled=True, set_pu=-1.0))
        powers = run(fleet, 4 * 1200.0)[:, 0, 0]
        assert powers == pytest.approx([-0.2, -0.2, -0.2, -0.2 * 0.02 / 0.06])
        assert fleet.soc_pu[0] == pytest.approx(1.0, abs=1e-12)

    def test_charge_and_discharge_powers_bound_it(self) -> None:
        fleet = started(storage(charge_w=3_000.0, discharge_w=6_000.0))
        for set_pu, expected in ((-1.0, -0.3), (1.0, 0.6)):
            fleet.setpoint.write(0, SetpointWrite(enabled=True, set_pu=set_pu))
            assert run(fleet, 0.1)[-1, 0, 0] == pytest.approx(expected)

    def test_it_idles_without_a_setpoint_and_a_limit_does_not_charge_it(self) -> None:
        fleet = started(storage())
        assert run(fleet, 0.1)[-1, 0, 0] == 0.0
        fleet.setpoint.write(0, SetpointWrite(enabled=True, set_pu=0.8))
        fleet.limit.write(0, LimitWrite(enabled=True, cap_pu=0.3))
        assert run(fleet, 0.1)[-1, 0, 0] == pytest.approx(0.3)
        fleet.setpoint.write(0, SetpointWrite(set_pu=-0.8))
        assert run(fleet, 0.1)[-1, 0, 0] == pytest.approx(-0.8)

    def test_pv_has_no_state_of_charge_and_is_held_down_by_a_setpoint(self) -> None:
        fleet = started(unit(), storage())
        assert np.isnan(fleet.soc_pu).tolist() == [True, False]
        fleet.setpoint.write(0, SetpointWrite(enabled=True, set_pu=0.4))
        assert run(fleet, 0.1)[-1, 0].tolist() == pytest.approx([0.4, 0.0])

    def test_over_frequency_makes_it_charge(self) -> None:
        fleet = started(storage({"PF_OLRT": 1.0}))
        run(fleet, 0.1)
        assert run(fleet, 8.0, hz=60.636)[-1, 0, 0] == pytest.approx(-0.2, abs=1e-3)

    @pytest.mark.parametrize(
        "fields",
        [
            {"kind": "storage"},
            {"storage": {"capacity_wh": 1.0}},
            {"kind": "storage", "storage": {"capacity_wh": 0}},
        ],
    )
    def test_a_file_that_says_half_is_refused(self, fields: dict[str, object]) -> None:
        with pytest.raises(ValidationError):
            unit(None, **fields)


class TestSetpointReversion:
    def bank(self) -> SetpointBank:
        bank = SetpointBank(np.array([0.0, 1.0]))
        bank.write(0, SetpointWrite(enabled=True, set_pu=-0.5, revert_after_s=2.0))
        return bank

    def test_without_a_safe_value_it_falls_idle(self) -> None:
        bank = self.bank()
        bank.step(1.5)
        assert bank.remaining_s(0) == 1
        assert bank.command_pu().tolist() == [-0.5, 1.0]
        bank.step(0.5)
        assert bank.command_pu().tolist() == [0.0, 1.0]
        assert bank.remaining_s(0) == 0
        assert not bank.enabled[0]

    def test_with_a_safe_value_it_takes_that(self) -> None:
        bank = self.bank()
        bank.write(0, SetpointWrite(revert_enabled=True, revert_set_pu=0.2))
        bank.step(2.0)
        assert bank.command_pu()[0] == 0.2
        bank.step(100.0)
        assert bank.command_pu()[0] == 0.2

    def test_a_write_starts_the_timer_again(self) -> None:
        bank = self.bank()
        bank.step(1.9)
        bank.write(0, SetpointWrite(set_pu=-0.6))
        bank.step(1.9)
        assert bank.command_pu()[0] == -0.6


class TestSettings:
    def test_defaults_are_the_standards_for_the_category(self) -> None:
        fleet = Fleet([unit(abnormal_category="I", normal_category="A"), unit()], DT_S)
        assert [fleet.settings(index)["OV1_TRIP_T"] for index in (0, 1)] == [2.0, 13.0]
        assert [fleet.settings(index)["QV_CURVE_Q1"] for index in (0, 1)] == [0.25, 0.44]
        assert fleet.capability.var_absorb_pu == pytest.approx([0.25 * 1.1, 0.44 * 1.1])

    def test_a_change_is_in_force_and_read_back(self) -> None:
        fleet = started(unit(), unit())
        changes: Mapping[str, object] = {
            "OV1_TRIP_V": 1.06,
            "OV1_TRIP_T": 0.1,
            "CONST_PF_EXCITATION": "INJ",
            "AP_LIMIT_ENABLE": True,
            "AP_LIMIT": 0.7,
        }
        fleet.configure(1, changes)  # type: ignore[arg-type] # of the right kinds
        held = fleet.settings(1)
        assert {label: held[label] for label in changes} == changes
        assert fleet.settings(0)["OV1_TRIP_V"] == 1.1
        run(fleet, 0.1, v_pu=1.07)
        assert fleet.status.tolist() == [Status.CONTINUOUS, Status.TRIP]

    def test_the_file_states_the_limit_too(self) -> None:
        fleet = started(unit({"AP_LIMIT_ENABLE": True, "AP_LIMIT": 0.4}))
        assert fleet.p_pu[0] == pytest.approx(0.4)
        assert fleet.settings(0)["AP_LIMIT"] == 0.4

    @pytest.mark.parametrize(
        ("changes", "told"),
        [
            ({"OV1_TRIP": 1.1}, "OV1_TRIP is not a setting"),
            ({"NP_VA_MAX": 1.1}, "NP_VA_MAX is not a setting"),
            ({"OV1_TRIP_V": True}, "OV1_TRIP_V cannot be True"),
            ({"QV_MODE_ENABLE": 1.0}, "QV_MODE_ENABLE cannot be 1.0"),
            ({"CONST_PF_EXCITATION": "UP"}, "cannot be 'UP'"),
            ({"QV_CURVE_V2": 1.5}, "left to right"),
            ({"QP_CURVE_P2_GEN": 0.1}, "left to right"),
            ({"PV_CURVE_V1": 1.2}, "left to right"),
            ({"CONST_PF": 0.0}, "CONST_PF"),
        ],
    )
    def test_what_is_inconsistent_is_refused_and_changes_nothing(
        self, changes: dict[str, bool | float | str], told: str
    ) -> None:
        fleet = started(unit())
        before = fleet.settings(0)
        with pytest.raises(TiirError, match=told):
            fleet.configure(0, {"ES_DELAY": 7.0, **changes})
        assert fleet.settings(0) == before

    def test_a_running_unit_takes_what_the_standard_does_not_allow(self) -> None:
        fleet = started(unit())
        fleet.configure(0, {"OV1_TRIP_T": 99.0})
        assert fleet.settings(0)["OV1_TRIP_T"] == 99.0

    @pytest.mark.parametrize(
        ("stated", "told"),
        [
            ({"OV1_TRIP_T": 99.0}, "OV1_TRIP_T = 99 is outside 1 to 13 s"),
            ({"OV1_TRIP_TT": 9.0}, "did you mean OV1_TRIP_T"),
            ({"QV_CURVE_V2": 1.5}, "QV_CURVE_V2"),
        ],
    )
    def test_a_file_is_held_to_the_ranges(self, stated: dict[str, object], told: str) -> None:
        with pytest.raises(ValidationError, match=told):
            unit(stated)

    def test_the_editions_differ(self) -> None:
        long = {"UV1_TRIP_T": 10.0}
        with pytest.raises(ValidationError, match="UV1_TRIP_T"):
            unit(long)
        assert unit(long, edition="2018+2020").complete_settings["UV1_TRIP_T"] == 10.0


EVERYTHING: list[dict[str, object]] = [
    {"QV_MODE_ENABLE": True, "PV_MODE_ENABLE": True, "QV_OLRT": 1.0},
    {"QP_MODE_ENABLE": True},
    {"CONST_PF": 0.9},
    {"QV_MODE_ENABLE": True, "QV_VREF_AUTO_MODE": True},
    {"CONST_Q_MODE_ENABLE": True, "CONST_Q": 0.2},
]


def disturbed(files: list[Unit], dt_s: float, seed: int) -> np.ndarray:
    """P and Q every 0.2 s of 20 s in which voltage, frequency, sun and limit move at random."""
    fleet = Fleet(files, dt_s)
    fleet.settle(np.ones(len(files), dtype=bool), 1.0)
    random, rows = np.random.default_rng(seed), []
    for _ in range(10):
        v_pu, hz = random.uniform(0.96, 1.09), random.uniform(59.5, 60.5)
        fleet.sun_pu[:] = random.uniform(0.2, 1.0)
        for index in range(len(files)):
            fleet.limit.write(index, LimitWrite(enabled=True, cap_pu=float(random.random())))
        for _ in range(10):
            for _ in range(round(0.2 / dt_s)):
                fleet.step(np.ones(len(files), dtype=bool), v_pu, hz)
            rows.append([fleet.p_pu.copy(), fleet.q_pu.copy()])
    return np.array(rows)


@pytest.mark.parametrize("seed", [1, 2])
def test_half_the_time_step_changes_little(seed: int) -> None:
    """By less than 0.5 % of rating from 20 ms to 10 ms, and by less than 0.25 % from there to 5 ms."""
    files = [unit(each, dead_time_s=0.2, slope_pct_s=50.0) for each in EVERYTHING]
    coarse, fine, finest = (disturbed(files, dt_s, seed) for dt_s in (0.02, 0.01, 0.005))
    assert np.ptp(fine[:, 0]) > 0.6
    assert np.ptp(fine[:, 1]) > 0.4
    assert np.abs(coarse - fine).max() < 0.005
    assert np.abs(fine - finest).max() < 0.0025


@settings(max_examples=3, deadline=None)
@given(order=st.permutations(range(len(EVERYTHING))))
def test_many_units_are_as_each_alone(order: list[int]) -> None:
    files = [unit(EVERYTHING[index]) for index in order]
    together = disturbed(files, 0.05, 1)
    for index, file in enumerate(files[:2]):
        random_of_all = np.random.default_rng(1)
        fleet = Fleet([file], 0.05)
        fleet.settle(ON, 1.0)
        row = 0
        for _ in range(10):
            v_pu, hz = random_of_all.uniform(0.96, 1.09), random_of_all.uniform(59.5, 60.5)
            fleet.sun_pu[:] = random_of_all.uniform(0.2, 1.0)
            caps = [float(random_of_all.random()) for _ in files]
            fleet.limit.write(0, LimitWrite(enabled=True, cap_pu=caps[index]))
            for _ in range(10):
                for _ in range(4):
                    fleet.step(ON, v_pu, hz)
                assert (fleet.p_pu[0], fleet.q_pu[0]) == tuple(together[row, :, index])
                row += 1


def test_a_hundred_thousand_units_take_the_same_path() -> None:
    one, many = started(unit(EVERYTHING[0])), started(*[unit(EVERYTHING[0])] * 100_000)
    for v_pu, hz in ((1.07, 60.2), (0.7, 60.0), (1.3, 60.0)):
        one.step(ON, v_pu, hz)
        many.step(np.ones(100_000, dtype=bool), np.full(100_000, v_pu), np.full(100_000, hz))
        for name in ("p_pu", "q_pu", "status"):
            assert (getattr(many, name) == getattr(one, name)[0]).all()
