"""What is said about a trace, against traces whose answer is known; and the clairvoyant."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sim.files.load import Load
from sim.files.script import ScriptEvent
from sim.simfile import DEMO, SimFile, load_simfile
from sim.truth import (
    Row,
    Truth,
    excursions,
    max_export_w,
    noise_of_mean_w,
    response_time_s,
    running_mean,
    settled_s,
)
from sim.truthlog import TruthLog, read_truth
from sim.virtual import View, clairvoyant_time_s, run_virtual, share_down

NAMEPLATE_W = 100_000.0
LIMIT_W = 25_000.0


def row(t_s: float, export_w: float, **changes: object) -> Row:
    values = {"host_load_w": 0.0, "coil_closed": True, "meter_sampled": False, "event": ""}
    return Row(t_s=t_s, export_w=export_w, **{**values, **changes})  # type: ignore[arg-type] # test values


def trace(export_w: list[float], dt_s: float = 0.01) -> Truth:
    rows = [
        row((index + 1) * dt_s, power_w, inverter_w=(power_w, 0.0), meter_sampled=index % 20 == 19)
        for index, power_w in enumerate(export_w)
    ]
    return Truth.of(rows)


def demo(**changes: object) -> SimFile:
    return load_simfile(DEMO).model_copy(update=changes)


def test_excursions_are_stretches_above_the_band() -> None:
    export_w = [25_500.0] * 100 + [30_000.0] * 50 + [25_000.0] * 10 + [26_000.0] * 5
    first, second = excursions(trace(export_w), LIMIT_W, NAMEPLATE_W)
    assert (first.start_s, first.duration_s, first.peak_w) == pytest.approx((1.01, 0.5, 30_000.0))
    assert first.energy_wh == pytest.approx(5_000 * 0.5 / 3600)
    assert (second.duration_s, second.peak_w) == pytest.approx((0.05, 26_000.0))
    assert not excursions(trace([25_500.0] * 10), LIMIT_W, NAMEPLATE_W)
    assert len(excursions(trace([25_501.0] * 10), LIMIT_W, NAMEPLATE_W)) == 1
    assert max_export_w(trace(export_w), 1.55) == 26_000.0


@given(st.lists(st.floats(-1e5, 1e5), min_size=2, max_size=300))
def test_excursions_cover_exactly_what_is_above(export_w: list[float]) -> None:
    above = sum(power_w > 25_500.0 for power_w in export_w)
    found = excursions(trace(export_w), LIMIT_W, NAMEPLATE_W)
    assert sum(each.duration_s for each in found) == pytest.approx(above * 0.01)
    assert all(a.start_s + a.duration_s < b.start_s - 0.005 for a, b in pairwise(found))


@given(st.lists(st.floats(-10, 10), min_size=1, max_size=60), st.integers(1, 20))
def test_running_mean_is_a_mean_of_the_last(values: list[float], width: int) -> None:
    means = running_mean(np.array(values), 0.1, width * 0.1)
    for index, mean in enumerate(means):
        window = values[max(0, index + 1 - width) : index + 1]
        assert mean == pytest.approx(sum(window) / len(window), abs=1e-9)


def test_response_ends_when_the_mean_is_back() -> None:
    # 1 s above by 10 kW: the trailing mean is back in the 500 W band when 5 % of the window is left.
    export_w = [25_000.0] * 300 + [35_000.0] * 100 + [25_000.0] * 300
    assert response_time_s(trace(export_w), 3.0, LIMIT_W, NAMEPLATE_W) == pytest.approx(1.95, abs=0.02)
    assert response_time_s(trace([25_000.0] * 700), 3.0, LIMIT_W, NAMEPLATE_W) == 0.0
    assert response_time_s(trace(export_w[:400]), 3.0, LIMIT_W, NAMEPLATE_W) is None


def test_a_relapse_prolongs_the_response() -> None:
    back, far = [25_000.0], [35_000.0]
    export_w = back * 300 + far * 100 + back * 200 + far * 100 + back * 300
    assert response_time_s(trace(export_w), 3.0, LIMIT_W, NAMEPLATE_W) == pytest.approx(4.95, abs=0.02)
    before_relapse = response_time_s(trace(export_w), 3.0, LIMIT_W, NAMEPLATE_W, until_s=6.0)
    assert before_relapse == pytest.approx(1.95, abs=0.02)


@pytest.mark.parametrize(("above_w", "response_s"), [(450.0, 1.95), (800.0, 4.58)])
def test_what_noise_alone_does_is_no_relapse(above_w: float, response_s: float) -> None:
    """Two seconds after the response the mean rises again; noise of 150 W in its mean forgives 600 W."""
    swing_w = 2 * 150.0 * 0.6745 * 2**0.5
    load_w = ([0.0] * 100 + [swing_w] * 100) * 4
    export_w = (
        [24_900.0] * 300 + [35_000.0] * 100 + [24_900.0] * 200 + [25_500.0 + above_w] * 100 + [24_900.0] * 100
    )
    rows = [
        row(index / 100, power_w, host_load_w=load_w[index], inverter_w=(0.0, 0.0))
        for index, power_w in enumerate(export_w)
    ]
    found_s = response_time_s(Truth.of(rows), 2.99, LIMIT_W, NAMEPLATE_W)
    assert found_s == pytest.approx(response_s, abs=0.15)


def test_settling_needs_the_band_held() -> None:
    export_w = [-25_000.0] * 100 + [24_500.0] * 150 + [40_000.0] * 100 + [24_500.0] * 400
    assert settled_s(trace(export_w), LIMIT_W, NAMEPLATE_W) == pytest.approx(3.5 + 1.0 + 2.0, abs=0.1)
    assert settled_s(trace(export_w[:350]), LIMIT_W, NAMEPLATE_W) is None


def test_noise_of_the_mean_is_sigma_over_root_ten() -> None:
    truth = run_virtual(demo(script=(), load=Load(base_w=45_000.0, noise_w=1000.0)), lambda _: None, 200.0)
    assert noise_of_mean_w(truth) == pytest.approx(1000 / 10**0.5, rel=0.2)


def test_truth_log_comes_back_as_written_even_torn(tmp_path: Path) -> None:
    path = tmp_path / "truth.csv"
    log = TruthLog(path, 2)
    rows = [
        row(0.0, 1.25, host_load_w=2.0, inverter_w=(3.0, -4.5), event='load, "quoted"'),
        row(0.0, 0.0, inverter_w=(0.0, 0.0), coil_closed=False, meter_sampled=True),
    ]
    for index, each in enumerate(rows):
        log.write(each, 100.0 + index / 100)
    log.close()
    with path.open("a") as torn:
        torn.write("100.02,17")
    truth = read_truth(path)
    assert truth.t_s.tolist() == [100.0, 100.01]
    assert truth.export_w.tolist() == [1.2, 0.0]
    assert truth.inverter_w.tolist() == [[3.0, -4.5], [0.0, 0.0]]
    assert truth.coil_closed.tolist() == [True, False]
    assert truth.meter_sampled.tolist() == [False, True]
    assert truth.events == ((100.0, 'load, "quoted"'),)


@pytest.mark.parametrize(
    "text", ["", "a,b\n1,2\n", "t_s,export_w,host_load_w,coil_closed,meter_sampled,event\n"]
)
def test_what_is_no_truth_file_is_refused(tmp_path: Path, text: str) -> None:
    path = tmp_path / "truth.csv"
    path.write_text(text)
    with pytest.raises(ValueError, match=r"truth\.csv"):
        read_truth(path)


class Deadbeat:
    """Issues what is right at each sample from true host load, `late` samples late."""

    def __init__(self, margin_w: float, late: int = 0) -> None:
        self.margin_w = margin_w
        self.waiting = [0.0] * late

    def __call__(self, view: View) -> list[float]:
        self.waiting.append(sum(view.der_w) - view.export_w)
        load_w = self.waiting.pop(0)
        return share_down([0.0, 0.0], [20_000.0, 80_000.0], LIMIT_W - self.margin_w + load_w)


QUIET = Load(base_w=45_000.0)
DROP = (ScriptEvent(at_s=10.05, load_step_w=-36_000.0),)


def test_clairvoyant_takes_sample_latency_dead_time_and_ramp() -> None:
    """Sample at 10.2, shown at 10.22, dead 0.2, ramp 0.36 s: above until 10.78; the mean follows."""
    sim = demo(load=QUIET, script=DROP)
    truth = run_virtual(sim, Deadbeat(0.0), 20.0)
    best_s = clairvoyant_time_s(sim, truth, 10.05, LIMIT_W)
    # The excess: 36 kW until 10.42, then down to 0 in 0.36 s. The mean of the last second is at 500 W when
    # 500 W s of that triangle are left, which is 1 s after sqrt(2 * 500 / 100_000) s before its end.
    expected_s = 10.78 - (2 * 500 / 100_000) ** 0.5 + 1.0 - 10.05
    assert best_s == pytest.approx(expected_s, abs=0.03)


def test_a_late_controller_is_later_than_the_clairvoyant_by_what_it_is_late() -> None:
    sim = demo(load=QUIET, script=DROP)
    for late in (0, 1, 3):
        truth = run_virtual(sim, Deadbeat(0.0, late), 20.0)
        ours_s = response_time_s(truth, 10.05, LIMIT_W, NAMEPLATE_W)
        best_s = clairvoyant_time_s(sim, truth, 10.05, LIMIT_W)
        assert ours_s is not None
        assert best_s is not None
        assert ours_s == pytest.approx(best_s + late * 0.2, abs=0.05)


def test_clairvoyant_is_none_without_a_sample_after_the_step() -> None:
    sim = demo(load=QUIET, script=DROP)
    truth = run_virtual(sim, Deadbeat(0.0), 20.0)
    assert clairvoyant_time_s(sim, truth, 10.05, LIMIT_W, until_s=10.1) is None


@settings(max_examples=60)
@given(
    power_w=st.lists(st.floats(0, 1), min_size=2, max_size=2),
    total_w=st.floats(-20_000, 120_000),
)
def test_share_down_meets_the_total_inside_the_bounds(power_w: list[float], total_w: float) -> None:
    nameplate_w = [20_000.0, 80_000.0]
    start_w = [power * rated for power, rated in zip(power_w, nameplate_w, strict=True)]
    caps_w = share_down(start_w, nameplate_w, total_w)
    assert all(0 <= cap <= rated for cap, rated in zip(caps_w, nameplate_w, strict=True))
    assert sum(caps_w) == pytest.approx(min(max(total_w, 0.0), 100_000.0), abs=1.0)


def test_the_run_is_the_same_twice() -> None:
    first, second = (run_virtual(demo(), Deadbeat(300.0), 5.0) for _ in range(2))
    assert first.export_w.tolist() == second.export_w.tolist()


def test_an_open_contact_keeps_its_inverter_out() -> None:
    truth = run_virtual(demo(script=()), lambda _: None, 2.0, closed=False)
    assert truth.inverter_w[:, 1].max() == 0.0
