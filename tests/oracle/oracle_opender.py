"""EPRI's OpenDER 2.2.0 as the oracle: a `Case` put to it, its answer in our units and signs.

What has to be known to use it (found in its source):

* the time step is one attribute of a class, shared by all units of a process;
* a settings file without NP_APPARENT_POWER_CHARGE_MAX fails even for PV: the shipped one has it, ours is set over it;
* writing a category puts that category's defaults over what was set before, so the nameplate goes first;
* enabling one reactive mode switches the others off;
* it takes the voltages of the volt-var curve for those at a reference of 1.0 and shifts them by QV_VREF - 1, where the
  standard's table 8 states them, like their ranges, as they stand at QV_VREF;
* values outside its ranges are only logged; the logger is silenced here, since `tiir` has checked them;
* a voltage is per unit of nominal only as `v_pu`, a power per unit of NP_P_MAX; results are in W and var.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
from opender import DER, DER_BESS, DER_PV, DERCommonFileFormat, DERCommonFileFormatBESS
from oracle_case import RATED_W, Answer, Battery, Case

from sim.der import Status
from tiir.values import Values

STATUS = {
    "Continuous Operation": Status.CONTINUOUS,
    "Mandatory Operation": Status.MANDATORY,
    "Permissive Operation": Status.PERMISSIVE,
    "Momentary Cessation": Status.MOMENTARY_CESSATION,
    "Cease to Energize": Status.CEASE,
    "Trip": Status.TRIP,
    "Entering Service": Status.ENTERING_SERVICE,
    # Frequency beyond what the standard gives a name to (above 61.8 Hz, below 57 Hz): it keeps running.
    "Not Defined": Status.MANDATORY,
}

CEASE_ABOVE_V_PU = 1.20

RETURNED_PU = 1e-3
"""OpenDER ends a return from a disturbance this near to what output would be without droop; so do we."""

FILTERS_AGREE_PU = 2e-4
"""What the two models' filters are apart by."""

REACTIVE_MODES = ("CONST_PF_MODE_ENABLE", "QV_MODE_ENABLE", "QP_MODE_ENABLE", "CONST_Q_MODE_ENABLE")

VOLT_VAR_VOLTAGES = ("QV_CURVE_V1", "QV_CURVE_V2", "QV_CURVE_V3", "QV_CURVE_V4")


def answer(case: Case, in_force: Values) -> Answer:
    """Run `case` through OpenDER with the settings `in_force`, all of them."""
    count = len(case.trace)
    p_pu, q_pu, soc_pu = np.zeros(count), np.zeros(count), np.full(count, np.nan)
    status, droop = np.zeros(count, dtype=np.int8), np.zeros(count, dtype=bool)
    edge, reference_pu = np.zeros(count, dtype=bool), np.nan
    with stepping(case.dt_s):
        unit = make(case, in_force)
        for index in range(count):
            p_w, q_var = step(unit, case, index)
            p_pu[index], q_pu[index] = p_w / RATED_W, q_var / RATED_W
            status[index] = _status(unit.der_status, case, in_force, index)
            function = unit.activepowerfunc.freqdroop
            droop[index] = function.pf_uf_active or function.pf_of_active
            edge[index] = droop[index - 1] and _on_edge(function, reference_pu)
            reference_pu = function.p_pf_ref_pu
            if case.storage:
                soc_pu[index] = unit.bess_soc
    return Answer(p_pu, q_pu, status, soc_pu, droop, edge)


@contextmanager
def stepping(dt_s: float) -> Iterator[None]:
    """Set the step that all its units share, and keep it from logging; put both back."""
    before_s, DER.t_s = DER.t_s, dt_s
    disabled = logging.root.manager.disable
    logging.disable(logging.ERROR)
    try:
        yield
    finally:
        DER.t_s = before_s
        logging.disable(disabled)


def make(case: Case, in_force: Values) -> Any:
    """A unit of OpenDER with the rating and the settings of `case`."""
    file = DERCommonFileFormat() if case.storage is None else DERCommonFileFormatBESS()
    _rate(file, case)
    if case.storage is not None:
        _store(file, case.storage)
    for label, value in in_force.items():
        if label not in REACTIVE_MODES:
            setattr(file, label, value)
    for label in VOLT_VAR_VOLTAGES:
        setattr(file, label, float(in_force[label]) - float(in_force["QV_VREF"]) + 1.0)
    for mode in sorted(REACTIVE_MODES, key=lambda mode: bool(in_force.get(mode))):
        setattr(file, mode, bool(in_force.get(mode)))
    file.ES_RANDOMIZED_DELAY_ACTUAL = case.random_delay_s
    # A unit copies what it is rated at when it is made, so the file is filled in first.
    return DER_PV(file) if case.storage is None else DER_BESS(file)


def _rate(file: Any, case: Case) -> None:
    """Nameplate and the model's own times, set so that it answers the same question as ours."""
    va = RATED_W * case.va_pu
    file.NP_NORMAL_OP_CAT = f"CAT_{case.der.normal}"
    file.NP_ABNORMAL_OP_CAT = f"CAT_{case.der.abnormal}"
    file.NP_P_MAX, file.NP_VA_MAX = RATED_W, va
    file.NP_Q_MAX_INJ = 0.44 * va
    file.NP_Q_MAX_ABS = (0.44 if case.der.normal == "B" else 0.25) * va
    file.NP_PRIO_OUTSIDE_MIN_Q_REQ = {"var": "REACTIVE", "watt": "ACTIVE"}[case.priority]
    file.NP_P_MIN_PU = case.der.p_min_pu
    file.AP_RT = case.limit_ramp_s
    # The current's own lag of 20 ms is beyond what ours models.
    file.NP_INV_DELAY, file.NP_CURRENT_PU = 0.0, case.current_pu
    file.NP_Q_CAPABILITY_LOW_P = {"reduced": "REDUCED", "full": "SAME"}[case.var_at_low_power]
    file.initialize_NP_Q_CAPABILTY_BY_P_CURVE()


def _store(file: Any, storage: Battery) -> None:
    file.NP_P_MAX_CHARGE = RATED_W * storage.charge_pu
    file.NP_APPARENT_POWER_CHARGE_MAX = file.NP_VA_MAX
    file.NP_BESS_CAPACITY = storage.capacity_wh
    file.NP_EFFICIENCY = storage.efficiency_pu
    file.NP_BESS_SOC_MIN, file.NP_BESS_SOC_MAX = 0.0, 1.0
    file.SOC_INIT = storage.soc_pu
    file.NP_P_MIN_PU = -storage.charge_pu
    file.initialize_NP_BESS_P_MAX_BY_SOC()


def _on_edge(function: Any, reference_before_pu: float) -> bool:
    """Whether droop's return ends, or does not, by less than two filters agree to, while what it returns to moves."""
    returns = not (function.pf_uf or function.pf_of)
    distance_pu = abs(function.p_pf_pu - function.p_pf_ref_pu)
    moves = abs(function.p_pf_ref_pu - reference_before_pu) > 1e-4
    return returns and moves and abs(distance_pu - RETURNED_PU) < FILTERS_AGREE_PU


def _status(name: str, case: Case, in_force: Values, index: int) -> Status:
    """What our model has for the state `name` of OpenDER at a step.

    OpenDER has no name for a unit without permit, and above 1.20 pu no "cease to energize" for Category III, which
    the standard's table 16 has: both are told from the inputs.
    """
    if name == "Trip" and not case.trace.permit[index]:
        return Status.OFF
    out_of_service = name in {"Trip", "Not Defined"}
    if case.der.abnormal == "III" and case.trace.v_pu[index] > CEASE_ABOVE_V_PU and not out_of_service:
        return Status.CEASE
    return STATUS[name]


def step(unit: Any, case: Case, index: int) -> tuple[float, float]:
    trace, file = case.trace, unit.der_file
    for at, values in case.changes:
        if at == index:
            for label, value in values.items():
                setattr(file, label, value)
    limit_pu = trace.limit_pu[index]
    file.AP_LIMIT_ENABLE = not np.isnan(limit_pu)
    if file.AP_LIMIT_ENABLE:
        file.AP_LIMIT = float(limit_pu)
    file.ES_PERMIT_SERVICE = bool(trace.permit[index])
    v_pu, hz = float(trace.v_pu[index]), float(trace.hz[index])
    if case.storage is None:
        unit.update_der_input(v_pu=v_pu, f=hz, p_dc_pu=float(trace.avail_pu[index]))
    else:
        unit.update_der_input(v_pu=v_pu, f=hz, p_dem_pu=float(trace.demand_pu[index]))
    p_w, q_var = unit.run()
    return float(p_w), float(q_var)
