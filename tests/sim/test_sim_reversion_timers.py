"""Timers of several units: each runs out by itself, once, and only when it was started."""

from __future__ import annotations

from sim.reversion_timers import ReversionTimers


def ran_out(timers: ReversionTimers, dt_s: float) -> list[int]:
    """Whose timer ran out meanwhile."""
    out = timers.expired(dt_s)
    return [] if out is None else [unit for unit, is_out in enumerate(out) if is_out]


def test_a_timer_runs_out_once() -> None:
    timers = ReversionTimers(2)
    assert ran_out(timers, 100.0) == []
    timers.start(1, 3.0)
    assert [timers.remaining_s(unit) for unit in (0, 1)] == [0, 3]
    assert ran_out(timers, 2.5) == []
    assert timers.remaining_s(1) == 1
    assert ran_out(timers, 0.5) == [1]
    assert timers.remaining_s(1) == 0
    assert ran_out(timers, 100.0) == []
    assert timers.remaining_s(1) == 0


def test_each_runs_by_itself_and_is_started_anew_or_stopped() -> None:
    timers = ReversionTimers(3)
    for unit, after_s in enumerate((2.0, 5.0, 7.0)):
        timers.start(unit, after_s)
    assert ran_out(timers, 2.0) == [0]
    timers.start(1, 9.0)
    timers.start(0, 0.0)
    assert ran_out(timers, 5.0) == [2], "the last that was stopped does not hold the others"
    assert ran_out(timers, 4.0) == [1]
