"""Unequal phases: functions regulate by the mean of the phases, protection looks at the least and the greatest."""

from __future__ import annotations

import numpy as np
import oracle_fleet
import oracle_opender
import pytest
from oracle_case import RATED_W, Case
from oracle_compare import TOLERANCE_PU
from oracle_traces import trace

from sim.der import Fleet, Status
from tiir.setting import Der

DT_S = 0.1
COUNT = 300


@pytest.mark.parametrize(
    ("phases_pu", "trips"),
    [
        ((1.03, 1.06, 1.0), False),
        ((0.90, 0.98, 1.0), False),
        ((0.87, 1.0, 1.0), True),
        ((1.0, 1.0, 1.105), True),
        ((0.89, 0.89, 0.89), False),
    ],
)
def test_unequal_phases(phases_pu: tuple[float, float, float], trips: bool) -> None:
    settings = {"QV_MODE_ENABLE": True, "PV_MODE_ENABLE": True, "OV1_TRIP_T": 2.0, "MC_ENABLE": False}
    unit = Der(normal="B", abnormal="II", rated_va=110e3)
    settings |= {"UV1_TRIP_V": 0.88, "UV1_TRIP_T": 2.0}
    case = Case("phases", "", unit, settings, DT_S, trace(COUNT))
    phases = np.ones((COUNT, 3))
    phases[20:] = phases_pu
    fleet = Fleet([oracle_fleet.unit_file(case)], DT_S)
    on = np.ones(1, dtype=bool)
    fleet.settle(on, 1.0)
    with oracle_opender.stepping(DT_S):
        oracle = oracle_opender.make(case, oracle_fleet.in_force(case))
        for volts in phases:
            oracle.update_der_input(v_pu=volts.tolist(), f=60.0, p_dc_pu=1.0)
            p_w, q_var = oracle.run()
            fleet.step(
                on, volts.mean(keepdims=True), 60.0, volts.min(keepdims=True), volts.max(keepdims=True)
            )
            out = fleet.status[0] in {Status.TRIP, Status.OFF}
            if out == (oracle.der_status == "Trip"):
                assert fleet.p_pu[0] == pytest.approx(p_w / RATED_W, abs=TOLERANCE_PU)
                assert fleet.q_pu[0] == pytest.approx(q_var / RATED_W, abs=TOLERANCE_PU)
    assert out == (oracle.der_status == "Trip") == trips
    assert fleet.q_pu[0] != 0.0 or trips
