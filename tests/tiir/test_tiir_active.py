"""Which limit of active power wins."""

from __future__ import annotations

from itertools import product

import pytest

from tiir.active import Narrowed, desired_active, limit_pu, volt_watt_pu
from tiir.complete import complete
from tiir.droop import Droop, rise_pu
from tiir.setting import Der

B3 = Der(normal="B", abnormal="III")
LEVELS = (None, 0.3, 0.6, 0.9)


@pytest.mark.parametrize("rise", [0.0, 0.25])
def test_every_combination(rise: float) -> None:
    seen = set()
    for available, (ramp, limited, volt_watt, droop) in product((0.2, 0.5, 1.2), product(LEVELS, repeat=4)):
        chosen = desired_active(
            available,
            ramp_pu=ramp,
            limited_pu=limited,
            volt_watt_pu=volt_watt,
            droop_pu=droop,
            rise_pu=rise,
        )
        lifted = (bound + rise for bound in (ramp, limited) if bound is not None)
        others = (bound for bound in (volt_watt, droop) if bound is not None)
        assert chosen.p_pu == min(available, 1.0, *lifted, *others)
        seen.add(chosen.by)
    assert seen == set(Narrowed)


def test_under_frequency_lifts_the_limit_but_not_volt_watt() -> None:
    settings = complete({}, B3)
    f_hz = 59.964 - 0.9
    droop, rise = Droop(0.5).wanted_pu(settings, f_hz, 0.0, 1.0), rise_pu(settings, f_hz)
    assert rise == pytest.approx(0.3)
    assert desired_active(1.0, limited_pu=0.5, droop_pu=droop, rise_pu=rise).p_pu == pytest.approx(0.8)
    narrowed = desired_active(1.0, limited_pu=0.5, droop_pu=droop, rise_pu=rise, volt_watt_pu=0.6)
    assert (narrowed.p_pu, narrowed.by) == (0.6, Narrowed.VOLT_WATT)
    lowered = desired_active(1.0, limited_pu=0.2, droop_pu=droop, rise_pu=rise)
    assert lowered.by is Narrowed.LIMIT
    assert lowered.p_pu == pytest.approx(0.5)


def test_over_frequency_narrows_beside_the_limit() -> None:
    settings = complete({}, B3)
    f_hz = 60.036 + 0.9
    droop = Droop(0.5).wanted_pu(settings, f_hz, 0.0, 1.0)
    assert rise_pu(settings, f_hz) == rise_pu(settings, 60.0) == 0.0
    assert desired_active(1.0, limited_pu=0.5, droop_pu=droop).p_pu == pytest.approx(0.2)
    assert desired_active(1.0, limited_pu=0.1, droop_pu=droop).p_pu == pytest.approx(0.1)


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
