"""Which limit of active power wins."""

from __future__ import annotations

from itertools import product

import pytest

from tiir.active import Narrowed, desired_active, limit_pu, volt_watt_pu
from tiir.complete import complete
from tiir.setting import Der

B3 = Der(normal="B", abnormal="III")
LEVELS = (None, 0.3, 0.6, 0.9)


@pytest.mark.parametrize("droop", LEVELS)
def test_every_combination(droop: float | None) -> None:
    seen = set()
    for available, ramp, limited, volt_watt in product((0.2, 0.5, 1.2), LEVELS, LEVELS, LEVELS):
        chosen = desired_active(
            available, ramp_pu=ramp, limited_pu=limited, volt_watt_pu=volt_watt, droop_pu=droop
        )
        beside = (droop,) if droop is not None else (ramp, limited)
        assert chosen.p_pu == min(b for b in (available, 1.0, volt_watt, *beside) if b is not None)
        seen.add(chosen.by)
    own = {Narrowed.DROOP} if droop is not None else {Narrowed.ENTER_SERVICE, Narrowed.LIMIT, Narrowed.RATING}
    assert seen == own | {Narrowed.AVAILABLE, Narrowed.VOLT_WATT}


def test_under_frequency_raises_power_above_the_limit_but_not_above_volt_watt() -> None:
    assert desired_active(1.0, limited_pu=0.5, droop_pu=0.8).p_pu == 0.8
    narrowed = desired_active(1.0, limited_pu=0.5, droop_pu=0.8, volt_watt_pu=0.6)
    assert (narrowed.p_pu, narrowed.by) == (0.6, Narrowed.VOLT_WATT)


@pytest.mark.parametrize(
    ("v_pu", "pu"), [(1.0, 1.0), (1.06, 1.0), (1.07, 0.75), (1.08, 0.5), (1.1, 0.0), (1.2, 0.0)]
)
def test_volt_watt_only_where_it_is_on(v_pu: float, pu: float) -> None:
    assert volt_watt_pu(complete({"PV_MODE_ENABLE": True}, B3), v_pu) == pytest.approx(pu)
    assert volt_watt_pu(complete({}, B3), v_pu) is None


def test_storage_absorbs_at_high_voltage() -> None:
    storage = B3.model_copy(update={"bidirectional": True})
    settings = complete({"PV_MODE_ENABLE": True, "PV_CURVE_P2": -1.0}, storage)
    assert volt_watt_pu(settings, 1.1) == -1.0
    assert volt_watt_pu(settings, 1.08) == pytest.approx(0.0)


def test_the_limit_only_where_it_is_on() -> None:
    assert limit_pu(complete({"AP_LIMIT": 0.4}, B3)) is None
    assert limit_pu(complete({"AP_LIMIT": 0.4, "AP_LIMIT_ENABLE": True}, B3)) == 0.4
