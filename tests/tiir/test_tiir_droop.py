"""Frequency droop at its dead band, its slopes and its bounds."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tiir.complete import complete
from tiir.droop import Droop, outside_hz
from tiir.setting import Der

SETTINGS = complete({}, Der(normal="B", abnormal="III"))
STEEP = complete(
    {"PF_KOF": 0.02, "PF_KUF": 0.03, "PF_DBOF": 0.1, "PF_DBUF": 0.2}, Der(normal="B", abnormal="III")
)


def wanted(f_hz: float, before: float, least: float = 0.0, most: float = 1.0) -> float | None:
    return Droop().noticed(SETTINGS, f_hz, before).wanted_pu(SETTINGS, f_hz, least, most)


@pytest.mark.parametrize("f_hz", [59.964, 59.964 + 1e-9, 60.0, 60.036 - 1e-9, 60.036])
def test_nothing_inside_the_dead_band(f_hz: float) -> None:
    assert outside_hz(SETTINGS, f_hz) == 0.0
    assert wanted(f_hz, 0.7) is None


@given(
    hz=st.floats(1e-6, 6.0), before=st.floats(0.0, 1.0), least=st.floats(0.0, 0.3), most=st.floats(0.5, 1.0)
)
def test_slopes_and_bounds(hz: float, before: float, least: float, most: float) -> None:
    over = wanted(60.036 + hz, before, least, most)
    assert over == pytest.approx(max(before - hz / 3.0, min(least, before)), abs=1e-9)
    under = wanted(59.964 - hz, before, least, most)
    assert under == pytest.approx(min(before + hz / 3.0, most), abs=1e-9)


def test_each_side_has_its_own_dead_band_and_slope() -> None:
    for f_hz, power in (
        (60.1 + 0.6, 0.8 - 0.5),
        (60.1 + 0.0006, 0.8 - 0.0005),
        (59.8 - 0.9, 0.8 + 0.5),
        (59.8 - 0.0009, 0.8 + 0.0005),
    ):
        droop = Droop().noticed(STEEP, f_hz, 0.8)
        assert droop.wanted_pu(STEEP, f_hz, 0.0, 2.0) == pytest.approx(power, abs=1e-9)
    assert outside_hz(STEEP, 60.1) == outside_hz(STEEP, 59.8) == 0.0


def test_storage_may_fall_to_charging_and_full_droop_is_one_slope() -> None:
    assert wanted(60.036 + 3.0, 0.5, least=-1.0) == pytest.approx(-0.5)
    assert wanted(60.036 + 3.0, -0.5, least=-1.0) == pytest.approx(-1.0)
    assert wanted(59.964 - 3.0, -0.5) == pytest.approx(0.5)


def test_power_already_below_the_least_is_not_raised() -> None:
    assert wanted(61.0, 0.05, least=0.2) == pytest.approx(0.05)


def test_it_answers_to_the_power_before_the_disturbance() -> None:
    droop = Droop().noticed(SETTINGS, 60.5, 0.9)
    held = droop.noticed(SETTINGS, 60.6, 0.7)
    assert held.before_pu == 0.9
    assert held.noticed(SETTINGS, 60.0, 0.6) == Droop()
    assert held.noticed(SETTINGS, 60.0, 0.6).noticed(SETTINGS, 61.0, 0.65).before_pu == 0.65


def test_switched_off_it_does_nothing() -> None:
    off = {**SETTINGS, "PF_MODE_ENABLE": False}
    assert outside_hz(off, 65.0) == 0.0
    assert Droop(0.9).wanted_pu(off, 65.0, 0.0, 1.0) is None
