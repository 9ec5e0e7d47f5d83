"""Each peer's law against what its project documents, by sequences worked out by hand."""

from __future__ import annotations

import pytest

from benchmarks.peers.law import Every, Seen, Task, Telemetry
from benchmarks.peers.open_dynamic_export import OpenDynamicExport, Window
from benchmarks.peers.opendtu_onbattery import OpenDtuOnBattery
from benchmarks.peers.openems import OpenEms
from benchmarks.peers.tuning import PEERS
from benchmarks.peers.zero_injection import ZeroInjection, away_from_zero

TASK = Task(nameplate_w=3000.0, limit_w=500.0)


def seen(now_s: float, export_w: float, output_w: float, limit_w: float = 3000.0, **times: float) -> Seen:
    """Everything heard just now, but for the `times` given."""
    at = {"export_s": now_s, "output_s": now_s, "limit_s": now_s} | times
    return Seen(now_s, export_w, at["export_s"], output_w, at["output_s"], limit_w, at["limit_s"])


def test_a_cadence_is_due_at_once_and_then_once_a_period() -> None:
    every = Every(1.0)
    assert [every.due(tenth / 10) for tenth in range(0, 25, 2)] == [
        *(True, False, False, False, False),
        *(True, False, False, False, False),
        *(True, False, False),
    ]


def test_a_late_scan_does_not_make_up_for_a_missed_period() -> None:
    every = Every(1.0)
    assert [every.due(at_s) for at_s in (0.0, 3.4, 3.5, 4.3, 4.4)] == [True, True, False, False, True]


def test_a_late_scan_does_not_shift_the_periods() -> None:
    every = Every(1.0)
    assert [every.due(at_s) for at_s in (0.0, 1.3, 2.0, 2.9, 3.0)] == [True, True, True, False, True]


def test_telemetry_is_held_between_polls() -> None:
    telemetry = Telemetry(5.0)
    assert telemetry.read(seen(0.0, 0.0, 100.0)) == (100.0, 0.0)
    assert telemetry.read(seen(4.9, 0.0, 200.0)) == (100.0, 0.0)
    assert telemetry.read(seen(5.0, 0.0, 300.0, output_s=4.2)) == (300.0, 4.2)


@pytest.mark.parametrize(
    ("last_w", "wanted_w", "next_w"),
    [
        (0.0, 2000.0, 2000.0),  # the first goes the whole way
        (2000.0, 1000.0, 1600.0),
        (2000.0, 1600.0, 1600.0),
        (2000.0, 1599.0, 1600.0),
        (1000.0, 3000.0, 1200.0),
        (1000.0, 1100.0, 1100.0),
        (1000.0, 100.0, 100.0),  # to 100 W and less at once
        (1000.0, 101.0, 800.0),
        (100.0, 3000.0, 3000.0),  # and from there
        (101.0, 3000.0, 121.2),
        (1000.0, -50.0, 0.0),
    ],
)
def test_openems_moves_by_a_fifth_of_its_last_setpoint(last_w: float, wanted_w: float, next_w: float) -> None:
    assert OpenEms().limited_w(last_w, wanted_w) == pytest.approx(next_w)


def test_openems_balances_output_export_and_limit_once_a_second() -> None:
    law = OpenEms().law(TASK)
    assert law(seen(0.0, 1500.0, 3000.0)) == 2000.0  # 3000 - 1500 + 500
    assert law(seen(0.6, 1500.0, 3000.0)) is None
    assert law(seen(1.0, 1500.0, 2500.0)) == 1600.0  # 1500 is more than a fifth away
    assert law(seen(2.0, 500.0, 1550.0)) == 1550.0
    assert OpenEms(margin_pu=0.1).law(TASK)(seen(0.0, 1500.0, 3000.0)) == 1700.0


def test_open_dynamic_export_weighs_samples_by_how_long_they_held() -> None:
    window = Window(5.0)
    window.add(0.0, 100.0)
    window.add(0.0, 999.0)
    assert window.mean(0.0) == 100.0
    window.add(3.0, 400.0)
    assert window.mean(4.0) == pytest.approx((3 * 100 + 1 * 400) / 4)
    assert window.mean(5.0) == pytest.approx((3 * 100 + 2 * 400) / 5)
    assert window.mean(5.1) == 400.0
    assert window.mean(60.0) == 400.0  # the newest stays


def test_open_dynamic_export_moves_by_a_tenth_of_nameplate() -> None:
    law = OpenDynamicExport().law(TASK)
    assert law(seen(0.0, 500.0, 1500.0)) == pytest.approx(1500.0)
    # The means over the first second are still the first samples; then the drop weighs 1 of 2 s.
    assert law(seen(1.0, 1700.0, 1500.0)) == pytest.approx(1500.0)
    assert law(seen(1.5, 1700.0, 1500.0)) is None
    assert law(seen(2.0, 1700.0, 1500.0)) == pytest.approx(1200.0)  # wanted 900, no more than 300 away
    assert law(seen(3.0, 500.0, 1500.0)) == pytest.approx(900.0)  # wanted 700: 2 of 3 s were 1200 too high
    assert law(seen(60.0, 500.0, 1500.0)) == pytest.approx(1200.0)


@pytest.mark.parametrize(
    ("held_pct", "excess_w", "output_w", "next_pct"),
    [
        (50, 30.0, 1500.0, 50),  # dead band
        (50, 31.0, 1500.0, 49),
        (50, -45.0, 1500.0, 52),  # 1.5 % is two
        (50, 249.0, 1500.0, 48),  # 8 %, in a fine step
        (50, 250.0, 1500.0, 42),  # (1500 - 250) / 3000
        (50, 1200.0, 1500.0, 10),
        (50, 1500.0, 1500.0, 2),
        (50, -1800.0, 1500.0, 100),
        (99, -100.0, 2970.0, 100),
        (3, 100.0, 90.0, 2),
    ],
)
def test_zero_injection_feeds_forward_from_250_w_and_steps_by_2_percent_below(
    held_pct: int, excess_w: float, output_w: float, next_pct: int
) -> None:
    assert ZeroInjection().next_pct(held_pct, excess_w, output_w, 3000.0) == next_pct


def test_zero_injection_waits_twelve_seconds_after_a_command() -> None:
    law = ZeroInjection().law(TASK)
    assert law(seen(0.0, 1700.0, 3000.0)) == pytest.approx(1800.0)  # 3000 - 1200
    for at_s in (3.0, 6.0, 9.0, 11.9):
        assert law(seen(at_s, 1700.0, 1800.0, 1800.0)) is None
    assert law(seen(12.0, 600.0, 1800.0, 1800.0)) == pytest.approx(1740.0)


def test_zero_injection_hears_of_the_output_every_ten_seconds() -> None:
    law = ZeroInjection(settle_s=0.0).law(TASK)
    assert law(seen(0.0, 500.0, 3000.0)) is None
    assert law(seen(9.0, 800.0, 1000.0)) == pytest.approx(2700.0)  # with the 3000 W of nine seconds ago
    assert law(seen(12.0, 800.0, 1000.0, 2700.0)) == pytest.approx(690.0)  # 1000 - 300, whole percent


@pytest.mark.parametrize(("value", "nearest"), [(0.5, 1), (-0.5, -1), (1.49, 1), (-1.5, -2), (2.0, 2)])
def test_halves_go_away_from_zero(value: float, nearest: int) -> None:
    assert away_from_zero(value) == nearest


@pytest.mark.parametrize(
    ("held_w", "output_w", "excess_w", "next_w"),
    [
        (2000.0, 2000.0, 500.7, 1499.0),
        (2000.0, 1000.0, 500.0, 500.0),  # down from the output, not from the limit
        (2000.0, 1000.0, 2000.0, 10.0),
        (2000.0, 10.0, 500.0, None),  # there is nothing to take
        (2000.0, 1939.0, -500.0, None),  # short of sun
        (2000.0, 1940.0, -500.0, 2500.0),  # up from the limit
        (2000.0, 2000.0, -1500.0, 3000.0),
        (3000.0, 3000.0, -100.0, None),
    ],
)
def test_opendtu_goes_down_from_the_output_and_up_from_the_limit(
    held_w: float, output_w: float, excess_w: float, next_w: float | None
) -> None:
    assert OpenDtuOnBattery().next_w(held_w, output_w, excess_w, 3000.0) == next_w


def test_opendtu_leaves_what_is_within_its_hysteresis() -> None:
    peer = OpenDtuOnBattery(hysteresis_w=30.0)
    assert peer.next_w(2000.0, 2000.0, 29.0, 3000.0) is None
    assert peer.next_w(2000.0, 2000.0, 30.0, 3000.0) == 1970.0
    assert peer.next_w(2000.0, 20.0, 20.0, 3000.0) == 10.0  # but not when nothing at all may be made


def test_opendtu_waits_for_acknowledgement_then_data_then_a_reading_two_seconds_after() -> None:
    law = OpenDtuOnBattery(telemetry_s=0.5).law(TASK)
    assert law(seen(0.0, 1500.0, 3000.0)) is None  # no reading 2 s after the first data
    assert law(seen(2.0, 1500.0, 3000.0)) is None
    assert law(seen(2.1, 1500.0, 3000.0)) == 2000.0
    assert law(seen(5.0, 1500.0, 3000.0, limit_s=2.0)) is None  # not acknowledged
    assert law(seen(6.0, 500.0, 2000.0, 2000.0)) is None  # acknowledged now: there is no data after it
    assert law(seen(7.0, 900.0, 2000.0, 2000.0)) is None
    assert law(seen(9.0, 900.0, 2000.0, 2000.0)) is None
    assert law(seen(9.5, 900.0, 2000.0, 2000.0, export_s=8.9)) is None  # the reading is too old
    assert law(seen(9.6, 900.0, 2000.0, 2000.0)) == 1600.0


def test_opendtu_takes_a_limit_that_is_there_already_for_acknowledged() -> None:
    law = OpenDtuOnBattery(telemetry_s=0.5).law(TASK)
    law(seen(0.0, 500.0, 2000.0, 2000.0))
    assert law(seen(3.0, 499.0, 2000.0, 1998.0)) == 1999.0
    assert law(seen(4.0, 499.0, 2000.0, 1998.0, limit_s=1.0)) is None
    assert law(seen(5.0, 499.0, 2000.0, 1998.0, limit_s=1.0)) is None
    assert law(seen(7.1, 400.0, 2000.0, 1998.0, limit_s=1.0)) == 2098.0


@pytest.mark.parametrize("peer", PEERS, ids=lambda peer: peer.name)
def test_defaults_are_among_the_values_that_are_searched(peer: object) -> None:
    space, default = peer.space, peer.default  # type: ignore[attr-defined]  # a Peer
    for key, values in space.items():
        assert getattr(default, key) in values, key
