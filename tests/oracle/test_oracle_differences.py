"""Each known difference, with both behaviours; and that a case which shows it is left out, its siblings not."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import oracle_differences as known
import oracle_fleet
import oracle_opender
import pytest
from oracle_case import Answer, Battery, Case, Floats, Trace
from oracle_compare import compare
from oracle_differences import Difference
from oracle_run import Result, ask
from oracle_suite import make
from oracle_traces import trace

from sim.der import Status
from tiir.complete import SettingsRefusedError
from tiir.setting import Der
from tiir.values import Value

B_III = Der(normal="B", abnormal="III", rated_va=110e3)
BIDIRECTIONAL = Der(normal="B", abnormal="III", rated_va=110e3, bidirectional=True)
DT_S = 0.125
"""Exact in binary, so that sums of it are: no timer is a step late for its rounding."""

COUNT = 300
BREAK = slice(10, 20)
"""Steps without permit; with a delay of 1 s a unit enters service at `ENTERS`."""

ENTERS = 27
SOON: dict[str, Value] = {"ES_DELAY": 1.0, "ES_RAMP_RATE": 10.0}
RAMP_PU = DT_S / 10.0


def put(settings: dict[str, Value], inputs: Trace, unit: Der = B_III, **rest: Any) -> Result:
    """One case to both models."""
    case = Case("difference", "difference", unit, settings, DT_S, inputs)
    (result,) = ask([replace(case, **rest)])
    return result


def broken(**inputs: Any) -> Trace:
    """A trace with a break of the permit."""
    permit = np.ones(COUNT, dtype=bool)
    permit[BREAK] = False
    return trace(COUNT, permit=permit, **inputs)


def stepping(before: float, after: float, *at: int) -> Floats:
    """A signal that changes between two values at each of the steps `at`."""
    passed = (np.arange(COUNT)[:, None] >= np.array(at)).sum(axis=1)
    return np.where(passed % 2 == 1, after, before)


def leaves_out(result: Result, difference: Difference) -> bool:
    """Whether `difference` alone leaves the case out, and rightly: the answers do not agree."""
    return result.excluded == [difference.key] and not result.agreement.holds


def agrees(result: Result) -> bool:
    """Whether nothing leaves the case out and the answers agree."""
    return not result.excluded and result.agreement.holds


def test_every_difference_has_a_test_here() -> None:
    names = {name for name, value in vars(known).items() if isinstance(value, Difference)}
    assert len(names) == len(known.DIFFERENCES) + len(known.TRANSLATED)
    source = Path(__file__).read_text("utf-8")
    assert [name for name in names if f"known.{name}" not in source] == []


def test_limit_and_volt_watt_skip_the_ramp() -> None:
    settings = {**SOON, "PV_MODE_ENABLE": True}
    both = put(settings, broken(limit_pu=0.8))
    assert leaves_out(both, known.LIMIT_AND_VOLT_WATT_SKIP_THE_RAMP)
    assert both.oracle.p_pu[ENTERS] == pytest.approx(0.8, abs=0.01)
    assert both.ours.p_pu[ENTERS : ENTERS + 5] == pytest.approx(np.arange(1, 6) * RAMP_PU, abs=1e-6)
    assert agrees(put({**SOON, "PV_MODE_ENABLE": False}, broken(limit_pu=0.8)))
    assert agrees(put(settings, broken()))


def test_storage_forgets_its_demand() -> None:
    inputs = trace(COUNT, limit_pu=0.6, demand_pu=-0.5)
    storage: dict[str, Any] = {"storage": Battery(), "var_at_low_power": "full"}
    both = put({"PV_MODE_ENABLE": True}, inputs, BIDIRECTIONAL, **storage)
    assert leaves_out(both, known.STORAGE_FORGETS_ITS_DEMAND)
    assert both.oracle.p_pu[-1] == pytest.approx(0.6)
    assert both.ours.p_pu[-1] == pytest.approx(-0.5)
    assert agrees(put({"PV_MODE_ENABLE": False}, inputs, BIDIRECTIONAL, **storage))


def test_droop_skips_the_ramp() -> None:
    settings = {**SOON, "PF_OLRT": 1.0, "ES_F_HIGH": 60.5}
    hz = stepping(60.0, 60.3, 5)
    both = put(settings, broken(hz=hz))
    assert leaves_out(both, known.DROOP_SKIPS_THE_RAMP)
    assert both.oracle.p_pu[ENTERS + 15] > 0.8, "at the power it had, but for the droop, in the response time"
    assert (np.diff(both.ours.p_pu[ENTERS - 1 :]) <= RAMP_PU + 1e-9).all()
    assert agrees(put({**settings, "PF_MODE_ENABLE": False}, broken(hz=hz)))
    assert agrees(put(settings, broken()))


def test_constant_reactive_power_jumps_back() -> None:
    settings = {**SOON, "CONST_Q_MODE_ENABLE": True, "CONST_Q": 0.3}
    both = put(settings, broken())
    assert leaves_out(both, known.CONST_Q_JUMPS_BACK)
    full = ENTERS + 20
    assert both.oracle.q_pu[full] == pytest.approx(0.33)
    assert 0.1 < both.ours.q_pu[full] < 0.3
    assert agrees(put({**settings, "CONST_Q": 0.0}, broken()))


def test_charging_limit_over_the_wrong_rating() -> None:
    nearly_full = Battery(capacity_wh=1000.0, soc_pu=0.999, charge_pu=0.5)
    inputs = trace(COUNT, demand_pu=-0.5)
    both = put({}, inputs, BIDIRECTIONAL, storage=nearly_full, var_at_low_power="full")
    assert known.CHARGE_OVER_THE_WRONG_RATING.key in both.excluded
    assert both.oracle.soc_pu.max() > 1.0 + 1e-4, "overfilled"
    assert both.ours.soc_pu.max() <= 1.0
    equal = replace(nearly_full, charge_pu=1.0)
    assert agrees(put({}, inputs, BIDIRECTIONAL, storage=equal, var_at_low_power="full"))


def test_commands_wait_for_the_frequency() -> None:
    hz, limit_pu = stepping(60.0, 60.3, 20, 200), stepping(1.0, 0.4, 100)
    both = put({"PF_OLRT": 1.0}, trace(COUNT, hz=hz, limit_pu=limit_pu))
    assert leaves_out(both, known.COMMANDS_WAIT_FOR_THE_FREQUENCY)
    assert both.oracle.p_pu[150] == pytest.approx(both.oracle.p_pu[99], abs=1e-3)
    assert both.ours.p_pu[100] == pytest.approx(0.4)
    assert agrees(put({"PF_OLRT": 1.0}, trace(COUNT, hz=hz, limit_pu=0.4)))
    assert agrees(put({"PF_OLRT": 1.0}, trace(COUNT, limit_pu=limit_pu)))


def test_surplus_sun_draws_the_droop_on() -> None:
    inputs = {"hz": stepping(60.0, 58.9, 20), "limit_pu": 0.7}
    both = put({}, trace(COUNT, avail_pu=1.3, **inputs))
    assert leaves_out(both, known.SURPLUS_SUN_DRAWS_ON)
    assert both.oracle.p_pu[60] > both.ours.p_pu[60] + 0.02
    assert both.oracle.p_pu[-1] == pytest.approx(both.ours.p_pu[-1], abs=1e-4) == pytest.approx(1.0, abs=1e-4)
    assert agrees(put({}, trace(COUNT, avail_pu=1.0, **inputs)))


def test_a_return_that_ends_on_the_edge() -> None:
    (result,) = ask([make("droop", 27)])
    assert result.excluded == [known.RETURN_ON_THE_EDGE.key]
    apart_pu = np.abs(result.ours.p_pu - result.oracle.p_pu)
    step = int((apart_pu > 5e-4).argmax())
    assert result.oracle.edge[step]
    assert apart_pu[step] == pytest.approx(1e-3, abs=2e-4), "one has returned, the other has not"
    assert compare(_until(result.ours, step), _until(result.oracle, step)).holds
    assert result.agreement.worst_pu > 0.05


def _until(answer: Answer, step: int) -> Answer:
    return Answer(**{name: values[:step] for name, values in vars(answer).items()})


def test_a_slow_limit_is_let_go_at_once() -> None:
    released = put({}, trace(COUNT, limit_pu=stepping(0.4, np.nan, 100)), limit_ramp_s=15.0)
    assert leaves_out(released, known.SLOW_LIMIT_LET_GO)
    assert released.oracle.p_pu[100] == pytest.approx(1.0)
    assert released.ours.p_pu[100] == pytest.approx(0.4 + DT_S / 15.0)
    entering = put({**SOON, "ES_RAMP_RATE": 1.0}, broken(limit_pu=0.4), limit_ramp_s=15.0)
    assert leaves_out(entering, known.SLOW_LIMIT_LET_GO)
    assert entering.oracle.p_pu[ENTERS:].max() > 0.9, "far above the limit"
    assert entering.ours.p_pu[ENTERS:].max() <= 0.4 + 1e-9
    assert agrees(put({}, trace(COUNT, limit_pu=stepping(0.9, 0.4, 100, 200)), limit_ramp_s=15.0))


def test_entering_service_without_a_ramp() -> None:
    both = put({"ES_DELAY": 1.0, "ES_RAMP_RATE": 0.0}, broken())
    assert leaves_out(both, known.NO_RAMP_ENTERS)
    assert both.oracle.status[ENTERS - 1 : ENTERS + 2].tolist() == [
        Status.TRIP,
        Status.ENTERING_SERVICE,
        Status.CONTINUOUS,
    ]
    assert both.ours.status[ENTERS - 1 : ENTERS + 2].tolist() == [
        Status.TRIP,
        Status.CONTINUOUS,
        Status.CONTINUOUS,
    ]
    assert compare(both.ours, replace(both.oracle, status=both.ours.status)).holds, "powers agree"


def test_every_timer_has_run_out_at_first() -> None:
    both = put({}, trace(COUNT, v_pu=0.87))
    assert leaves_out(both, known.ABNORMAL_AT_FIRST)
    trips_s = [DT_S * (answer.status == Status.TRIP).argmax() for answer in (both.oracle, both.ours)]
    assert trips_s == [0.0, pytest.approx(21.0 - DT_S)]
    assert agrees(put({}, trace(COUNT, v_pu=stepping(1.0, 0.87, 2))))


def test_a_change_of_reactive_mode_starts_from_zero() -> None:
    settings: dict[str, Value] = {"QV_MODE_ENABLE": True}
    change = ((150, {"QV_MODE_ENABLE": False, "CONST_PF_MODE_ENABLE": True, "CONST_PF": 0.95}),)
    both = put(settings, trace(COUNT, v_pu=1.08), changes=change)
    assert leaves_out(both, known.MODE_CHANGE_FROM_ZERO)
    assert (
        both.oracle.q_pu[149]
        == pytest.approx(both.ours.q_pu[149], abs=0.005)
        == pytest.approx(-0.484, abs=0.005)
    )
    assert abs(both.oracle.q_pu[150]) < 0.01
    assert both.ours.q_pu[150] == pytest.approx(-0.48, abs=0.02)
    assert agrees(put(settings, trace(COUNT, v_pu=1.08), changes=((150, {"CONST_PF": 0.95}),)))


def raw_states(case: Case) -> set[str]:
    """The states that OpenDER itself names in the course of `case`."""
    states = set()
    with oracle_opender.stepping(case.dt_s):
        unit = oracle_opender.make(case, oracle_fleet.in_force(case))
        for index in range(len(case.trace)):
            oracle_opender.step(unit, case, index)
            states.add(unit.der_status)
    return states


@pytest.mark.parametrize(("enabled", "name"), [(True, "Momentary Cessation"), (False, "Mandatory Operation")])
def test_category_iii_above_120_percent(enabled: bool, name: str) -> None:
    case = Case("", "", B_III, {"MC_ENABLE": enabled}, 0.02, trace(50, v_pu=np.repeat([1.0, 1.25], [44, 6])))
    assert known.CEASE_OF_CATEGORY_III in known.TRANSLATED
    assert raw_states(case) == {"Continuous Operation", name}
    (result,) = ask([case])
    assert agrees(result)
    assert set(result.ours.status.tolist()) == {Status.CONTINUOUS, Status.CEASE}


@pytest.mark.parametrize("hz", [61.9, 56.9])
def test_frequency_beyond_mandatory_operation(hz: float) -> None:
    case = Case("", "", B_III, {}, 0.02, trace(50, hz=np.repeat([60.0, hz], [44, 6])))
    assert known.FREQUENCY_WITHOUT_A_NAME in known.TRANSLATED
    assert raw_states(case) == {"Continuous Operation", "Not Defined"}
    (result,) = ask([case])
    assert agrees(result)
    assert set(result.ours.status.tolist()) == {Status.CONTINUOUS, Status.MANDATORY}


def test_volt_var_curve_at_a_reference_of_one() -> None:
    assert known.CURVE_AT_REFERENCE_ONE in known.TRANSLATED
    curve = {f"QV_CURVE_V{i}": value for i, value in enumerate((0.95, 1.01, 1.05, 1.11), start=1)}
    settings: dict[str, Value] = {"QV_MODE_ENABLE": True, "QV_VREF": 1.03, **curve}
    result = put(settings, trace(COUNT, v_pu=1.08))
    assert agrees(result)
    assert result.ours.q_pu[-1] == pytest.approx(-0.44 * 1.1 / 2, abs=0.005), "half way from 1.05 to 1.11"
    case = result.case
    with oracle_opender.stepping(DT_S):
        unit = oracle_opender.make(case, oracle_fleet.in_force(case))
        for label, value in curve.items():
            setattr(unit.der_file, label, value)
        for index in range(COUNT):
            _, q_var = oracle_opender.step(unit, case, index)
    assert q_var == pytest.approx(0.0, abs=1.0), "1.08 lies inside a dead band of 1.04 to 1.08"


def test_settings_out_of_range_are_taken() -> None:
    assert known.OUT_OF_RANGE_IS_TAKEN in known.TRANSLATED
    case = Case("", "", B_III, {"OV1_TRIP_T": 99.0}, DT_S, trace(1))
    with oracle_opender.stepping(DT_S):
        unit = oracle_opender.make(
            replace(case, settings={}), {**oracle_fleet.in_force(replace(case, settings={})), **case.settings}
        )
    assert unit.der_file.OV1_TRIP_T == 99.0
    with pytest.raises(SettingsRefusedError, match=r"OV1_TRIP_T = 99 is outside 1 to 13 s .* 6\.4\.1"):
        oracle_fleet.in_force(case)
