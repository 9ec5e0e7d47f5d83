"""The time budgets, added up by hand (control.md: clearing, security, auto delay)."""

from __future__ import annotations

import pytest
from guard_bench import site

from edge.guard import budget
from edge.guard.settings import GuardSettings, OutputSettings
from edge.model.site import Site

NO_OUTPUT = (
    ('contact = "coil-2"', ""),
    (
        '[[trip_output]]\nname = "coil-2"\nuri = "tcp://127.0.0.1:15024?unit=1"\ncoil = 0\nfeedback = 0\n',
        "[unmanaged]\n",
    ),
    ("watchdog_s = 0.5\nwatchdog_register = 0\nactuation_s = 0.05\n", ""),
)


def test_the_bench_site_s_sums() -> None:
    bench = site()
    assert budget.security(bench).total_s == pytest.approx(0.2 + 0.0 + 0.02 + 0.15 * 2 + 0.2 + 0.2)
    assert budget.opening(bench).total_s == pytest.approx(0.5 + 0.05)
    assert budget.auto_delay_s(bench) == 1.25
    assert GuardSettings.of(bench).elements[0].delay_s == 1.25
    assert budget.security(bench).spelled() == (
        "0.20 meter period + 0.00 averaging + 0.02 latency + 0.30 transaction with retry + 0.20 scan"
        " + 0.20 one lost sample = 0.92 s"
    )


@pytest.mark.parametrize(
    ("watchdog_s", "scan_s", "opening_s"),
    [(0.5, 0.2, 0.55), (0.29, 0.2, 0.35), (0.3, 0.2, 0.35), (0.31, 0.2, 0.36), (0.5, 0.41, 0.56)],
)
def test_opening_is_the_longer_of_scan_and_dead_man(
    watchdog_s: float, scan_s: float, opening_s: float
) -> None:
    at = site(
        ("watchdog_s = 0.5", f"watchdog_s = {watchdog_s}"),
        ("[guard]", f"[control]\nscan_s = {scan_s}\n[guard]"),
    )
    assert budget.opening(at).total_s == pytest.approx(opening_s)
    assert budget.opening(at).total_s == pytest.approx(max(scan_s + 0.1 + 0.05, watchdog_s + 0.05))


def test_without_a_dead_man_or_without_an_output_the_scan_counts() -> None:
    assert budget.opening(site(("watchdog_s = 0.5\n", ""))).total_s == pytest.approx(0.2 + 0.1 + 0.05)
    assert budget.opening(site(*NO_OUTPUT)).total_s == pytest.approx(0.2)


@pytest.mark.parametrize(
    ("period_s", "auto_s"),
    [(0.1, 1.25), (0.2, 1.25), (0.36, 1.25), (0.365, 1.25), (0.366, 1.26), (0.4, 1.32), (1.0, 2.52)],
)
def test_auto_is_the_larger_of_security_and_what_clearing_leaves_rounded_up(
    period_s: float, auto_s: float
) -> None:
    at = site(("period_s = 0.2", f"period_s = {period_s}"))
    assert budget.auto_delay_s(at) == pytest.approx(auto_s)
    assert budget.auto_delay_s(at) >= budget.security(at).total_s - 1e-9


def test_auto_is_right_to_the_millisecond_of_the_meter() -> None:
    """Sums of decimals come out a hair above or below: that must not cost a hundredth."""
    for period_ms in range(366, 700):
        at = site(("period_s = 0.2", f"period_s = {period_ms / 1000}"))
        assert budget.auto_delay_s(at) == -(-(2 * period_ms + 520) // 10) / 100, period_ms


def test_lost_samples_survived_to_the_millisecond_of_the_delay() -> None:
    for period_ms in (100, 200, 300):
        at = site(("period_s = 0.2", f"period_s = {period_ms / 1000}"))
        for delay_ms in range(600, 2_000):
            survived = max(0, 1 + (delay_ms - 520 - 2 * period_ms) // period_ms)
            assert budget.lost_samples_survived(at, delay_ms / 1000) == survived, (period_ms, delay_ms)


@pytest.mark.parametrize(
    ("delay_s", "survived"),
    [(0.1, 0), (0.9, 0), (0.919, 0), (0.92, 1), (1.119, 1), (1.12, 2), (1.25, 2), (1.32, 3)],
)
def test_lost_samples_survived(delay_s: float, survived: int) -> None:
    assert budget.lost_samples_survived(site(), delay_s) == survived


@pytest.mark.parametrize(
    ("needed_s", "bound_s", "broken"),
    [(0.1 + 0.2, 0.3, False), (1e-9, 0.0, False), (1.5e-9, 0.0, True), (0.3, 0.2999, True)],
)
def test_a_budget_is_broken_by_more_than_the_last_place_of_a_sum(
    needed_s: float, bound_s: float, broken: bool
) -> None:
    assert budget.exceeds(needed_s, bound_s) is broken


def test_the_slowest_meter_that_could_do_just_does() -> None:
    slowest_s = budget.slowest_meter_s(site())
    assert slowest_s == pytest.approx((2.0 - 0.55 - 0.52) / 2)
    at = site(("period_s = 0.2", f"period_s = {slowest_s}"))
    assert budget.security(at).total_s + budget.opening(at).total_s == pytest.approx(budget.CLEARING_BOUND_S)
    assert budget.slowest_meter_s(site(("latency_s = 0.02", "latency_s = 3.0"))) == 0.0


def test_polling_slower_than_the_meter_s_period_is_what_counts() -> None:
    slow = site(("latency_s = 0.02", "latency_s = 0.02\npoll_s = 0.3"))
    assert budget.security(slow).total_s == pytest.approx(0.92 + 2 * 0.1)
    as_slow = site(("latency_s = 0.02", "latency_s = 0.02\npoll_s = 0.2"))
    assert budget.security(as_slow).total_s == pytest.approx(0.92)
    assert budget.slowest_meter_s(slow) == pytest.approx((2.0 - 0.55 - 0.52) / 2)


def test_registers_that_may_repeat_may_be_frozen_before_an_onset() -> None:
    bench = site(("latency_s = 0.02", "latency_s = 0.02\nmax_repeat_s = 0.3"))
    assert budget.clearing(bench, 1.0).spelled() == (
        "1.00 delay + 0.30 unchanged registers count as new + 0.50 dead-man watchdog + 0.05 actuation = 1.85 s"
    )
    assert budget.clearing(site(), 1.0).total_s == pytest.approx(1.55)
    assert budget.auto_delay_s(bench) == pytest.approx(1.8 - 0.85)
    assert budget.slowest_meter_s(bench) == pytest.approx((2.0 - 0.85 - 0.52) / 2)


def test_an_excursion_may_look_longer_than_it_is() -> None:
    bench = site(("latency_s = 0.02", "latency_s = 0.02\naveraging_s = 0.1"))
    assert budget.unseen(bench).spelled() == (
        "0.40 two meter periods + 0.20 averaging twice + 0.04 latency twice + 0.30 between two requests, twice"
        " + 0.15 request = 1.09 s"
    )
    assert budget.unseen(bench, 0.01).total_s == pytest.approx(0.64 + 2 * 0.04 + 0.01)


def test_ride_through_is_what_the_slowest_der_sheds_in_the_time_left() -> None:
    recovery_s = 2 * 0.2 + 2 * 0.02 + 3 * 0.04 + 0.03 + 0.2
    assert budget.recovery(site()).total_s == pytest.approx(recovery_s)
    averaging = site(("latency_s = 0.02", "latency_s = 0.02\naveraging_s = 0.1"))
    assert budget.recovery(averaging).total_s == pytest.approx(recovery_s + 0.2)
    assert budget.security(averaging).total_s == pytest.approx(0.92 + 0.1)
    assert budget.ride_through_w(site(), 1.25) == pytest.approx(100_000 * (1.25 - recovery_s))
    slow = site(("slope_pct_per_s = 100.0", "slope_pct_per_s = 10.0"))
    assert budget.ride_through_w(slow, 1.25) == pytest.approx(10_000 * (1.25 - recovery_s))
    assert budget.ride_through_w(site(), 0.5) == 0.0
    assert budget.ride_through_w(site(), 9.0) == 100_000.0


def test_decay_is_dead_time_and_the_whole_slope() -> None:
    assert budget.decay_s(site().der[0]) == pytest.approx(0.2 + 1.0)


def test_fallback_is_forced_early_enough_for_the_slowest_der_to_make_the_bound() -> None:
    assert GuardSettings.of(site()).force_fallback_after_s == pytest.approx(30 - 1.2 - 0.92)
    slow = site(("slope_pct_per_s = 100.0", "slope_pct_per_s = 2.5"))
    assert GuardSettings.of(slow).force_fallback_after_s == 15.0


def test_a_site_without_outputs_has_no_watchdog_and_without_elements_no_lost_sensing() -> None:
    bare = GuardSettings.of(site(*NO_OUTPUT, ('[[guard.element]]\nkind = "32"\n', "")))
    assert (bare.outputs, bare.watchdog_s, bare.lost_sensing_s) == ((), float("inf"), None)
    assert GuardSettings.of(site()).lost_sensing_s == 1.25


SECOND = """[[trip_output]]
name = "coil-3"
uri = "tcp://127.0.0.1:15025?unit=1"
watchdog_s = 0.3
actuation_s = 0.2
[[trip_output]]"""


def test_of_several_outputs_the_slowest_to_open_and_the_first_to_lapse_count() -> None:
    two = GuardSettings.of(site(("[[trip_output]]", SECOND)))
    assert two.outputs == (OutputSettings("coil-3", 0.2), OutputSettings("coil-2", 0.05))
    assert two.watchdog_s == 0.3
    assert budget.opening(site(("[[trip_output]]", SECOND))).total_s == pytest.approx(0.55)
    slower = SECOND.replace("0.3", "0.5")
    assert budget.opening(site(("[[trip_output]]", slower))).total_s == pytest.approx(0.7)


def test_of_several_ders_the_slowest_to_move_counts() -> None:
    slow = site(("dead_time_s = 0.2", "dead_time_s = 0.5"))
    assert budget.recovery(slow).total_s == pytest.approx(budget.recovery(site()).total_s + 0.3)
    assert GuardSettings.of(slow).force_fallback_after_s == pytest.approx(30 - 1.5 - 0.92)


@pytest.mark.parametrize(
    ("noise_w", "count_w", "dropout_w"),
    [(0.0, 1.0, 24_500.0), (166.6, 1.0, 24_500.0), (200.0, 1.0, 24_400.0), (0.0, 700.0, 24_300.0)],
)
def test_hysteresis_is_the_largest_of_its_three(noise_w: float, count_w: float, dropout_w: float) -> None:
    at = site(("noise_w = 60.0", f"noise_w = {noise_w}\ncount_w = {count_w}"))
    assert GuardSettings.of(at).elements[0].dropout_w == pytest.approx(dropout_w)


def with_load(load_w: float) -> Site:
    """The bench site with a declared host load."""
    return site(("nominal_hz = 60", f"nominal_hz = 60\nhost_load_w = {load_w}"))


def test_the_margin_is_what_of_the_lost_load_cannot_be_shed_in_time() -> None:
    # 100 kW at 100 %/s for 1.25 s less 0.79 s of recovery: 46 kW are shed. Export may rise to 100 kW, and that is
    # 75.5 kW above the dropout of 24.5 kW: more than 46 kW, so a margin is needed for loads above 46 kW.
    assert budget.ride_through_w(site(), 1.25) == pytest.approx(46_000)
    assert budget.margin_w(with_load(60_000.0), 1.25, 24_500.0) == pytest.approx(14_000)
    assert budget.margin_w(with_load(46_001.0), 1.25, 24_500.0) == pytest.approx(1)
    assert budget.margin_w(with_load(45_999.0), 1.25, 24_500.0) == 0.0


def test_an_undeclared_load_is_as_large_as_all_generation() -> None:
    assert budget.largest_load_w(with_load(7.0)) == 7.0
    assert budget.largest_load_w(site()) == 100_000.0
    bare = site(("[guard]", "[unmanaged]\nnameplate_w = 3000.0\n[guard]"))
    assert budget.largest_load_w(bare) == 103_000.0
    assert budget.margin_w(bare, 1.25, 24_500.0) == pytest.approx(103_000 - 46_000)


@pytest.mark.parametrize(("dropout_w", "margin_w"), [(54_000.1, 0.0), (53_999.0, 954_000.0)])
def test_no_margin_is_needed_where_all_generation_above_the_dropout_can_be_shed(
    dropout_w: float, margin_w: float
) -> None:
    assert budget.margin_w(with_load(1e6), 1.25, dropout_w) == pytest.approx(margin_w)


def test_all_that_can_be_shed_may_just_be_all_generation_above_the_dropout() -> None:
    # In 9 s the whole 100 kW are shed: enough for a dropout of 0 W, a watt too little for one of -1 W.
    assert budget.margin_w(with_load(1e6), 9.0, 0.0) == 0.0
    assert budget.margin_w(with_load(1e6), 9.0, -1.0) == 900_000.0


def test_unmanaged_generation_is_never_shed() -> None:
    bare = site(("[guard]", "[unmanaged]\nnameplate_w = 1.0\n[guard]"))
    assert budget.margin_w(site(), 1.25, 54_000.1) == 0.0
    assert budget.margin_w(bare, 1.25, 54_000.1) > 0.0
