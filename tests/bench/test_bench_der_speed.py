"""The measure of the DER model's speed: every function of it is at work, and OpenDER is asked the same."""

from __future__ import annotations

import sys

import numpy as np
import pytest

from benchmarks import der_speed
from benchmarks.registry import UnmeasuredError


def test_nothing_stands_still_while_it_is_timed() -> None:
    """At each step every unit's powers move: no early way out is taken."""
    units = der_speed.fleet(20)
    v_pu, hz = der_speed.inputs(20)
    units.step(np.ones(20, dtype=bool), v_pu[-1], hz[-1])
    before = units.p_pu.copy(), units.q_pu.copy()
    for volts, frequency in zip(v_pu, hz, strict=True):
        units.step(np.ones(20, dtype=bool), volts, frequency)
        assert (units.p_pu != before[0]).mean() > 0.3, "full power has no more to give at low frequency"
        assert (units.q_pu != before[1]).mean() > 0.9
        before = units.p_pu.copy(), units.q_pu.copy()
    assert not units.status.any(), "all stay in service"


def test_the_time_of_a_step_is_that_of_one_step(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(der_speed, "_ROUND_S", 0.01)
    taken: list[int] = []
    assert der_speed.step_us(taken.append) > 0
    steps = max(taken) + 1
    assert taken == list(range(steps)) * (1 + der_speed._ROUNDS)


def test_memory_grows_with_the_units() -> None:
    kept, most = der_speed.memory_bytes(1000)
    assert 500 < kept <= most < 20_000


def test_without_opender_nothing_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "opender", None)
    with pytest.raises(UnmeasuredError, match="extra 'dev'"):
        der_speed.oracle_us()
