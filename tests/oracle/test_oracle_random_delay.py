"""Enter service by a random delay (4.10.3 c, exception 1): the oracle is told the delay that our unit drew."""

from __future__ import annotations

import numpy as np
import oracle_fleet
import oracle_opender
import pytest
from oracle_case import Case
from oracle_traces import trace

from tiir.setting import Der

DT_S = 0.5
BACK = 20
"""First step with permit again."""

DELAY_S = 10.0


@pytest.mark.parametrize("most_s", [1.0, 60.0, 200.0])
def test_both_enter_service_at_once_after_fixed_and_random_delay(most_s: float) -> None:
    permit = np.ones(600, dtype=bool)
    permit[10:BACK] = False
    settings = {"ES_DELAY": DELAY_S, "ES_RANDOMIZED_DELAY": most_s}
    unit = Der(normal="B", abnormal="III", rated_va=110e3)
    case = Case("random", f"{most_s}", unit, settings, DT_S, trace(600, permit=permit))
    (ours,) = oracle_fleet.answers([case])
    entered = BACK + int((ours.p_pu[BACK:] > 0).argmax())
    drawn_s = (entered + 1 - BACK) * DT_S - DELAY_S
    assert 0.0 < drawn_s <= most_s + DT_S
    told = Case("random", case.name, unit, settings, DT_S, case.trace, random_delay_s=drawn_s)
    oracle = oracle_opender.answer(told, oracle_fleet.in_force(told))
    assert abs((oracle.p_pu[BACK:] > 0).argmax() + BACK - entered) <= 1
    for answer in (ours, oracle):
        assert set(np.round(answer.p_pu, 9)) == {0.0, 1.0}, "all at once, without a ramp"


def test_units_draw_their_own() -> None:
    permit = np.ones(600, dtype=bool)
    permit[10:BACK] = False
    unit = Der(normal="B", abnormal="III", rated_va=110e3)
    settings = {"ES_DELAY": DELAY_S, "ES_RANDOMIZED_DELAY": 200.0}
    case = Case("random", "", unit, settings, DT_S, trace(600, permit=permit))
    entered = [int((answer.p_pu[BACK:] > 0).argmax()) for answer in oracle_fleet.answers([case] * 20)]
    assert len(set(entered)) > 15
    assert np.ptp(entered) * DT_S > 100.0
