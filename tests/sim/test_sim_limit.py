"""The firmware of the limit: reversion, and quirks that part what is in force from what the registers show."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sim.limit import LimitBank, LimitWrite
from sim.quirks import Quirk

ON_30 = LimitWrite(enabled=True, cap_pu=0.3)


def bank(*quirks: Quirk) -> LimitBank:
    """Two units: the first has the quirks, the second none."""
    return LimitBank(2, [quirks, ()])


def shown(limit: LimitBank, unit: int = 0) -> tuple[bool, float]:
    return bool(limit.enabled[unit]), float(limit.cap_pu[unit])


def wait(limit: LimitBank, seconds: float, dt_s: float = 0.1) -> None:
    for _ in range(round(seconds / dt_s)):
        limit.step(dt_s)


@pytest.mark.parametrize(
    ("change", "command_pu"),
    [
        (LimitWrite(cap_pu=0.3), 1.0),
        (LimitWrite(enabled=True), 1.0),
        (ON_30, 0.3),
        (LimitWrite(enabled=True, cap_pu=0.0), 0.0),
    ],
)
def test_a_percent_acts_only_while_it_is_enabled(change: LimitWrite, command_pu: float) -> None:
    limit = bank()
    limit.write(0, change)
    assert limit.command_pu().tolist() == [command_pu, 1.0]


def test_a_percent_is_of_the_wmax_setting() -> None:
    limit = bank()
    limit.wmax_pu[0] = 0.5
    limit.write(0, ON_30)
    assert limit.command_pu()[0] == pytest.approx(0.15)


@pytest.mark.parametrize(("seconds", "command_pu"), [(4.8, 0.3), (4.9, 0.3), (5.0, 0.1), (5.1, 0.1)])
def test_reversion_is_on_time_to_the_step(seconds: float, command_pu: float) -> None:
    limit = bank()
    revert = LimitWrite(revert_enabled=True, revert_cap_pu=0.1, revert_after_s=5.0)
    limit.write(0, revert)
    limit.write(0, ON_30)
    wait(limit, seconds)
    assert limit.command_pu()[0] == command_pu
    assert shown(limit) == (True, command_pu)


def test_every_write_starts_the_timer_again() -> None:
    limit = bank()
    limit.write(0, LimitWrite(enabled=True, cap_pu=0.3, revert_after_s=5.0))
    for _ in range(4):
        wait(limit, 4.9)
        assert limit.remaining_s(0) == 1
        limit.write(0, LimitWrite(cap_pu=0.3))
        assert limit.remaining_s(0) == 5
    wait(limit, 5.0)
    assert limit.command_pu()[0] == 1.0
    assert shown(limit) == (False, 0.3)
    assert limit.remaining_s(0) == 0


def test_timers_of_units_do_not_mix() -> None:
    limit = bank()
    for unit, after_s in ((0, 2.0), (1, 4.0)):
        limit.write(unit, LimitWrite(enabled=True, cap_pu=0.3, revert_after_s=after_s))
    wait(limit, 2.0)
    assert limit.command_pu().tolist() == [1.0, 0.3]
    wait(limit, 2.0)
    assert limit.command_pu().tolist() == [1.0, 1.0]


def test_a_limit_that_must_toggle_ignores_a_new_percent() -> None:
    limit = bank(Quirk.ENABLE_MUST_TOGGLE)
    limit.write(0, ON_30)
    assert limit.command_pu()[0] == 0.3
    limit.write(0, LimitWrite(cap_pu=0.2))
    assert (shown(limit), limit.command_pu()[0]) == ((True, 0.2), 0.3)
    limit.write(0, LimitWrite(enabled=True))
    assert limit.command_pu()[0] == 0.3
    limit.write(0, LimitWrite(enabled=False))
    assert limit.command_pu()[0] == 1.0
    limit.write(0, LimitWrite(enabled=True))
    assert limit.command_pu()[0] == 0.2
    limit.write(0, LimitWrite(enabled=True, cap_pu=0.1))
    assert limit.command_pu()[0] == 0.1


def test_an_ignored_limit_reads_back_and_does_nothing() -> None:
    limit = bank(Quirk.LIMIT_IGNORED)
    limit.write(0, LimitWrite(enabled=True, cap_pu=0.3, revert_after_s=1.0))
    assert (shown(limit), limit.command_pu()[0]) == ((True, 0.3), 1.0)
    wait(limit, 1.0)
    assert (shown(limit), limit.command_pu()[0]) == ((False, 0.3), 1.0)


def test_a_silent_lapse_frees_power_and_shows_the_old_limit() -> None:
    limit = bank(Quirk.REVERSION_LAPSES_SILENTLY)
    for unit in (0, 1):
        limit.write(unit, LimitWrite(enabled=True, cap_pu=0.3, revert_after_s=3.0))
    wait(limit, 3.0)
    assert limit.command_pu().tolist() == [1.0, 1.0]
    assert (shown(limit, 0), shown(limit, 1)) == ((True, 0.3), (False, 0.3))
    limit.write(0, LimitWrite(cap_pu=0.3))
    assert limit.command_pu()[0] == 0.3


WRITES = st.builds(
    LimitWrite,
    enabled=st.sampled_from([None, False, True]),
    cap_pu=st.sampled_from([None, 0.0, 0.25, 1.0]),
    revert_enabled=st.sampled_from([None, False, True]),
    revert_cap_pu=st.sampled_from([None, 0.1]),
    revert_after_s=st.sampled_from([None, 0.0, 0.5]),
)


@given(st.lists(st.one_of(WRITES, st.sampled_from([0.1, 0.5, 1.0])), max_size=12))
def test_without_quirks_what_is_shown_is_in_force(steps: list[LimitWrite | float]) -> None:
    limit = bank()
    for step in steps:
        if isinstance(step, LimitWrite):
            limit.write(0, step)
        else:
            limit.step(step)
        enabled, cap_pu = shown(limit)
        assert limit.command_pu()[0] == (cap_pu if enabled else 1.0)
        assert (limit.remaining_s(0) > 0) <= enabled
