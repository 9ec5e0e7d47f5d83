"""The host load: base, recording, appliances, motors, noise."""

from __future__ import annotations

import json
from itertools import pairwise
from math import acos, tan
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sim.files.load import Load, Motor
from sim.glide import Glide
from sim.load import HostLoad

DT_S = 0.01
EQUAL = (1 / 3, 1 / 3, 1 / 3)


def load(dt_s: float = DT_S, seed: int = 1, **table: Any) -> HostLoad:
    return HostLoad(Load.model_validate_json(json.dumps({"base_w": 0.0} | table)), EQUAL, dt_s, seed)


def run(host: HostLoad, seconds: float, dt_s: float = DT_S) -> list[complex]:
    """What all phases draw together at the end of every step."""
    drawn = []
    for _ in range(round(seconds / dt_s)):
        host.step()
        drawn.append(sum(host.phases))
    return drawn


def test_a_base_is_drawn_by_share_and_power_factor() -> None:
    host = load(base_w=30_000.0, power_factor=0.9, share=[0.5, 0.3, 0.2])
    assert not any(host.step() for _ in range(100))
    assert [power.real for power in host.phases] == pytest.approx([15_000, 9_000, 6_000])
    assert host.phases[0].imag == pytest.approx(15_000 * tan(acos(0.9)))


def test_the_load_can_be_moved_at_once_and_evenly() -> None:
    host = load(base_w=30_000.0)
    host.to(10_000.0, 4)
    assert [power.real for power in run(host, 0.06)] == pytest.approx([25e3, 20e3, 15e3, 10e3, 10e3, 10e3])
    host.add(5_000.0)
    assert host.load_w == 15_000.0
    assert host.step()
    assert sum(host.phases).real == pytest.approx(15_000.0)
    assert not host.step()
    host.add(-99_000.0)
    assert host.load_w == 0.0
    host.add(1_000.0)
    assert host.load_w == 1_000.0


def test_one_phase_can_be_moved_alone_and_not_below_nothing() -> None:
    host = load(base_w=30_000.0, power_factor=0.9, share=[0.5, 0.3, 0.2])
    host.add(-5_000.0, 0, "b")
    host.add(6_000.0, 100, "c")
    run(host, 0.5)
    assert [power.real for power in host.phases] == pytest.approx([15_000, 4_000, 9_000])
    assert host.phases[1].imag == pytest.approx(4_000 * tan(acos(0.9)))
    assert host.load_w == pytest.approx(28_000.0)
    host.add(-9_000.0, 0, "b")
    run(host, 1.0)
    assert [power.real for power in host.phases] == pytest.approx([15_000, 0, 12_000])
    host.to(54_000.0)
    run(host, 0.1)
    assert host.load_w == pytest.approx(54_000.0)


def test_two_changes_at_once_add_up() -> None:
    host = load(base_w=10_000.0)
    host.add(5_000.0, 10)
    host.add(5_000.0)
    assert run(host, 0.2)[-1].real == pytest.approx(20_000.0)


def test_a_motor_starts_with_its_inrush_at_a_poor_power_factor() -> None:
    host = load()
    run(host, 1.0)
    host.start(Motor(run_w=10_000.0, inrush=6.0, inrush_s=0.5, power_factor=0.8, start_power_factor=0.3), 2.0)
    drawn = run(host, 3.0)
    starting = 6.0 * 10_000 / 0.8
    assert drawn[:49] == pytest.approx([complex(0.3, (1 - 0.09) ** 0.5) * starting] * 49)
    assert drawn[49:199] == pytest.approx([complex(10_000, 7_500)] * 150)
    assert drawn[199:] == [0j] * 101


def test_a_motor_goes_on_for_good_when_nothing_stops_it() -> None:
    host = load()
    host.start(Motor(run_w=10_000.0, share=(0.0, 1.0, 0.0)))
    assert run(host, 60.0)[-1].real == pytest.approx(10_000.0)
    assert (host.phases[0], host.phases[2]) == (0j, 0j)


def test_a_cycling_motor_runs_and_rests_as_long_as_it_says() -> None:
    motor = {"run_w": 10_000.0, "rest_s": 60.0, "run_s": 30.0, "inrush_s": 0.5}
    drawn = [power.real for power in run(load(1.0, motor=[motor]), 30_000, 1.0)]
    assert sum(power == pytest.approx(10_000.0) for power in drawn) / len(drawn) == pytest.approx(
        1 / 3, abs=0.05
    )
    starts = [second for second in range(1, len(drawn)) if drawn[second - 1] == 0 < drawn[second]]
    assert len(starts) == pytest.approx(30_000 / 91, rel=0.15)
    # An inrush of half a second shows on whole seconds as the start itself.
    assert drawn[starts[0]] == pytest.approx(6.0 * 10_000 / 0.85 * 0.3)


def test_appliances_are_on_as_often_as_their_times_say() -> None:
    steps = {"count": 20, "step_w": 2_000.0, "on_s": 60.0, "off_s": 120.0}
    drawn = [power.real for power in run(load(1.0, base_w=1_000.0, steps=steps), 10_000, 1.0)]
    assert sum(drawn) / len(drawn) == pytest.approx(1_000 + 20 * 2_000 / 3, rel=0.1)
    assert min(drawn) >= 1_000.0
    jumps = {round(abs(after - before)) for before, after in pairwise(drawn)} - {0}
    single = [jump for jump in jumps if 1_000 <= jump <= 3_000]
    assert len(single) > 20


def test_everything_random_is_of_its_seed_and_of_no_time_step() -> None:
    table: dict[str, Any] = {
        "base_w": 5_000.0,
        "noise_w": 100.0,
        "steps": {"count": 10, "step_w": 2_000.0, "on_s": 5.0, "off_s": 5.0},
        "motor": [{"run_w": 5_000.0, "rest_s": 10.0, "run_s": 10.0}],
    }
    coarse = run(load(0.02, **table), 60.0, 0.02)
    assert coarse == run(load(0.02, **table), 60.0, 0.02)
    assert coarse != run(load(0.02, seed=2, **table), 60.0, 0.02)
    fine = run(load(0.01, **table), 60.0, 0.01)
    assert fine[1::2] == pytest.approx(coarse)


def test_one_motor_more_leaves_the_others_as_they_were() -> None:
    motor = {"run_w": 5_000.0, "rest_s": 10.0, "run_s": 10.0}
    other = {"run_w": 1.0, "inrush": 1.0, "rest_s": 3.0, "run_s": 3.0}
    alone, both = load(motor=[motor]), load(motor=[motor, other])
    assert [round(power.real, -3) for power in run(alone, 60.0)] == [
        round(power.real, -3) for power in run(both, 60.0)
    ]


def test_motors_and_appliances_of_a_kind_do_not_go_together() -> None:
    motor = {
        "run_w": 5_000.0,
        "inrush": 1.0,
        "power_factor": 1.0,
        "start_power_factor": 1.0,
        "rest_s": 30.0,
        "run_s": 30.0,
    }
    appliances = {"count": 2, "step_w": 2_000.0, "on_s": 30.0, "off_s": 30.0}
    for table in ({"motor": [motor, motor]}, {"steps": appliances}):
        levels = {round(power.real) for power in run(load(1.0, **table), 600.0, 1.0)}
        assert len(levels) >= 3, "none, one of them, both"


def test_noise_is_drawn_ten_times_a_second_for_each_phase() -> None:
    host = load(base_w=30_000.0, noise_w=300.0)
    phases = []
    for _ in range(20_000):
        host.step()
        phases.append([power.real - 10_000 for power in host.phases])
    held = phases[::10]
    assert all(phases[index] == held[index // 10] for index in range(len(phases)))
    for phase in range(3):
        sigma_w = (sum(row[phase] ** 2 for row in held) / len(held)) ** 0.5
        assert sigma_w == pytest.approx(300.0 / 3**0.5, rel=0.07)
    crossed = sum(row[0] * row[1] for row in held) / len(held)
    assert abs(crossed) < 0.1 * 300.0**2 / 3


@given(st.floats(0.0, 300.0), st.integers(0, 5))
def test_no_phase_ever_gives_power(base_w: float, seed: int) -> None:
    host = load(base_w=base_w, noise_w=500.0, seed=seed)
    for _ in range(100):
        host.step()
        assert min(power.real for power in host.phases) >= 0.0


def test_a_recording_holds_each_row_and_what_is_added_goes_on_top(tmp_path: Path) -> None:
    path = tmp_path / "load.csv"
    path.write_text("t_s,load_w\n0,1000\n1,4000\n2,2000\n")
    host = load(base_w=9_999.0, csv=str(path))
    drawn = [power.real for power in run(host, 0.99)]
    assert drawn == pytest.approx([1000.0] * 99)
    host.add(500.0)
    assert [round(power.real) for power in run(host, 2.0)] == [4500] * 100 + [2500] * 100
    host.add(-9_000.0)
    assert host.load_w == 0.0


def test_no_more_is_ever_drawn_than_the_file_says() -> None:
    table: dict[str, Any] = {
        "base_w": 3_000.0,
        "power_factor": 0.9,
        "steps": {"count": 5, "step_w": 1_000.0, "on_s": 60.0, "off_s": 1.0},
        "motor": [{"run_w": 2_000.0, "rest_s": 1.0, "run_s": 1.0}] * 2,
    }
    most_va = Load.model_validate_json(json.dumps(table)).most_va
    assert most_va == pytest.approx((3_000 + 7_500) / 0.9 + 2 * 6.0 * 2_000 / 0.85)
    drawn = [abs(power) for power in run(load(0.1, **table), 300.0, 0.1)]
    assert 0.5 * most_va < max(drawn) <= most_va


def test_a_glide_ends_exactly() -> None:
    glide = Glide(1.0)
    glide.aim(0.1, 7)
    values = []
    while glide.left:
        glide.step()
        values.append(glide.value)
    assert values == pytest.approx([1 - 0.9 * step / 7 for step in range(1, 8)])
    assert values[-1] == 0.1
    glide.step()
    assert (glide.value, glide.target) == (0.1, 0.1)


@pytest.mark.parametrize(
    "table",
    [
        {"share": [0.5, 0.5, 0.5]},
        {"share": [1.5, -0.5, 0.0]},
        {"power_factor": 0.0},
        {"motor": [{"run_w": 1.0, "rest_s": 1.0, "run_s": 1.0, "share": [0.0, 0.0, 0.0]}]},
        {"steps": {"count": 0, "step_w": 1.0, "on_s": 1.0, "off_s": 1.0}},
    ],
)
def test_loads_that_cannot_be_are_refused(table: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"add up to 1|less than|greater than"):
        load(**table)
