"""IEEE 1547.1-2020 5.16, tables 38 and 39: what comes of voltage, frequency and an active power limit together.

The expected values are the tables' as the open transcription of the procedures has them (UL1741SB, `RespPri`); both
models are held to them. A limit of 0.5 pu is in force throughout; droop goes above it, volt-watt bounds them both.
"""

from __future__ import annotations

import numpy as np
import oracle_fleet
import oracle_opender
import pytest
from oracle_case import Case
from oracle_traces import trace

from tiir.setting import Der
from tiir.values import Values

VOLTAGES_PU = (1.0, 1.09, 1.09, 1.09, 1.09, 1.0, 1.0, 1.0)
FREQUENCIES_HZ = (60.0, 60.0, 60.33, 60.0, 59.36, 59.36, 60.0, 59.36)
ACTIVE_PU = (0.5, 0.4, 0.3, 0.4, 0.4, 0.6, 0.5, 0.7)
HOLD_STEPS = 400
WITHIN_PU = 0.005

ABSORB = {"A": 0.225, "B": 0.44}
"""Volt-var at 1.09 pu. Table 38 says 0.25 for category A, which its default curve reaches at 1.10 pu only."""

WATT_VAR = {
    "A": (0.0, 0.0, 0.0, 0.0, 0.0, -0.05, 0.0, -0.10),
    "B": (0.0, 0.0, 0.0, 0.0, 0.0, -0.09, 0.0, -0.18),
}

MODES: dict[str, Values] = {
    "volt-var": {"QV_MODE_ENABLE": True},
    "var": {"CONST_Q_MODE_ENABLE": True, "CONST_Q": 0.44},
    "pf": {"CONST_PF": 0.9, "CONST_PF_EXCITATION": "INJ"},
    "watt-var": {"QP_MODE_ENABLE": True},
}


def expected_q_pu(mode: str, category: str) -> tuple[float, ...]:
    """Reactive power of each step per unit of rated apparent power, injection positive."""
    if mode == "volt-var":
        return (0.0, *[-ABSORB[category]] * 4, 0.0, 0.0, 0.0)
    if mode == "var":
        return (0.44,) * 8
    if mode == "watt-var":
        return WATT_VAR[category]
    return tuple(p_pu * np.tan(np.arccos(0.9)) for p_pu in ACTIVE_PU)


@pytest.mark.parametrize("category", ["A", "B"])
@pytest.mark.parametrize("mode", MODES)
def test_both_models_give_the_tables_of_the_standard(mode: str, category: str) -> None:
    unit = Der(normal="A" if category == "A" else "B", abnormal="III", rated_va=100e3)
    settings = {"PV_MODE_ENABLE": True, "PV_CURVE_P2": 0.2, **MODES[mode]}
    v_pu, hz = (np.repeat(values, HOLD_STEPS) for values in (VOLTAGES_PU, FREQUENCIES_HZ))
    inputs = trace(len(v_pu), v_pu=v_pu, hz=hz, limit_pu=0.5)
    case = Case("priority", mode, unit, settings, 0.1, inputs, va_pu=1.0)
    (ours,) = oracle_fleet.answers([case])
    ends = np.arange(1, 9) * HOLD_STEPS - 1
    for answer in (ours, oracle_opender.answer(case, oracle_fleet.in_force(case))):
        np.testing.assert_allclose(answer.p_pu[ends], ACTIVE_PU, atol=WITHIN_PU)
        np.testing.assert_allclose(answer.q_pu[ends], expected_q_pu(mode, category), atol=WITHIN_PU)
