"""The meter: its timing, its current transformers against NumPy, its resolution, its energies."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sim.files.grid import Grid
from sim.files.meter import MeterFile
from sim.meter import Meter
from sim.network import Trio
from sim.site import PccState

DT_S = 0.01
GRID = Grid(nominal_v=480.0)
PHASE_V = 480.0 / 3**0.5


def state(export_w: float, **changes: Any) -> PccState:
    plain = PccState(export_w, 0.0, (export_w / 3,) * 3, 1.0, 60.0)
    return plain._replace(**changes)


def by_phase(w: Trio, var: Trio, v_pu: Trio = (1.0, 1.0, 1.0)) -> PccState:
    amps = [abs(complex(w[k], var[k])) / (v_pu[k] * PHASE_V) for k in range(3)]
    return PccState(sum(w), sum(var), w, sum(v_pu) / 3, 60.0, var, v_pu, (amps[0], amps[1], amps[2]))


def meter(first: PccState | None = None, grid: Grid = GRID, seed: int | None = None, **table: Any) -> Meter:
    file = MeterFile.model_validate({"port": 1, "period_s": 0.2} | table)
    return Meter(file, grid, DT_S, first or state(0.0), seed)


def shown(truth: PccState, grid: Grid = GRID, **table: Any) -> PccState:
    """What a meter shows of a state that stays."""
    one = meter(truth, grid, **table)
    for _ in range(20):
        one.step(truth)
    return one.shown.state


def test_it_shows_a_sample_once_a_period_after_its_latency() -> None:
    slow = meter(latency_s=0.05)
    seen = []
    for step in range(1, 61):
        slow.step(state(float(step)))
        seen.append(slow.shown.state.export_w)
        assert slow.sampled == (step % 20 == 0)
        assert slow.published == (step in {25, 45})
    assert seen[23:26] == [0.0, 20.0, 20.0]
    assert seen[43:46] == [20.0, 40.0, 40.0]
    assert slow.shown.sampled_s == pytest.approx(0.4)


def test_latency_above_the_period_keeps_the_order() -> None:
    slow = meter(latency_s=0.5)
    seen = []
    for step in range(1, 101):
        slow.step(state(float(step)))
        seen.append(slow.shown.state.export_w)
    assert seen[68:72] == [0.0, 20.0, 20.0, 20.0]
    assert seen[89] == 40.0


def test_it_averages_everything_over_its_window() -> None:
    slow = meter(average_s=0.1)
    for step in range(1, 41):
        one = by_phase((step, 2.0 * step, 3.0 * step), (4.0 * step, 0.0, 0.0), (1.0, 1.0, step / 20))
        slow.step(one._replace(hz=60 + step / 100))
    seen, mean = slow.shown.state, sum(range(31, 41)) / 10
    assert (seen.export_w, seen.export_var) == pytest.approx((6 * mean, 4 * mean))
    assert seen.phase_w == pytest.approx((mean, 2 * mean, 3 * mean))
    assert seen.phase_var == pytest.approx((4 * mean, 0.0, 0.0))
    assert seen.phase_v_pu == pytest.approx((1.0, 1.0, mean / 20))
    assert (seen.v_pu, seen.hz) == pytest.approx(((2 + mean / 20) / 3, 60 + mean / 100))
    assert seen.phase_a[1] == pytest.approx(2 * mean / PHASE_V)


def test_a_window_that_is_not_full_yet_holds_what_there_was() -> None:
    slow = meter(average_s=10.0)
    for step in range(1, 21):
        slow.step(state(float(step)))
    assert slow.shown.state.export_w == pytest.approx(10.5)


def measured_by_numpy(
    truth: PccState, order: str, reverse: str, ratio_pct: Trio, angle_deg: Trio
) -> np.ndarray[Any, np.dtype[np.complex128]]:
    """Complex power of each channel, from voltage and current phasors."""
    volts = np.array(truth.phase_v_pu) * PHASE_V * np.exp(-2j * np.pi / 3 * np.arange(3))
    amps = np.conj((np.array(truth.phase_w) + 1j * np.array(truth.phase_var)) / volts)
    sources = ["abc".index(phase) for phase in order]
    signs = np.array([-1.0 if channel in reverse else 1.0 for channel in "abc"])
    errors = (1 + np.array(ratio_pct) / 100) * np.exp(1j * np.radians(angle_deg))
    power: np.ndarray[Any, np.dtype[np.complex128]] = volts * np.conj(amps[sources] * signs * errors)
    return power


powers = st.tuples(*[st.floats(-50_000.0, 50_000.0)] * 3)
errors = st.tuples(*[st.floats(-5.0, 5.0)] * 3)


@given(
    w=powers,
    var=powers,
    v_pu=st.tuples(*[st.floats(0.8, 1.2)] * 3),
    order=st.sampled_from(["abc", "acb", "bac", "bca", "cab", "cba"]),
    reverse=st.sampled_from(["", "a", "b", "c", "ab", "ac", "bc", "abc"]),
    ratio_pct=errors,
    angle_deg=errors,
)
def test_current_transformers_do_to_power_what_they_do_to_current(
    w: Trio, var: Trio, v_pu: Trio, order: str, reverse: str, ratio_pct: Trio, angle_deg: Trio
) -> None:
    truth = by_phase(w, var, v_pu)
    ct = {"order": order, "reversed": reverse, "ratio_error_pct": ratio_pct, "angle_error_deg": angle_deg}
    seen = shown(truth, ct=ct)
    expected = measured_by_numpy(truth, order, reverse, ratio_pct, angle_deg)
    assert seen.phase_w == pytest.approx(expected.real, abs=1e-6)
    assert seen.phase_var == pytest.approx(expected.imag, abs=1e-6)
    assert (seen.export_w, seen.export_var) == pytest.approx(
        (expected.sum().real, expected.sum().imag), abs=1e-6
    )
    amps = np.abs(expected) / (np.array(v_pu) * PHASE_V)
    assert seen.phase_a == pytest.approx(amps, abs=1e-9)
    assert seen.phase_v_pu == v_pu


@pytest.mark.parametrize(
    ("ct", "share"),
    [
        ({}, 1.0),
        ({"reversed": "b"}, 1 / 3),
        ({"reversed": "abc"}, -1.0),
        ({"order": "bac"}, 0.0),
        ({"order": "bca"}, -0.5),
        ({"order": "cab", "reversed": "abc"}, 0.5),
        ({"ratio_error_pct": (3.0, 0.0, 0.0)}, 1.01),
    ],
)
def test_known_mistakes_show_known_shares_of_a_balanced_power(ct: dict[str, Any], share: float) -> None:
    truth = by_phase((10_000.0,) * 3, (0.0,) * 3)
    assert shown(truth, ct=ct).export_w == pytest.approx(share * 30_000.0, abs=1e-6)


def test_an_angle_error_makes_active_power_of_reactive() -> None:
    truth = by_phase((0.0,) * 3, (-10_000.0,) * 3)
    seen = shown(truth, ct={"angle_error_deg": (0.5, 0.5, 0.5)})
    assert seen.export_w == pytest.approx(-30_000 * np.sin(np.radians(0.5)))


def test_no_current_is_measured_on_an_open_phase() -> None:
    truth = by_phase((0.0, 5_000.0, 5_000.0), (0.0,) * 3, (1e-9, 1.0, 1.0))._replace(
        phase_v_pu=(0.0, 1.0, 1.0)
    )
    assert shown(truth, ct={"order": "bac"}).phase_w == pytest.approx((0.0, 0.0, 5_000.0))


def test_resolution_rounds_each_register_by_itself() -> None:
    truth = by_phase((10_004.0, 10_004.0, 10_004.0), (104.0,) * 3, (1.0012, 1.0012, 1.0012))._replace(
        hz=60.0149
    )
    seen = shown(truth, count_w=10.0, count_v=1.0, count_a=0.5, count_hz=0.01)
    assert (seen.export_w, seen.phase_w) == (30_010.0, (10_000.0,) * 3)
    assert seen.phase_var == (100.0,) * 3
    assert seen.phase_v_pu[0] * PHASE_V == pytest.approx(277.0)
    assert seen.v_pu * PHASE_V == pytest.approx(277.0)
    assert seen.phase_a == (36.0,) * 3
    assert seen.hz == pytest.approx(60.01)


def test_noise_has_its_sigma_on_the_total_and_its_seed() -> None:
    def samples(seed: int | None) -> list[float]:
        noisy = meter(noise_w=90.0, period_s=0.01, seed=seed)
        seen = []
        for _ in range(5000):
            noisy.step(state(1_000.0))
            seen.append(noisy.shown.state.export_w - 1_000.0)
            assert sum(noisy.shown.state.phase_w) == pytest.approx(seen[-1] + 1_000.0)
        return seen

    first = samples(3)
    assert first == samples(3) != samples(4)
    assert np.std(first) == pytest.approx(90.0, rel=0.05)
    assert np.mean(first) == pytest.approx(0.0, abs=5.0)


def energies(one: Meter) -> tuple[float, float, float, float]:
    """Total and sum of the phases, exported and imported."""
    seen = one.shown
    return seen.exported_wh, seen.imported_wh, sum(seen.phase_exported_wh), sum(seen.phase_imported_wh)


def test_energies_agree_with_power() -> None:
    counted = meter()
    for power_w, steps in ((10_000.0, 3600), (-10_000.0, 1800)):
        for _ in range(steps):
            counted.step(state(power_w))
    assert energies(counted) == pytest.approx((100.0, 50.0, 100.0, 50.0))


@pytest.mark.parametrize(("netting", "totals"), [("net", (10.0, 0.0)), ("phases", (30.0, 20.0))])
def test_totals_are_net_or_what_the_phases_counted(netting: str, totals: tuple[float, float]) -> None:
    counted = meter(netting=netting)
    for _ in range(3600):
        counted.step(by_phase((3_000.0, -2_000.0, 0.0), (0.0,) * 3))
    assert energies(counted) == pytest.approx((*totals, 30.0, 20.0))
    assert counted.shown.phase_exported_wh == pytest.approx((30.0, 0.0, 0.0))
    assert counted.shown.phase_imported_wh == pytest.approx((0.0, 20.0, 0.0))


def test_energies_count_what_wrong_transformers_measure() -> None:
    counted = meter(ct={"reversed": "abc"})
    for _ in range(3600):
        counted.step(state(3_000.0))
    assert energies(counted) == pytest.approx((0.0, 30.0, 0.0, 30.0))


def test_energies_are_shown_by_full_counts() -> None:
    counted = meter(count_wh=10.0)
    for _ in range(3600):
        counted.step(state(2_999.0))
    assert energies(counted)[:2] == (20.0, 0.0)
    exact = meter(count_wh=10.0)
    for _ in range(3600):
        exact.step(state(3_000.0))
    assert energies(exact)[:2] == (30.0, 0.0)


def test_energy_does_not_depend_on_averaging_and_period() -> None:
    fast, slow = meter(), meter(average_s=0.5, period_s=1.0)
    for step in range(1000):
        for one in (fast, slow):
            one.step(state(100.0 * (step % 37)))
    assert energies(fast) == pytest.approx(energies(slow))


def test_creep_shows_and_counts_power_where_none_flows() -> None:
    creeping = meter(creep_w=30.0)
    for _ in range(3600):
        creeping.step(state(0.0))
    assert creeping.shown.state.phase_w == pytest.approx((10.0,) * 3)
    assert energies(creeping) == pytest.approx((0.3, 0.0, 0.3, 0.0))


def test_below_its_no_load_threshold_a_phase_counts_nothing() -> None:
    truth = by_phase((9.9, 10.1, -9.9), (0.0,) * 3)
    assert shown(truth, no_load_w=10.0).phase_w == pytest.approx((0.0, 10.1, 0.0))
    assert shown(truth, no_load_w=10.0, creep_w=-0.6).phase_w == pytest.approx((0.0, 0.0, -10.1))


def test_a_single_phase_meter_has_all_noise_and_creep_on_its_phase() -> None:
    grid = Grid(nominal_v=240.0, phases="a")
    truth = by_phase((1_000.0, 0.0, 0.0), (0.0,) * 3)._replace(phase_v_pu=(1.0, 0.0, 0.0), v_pu=1.0)
    seen = shown(truth, grid, creep_w=30.0, noise_w=50.0)
    assert seen.phase_w[1:] == (0.0, 0.0)
    assert seen.phase_w[0] == pytest.approx(1030.0, abs=250.0)
    assert seen.phase_w[0] != 1030.0


@pytest.mark.parametrize(
    "table",
    [
        {"ct": {"order": "aab"}},
        {"ct": {"reversed": "ba"}},
        {"ct": {"ratio_error_pct": (-100.0, 0.0, 0.0)}},
        {"netting": "ferraris"},
        {"period_s": 0.0},
    ],
)
def test_meters_that_cannot_be_are_refused(table: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="Input should be"):
        meter(**table)
