"""The site: what flows at the PCC, its voltage and frequency, and what a sim file may say of them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from site_tables import battery, inverter, site_of

from edge.model.strict_toml import FileRefusedError
from sim.files.grid import Grid
from sim.files.load import Load
from sim.files.script import ScriptEvent
from sim.network import CollapseError
from sim.script import describe
from sim.simfile import DEMO, load_simfile
from sim.site import Generation, Site

DT_S = 0.01
NOTHING = Generation(0j)


def site(seed: int | None = None, **tables: dict[str, Any]) -> Site:
    grid = Grid.model_validate({"nominal_v": 480.0} | tables.get("grid", {}))
    load = Load.model_validate({"base_w": 0.0} | tables.get("load", {}))
    return Site(grid, load, DT_S, seed)


def test_export_is_generation_less_load_by_phase() -> None:
    place = site(load={"base_w": 30_000.0, "share": (0.5, 0.3, 0.2), "power_factor": 0.8})
    state = place.step(Generation(24_000 + 3_000j, (0j, 6_000 + 0j, 0j)))
    assert state.export_w == pytest.approx(0.0)
    assert state.phase_w == pytest.approx((8_000 - 15_000, 14_000 - 9_000, 8_000 - 6_000))
    assert state.export_var == pytest.approx(3_000 - 30_000 * 0.75)
    assert sum(state.phase_var) == pytest.approx(state.export_var)
    assert place.host_load_w == pytest.approx(30_000.0)
    amps = abs(complex(state.phase_w[0], state.phase_var[0])) / (480 / 3**0.5)
    assert state.phase_a[0] == pytest.approx(amps)


def test_a_single_phase_site_has_one_phase() -> None:
    place = site(grid={"phases": "a", "nominal_v": 240.0, "resistance_ohm": 0.1}, load={"base_w": 2_000.0})
    state = place.step(Generation(0j, (5_000 + 0j, 0j, 0j)))
    assert state.export_w == state.phase_w[0] == pytest.approx(3_000.0)
    assert state.phase_w[1:] == state.phase_v_pu[1:] == state.phase_a[1:] == (0.0, 0.0)
    assert state.v_pu == state.phase_v_pu[0] == pytest.approx(1 + 0.1 * 3_000 / 240**2, abs=1e-4)


def test_reactive_power_moves_the_voltage_as_the_reactance_says() -> None:
    place = site(grid={"reactance_ohm": 0.05})
    high, low = (place.step(Generation(complex(0, var))).v_pu for var in (50_000, -50_000))
    assert high - low == pytest.approx(2 * 0.05 * 50_000 / 480**2, rel=1e-2)


def test_an_unchanged_site_is_not_solved_again() -> None:
    place = site(load={"base_w": 1_000.0})
    assert place.step(NOTHING) is place.step(NOTHING)
    place.load.add(1.0)
    assert place.step(NOTHING).export_w == pytest.approx(-1_001.0)
    assert place.step(Generation(1 + 0j)).export_w == pytest.approx(-1_000.0)


def test_frequency_has_its_noise_ten_times_a_second_and_can_be_moved() -> None:
    place = site(grid={"hz_noise": 0.01})
    seen = [place.step(NOTHING).hz for _ in range(20_000)]
    assert all(seen[index] == seen[index - index % 10] for index in range(len(seen)))
    mean = sum(seen[::10]) / 2000
    sigma = (sum((hz - mean) ** 2 for hz in seen[::10]) / 2000) ** 0.5
    assert mean == pytest.approx(60.0, abs=1e-3)
    assert sigma == pytest.approx(0.01, rel=0.05)
    place.hz.aim(61.0, 100)
    ramp = [place.step(NOTHING).hz for _ in range(100)]
    assert ramp[49] == pytest.approx(60.5, abs=0.05)
    assert ramp[99] == pytest.approx(61.0, abs=0.05)


def test_frequency_noise_is_not_the_load_noise() -> None:
    """One that draws more does not change what the other draws."""
    quiet, noisy = (
        site(grid={"hz_noise": 0.01}, load={"base_w": 1e4, "noise_w": noise_w}) for noise_w in (0, 50)
    )
    assert [quiet.step(NOTHING).hz for _ in range(100)] == [noisy.step(NOTHING).hz for _ in range(100)]


def test_a_run_of_another_seed_is_another_run() -> None:
    def loads(own: int, run: int | None) -> list[float]:
        place = site(run, load={"base_w": 1e4, "noise_w": 50.0, "seed": own})
        return [place.step(NOTHING).export_w for _ in range(100)]

    assert loads(1, None) == loads(1, 1) == loads(2, 1) != loads(1, 2)


def test_the_source_moves_by_phase() -> None:
    place = site()
    for phase in place.sources("b"):
        phase.aim(0.8)
    assert place.step(NOTHING).phase_v_pu == pytest.approx((1.0, 0.8, 1.0))
    for phase in place.sources(None):
        phase.aim(1.1, 10)
    seen = [place.step(NOTHING) for _ in range(10)]
    assert seen[4].phase_v_pu == pytest.approx((1.05, 0.95, 1.05))
    assert seen[9].phase_v_pu == pytest.approx((1.1, 1.1, 1.1))
    assert seen[9].v_pu == pytest.approx(1.1)


def test_what_the_grid_cannot_carry_is_told() -> None:
    place = site(grid={"resistance_ohm": 1.0})
    with pytest.raises(CollapseError, match="1000000 W"):
        place.step(Generation(-1e6 + 0j))


def misfit(*units: dict[str, Any], **tables: Any) -> str:
    with pytest.raises(ValueError, match=r"\w") as refused:
        site_of(*units, **tables)
    return str(refused.value)


SINGLE: dict[str, Any] = {"nominal_v": 240.0, "phases": "a"}


@pytest.mark.parametrize(
    ("units", "tables", "told"),
    [
        ([], {"grid": {"nominal_v": 480.0, "short_circuit_mva": 10.0}}, "go together"),
        (
            [],
            {"grid": {"nominal_v": 480.0, "short_circuit_mva": 1.0, "x_over_r": 1.0, "resistance_ohm": 0.1}},
            "not both",
        ),
        ([], {"grid": SINGLE | {"neutral_resistance_ohm": 0.1}}, "counts its neutral"),
        ([inverter(1, phases="b")], {"grid": SINGLE}, "no phase b or c"),
        ([], {"grid": SINGLE, "load": {"base_w": 1.0, "share": [1, 0, 0]}}, "no phases to share"),
        ([], {"script": [{"at_s": 1, "sun_pu": 0.5, "role": "pv-9"}]}, "no inverter is called 'pv-9'"),
        ([], {"script": [{"at_s": 1, "set_w": 5.0, "role": "pv-1"}]}, "'pv-1' is no storage unit"),
        ([], {"grid": SINGLE, "script": [{"at_s": 1, "v_pu": 0.5, "phase": "b"}]}, "no phase 'b'"),
        ([], {"step_s": 0.0}, "than or equal to 0.0001"),
    ],
)
def test_sites_that_cannot_be_are_refused(units: list[Any], tables: dict[str, Any], told: str) -> None:
    assert told in misfit(*units, **tables)


EVENTS: list[tuple[dict[str, Any], str]] = [
    ({"load_step_w": -36_000}, "load step -36000 W"),
    ({"load_w": 500, "ramp_s": 5}, "load to 500 W in 5 s"),
    ({"sun_pu": 0.5}, "sun to 0.50 pu"),
    ({"sun_pu": 0.5, "role": "pv-1", "ramp_s": 2.5}, "sun to 0.50 pu on pv-1 in 2.5 s"),
    ({"v_pu": 1.05}, "grid voltage to 1.050 pu"),
    ({"v_pu": 0, "phase": "a"}, "grid voltage to 0.000 pu on phase a"),
    ({"hz": 61.5, "ramp_s": 10}, "grid frequency to 61.50 Hz in 10 s"),
    ({"motor_w": 7500, "inrush": 5, "inrush_s": 1, "run_s": 60}, "motor of 7500 W starts"),
    ({"set_w": -5000, "role": "battery-1"}, "battery-1 set to -5000 W"),
]


@pytest.mark.parametrize(("table", "told"), EVENTS)
def test_every_event_is_told_in_a_few_words(table: dict[str, Any], told: str) -> None:
    sim = site_of(inverter(1), battery(1), script=[{"at_s": 1} | table])
    assert describe(sim.script[0]) == told


@pytest.mark.parametrize(
    ("table", "told"),
    [
        ({}, "give exactly one of load_step_w, load_w, sun_pu, v_pu, hz, motor_w, set_w"),
        ({"load_w": 1.0, "sun_pu": 1.0}, "give exactly one of"),
        ({"ramp_s": 1.0}, "give exactly one of"),
        ({"motor_w": 1.0, "ramp_s": 1.0}, "ramp_s goes with hz, load_step_w, load_w, sun_pu, v_pu"),
        ({"load_w": 1.0, "role": "pv-1"}, "role goes with set_w, sun_pu"),
        ({"hz": 60.0, "phase": "a"}, "phase goes with load_step_w, v_pu"),
        ({"load_w": 1.0, "inrush": 2.0}, "inrush goes with motor_w"),
        ({"load_w": 1.0, "inrush_s": 2.0}, "inrush_s goes with motor_w"),
        ({"load_w": 1.0, "run_s": 2.0}, "run_s goes with motor_w"),
        ({"set_w": 1.0}, "set_w needs the role of a storage unit"),
        ({"v_pu": 2.1}, "less than or equal to 2"),
    ],
)
def test_events_have_one_effect_and_what_goes_with_it(table: dict[str, Any], told: str) -> None:
    with pytest.raises(ValueError, match=r"\w") as refused:
        ScriptEvent.model_validate({"at_s": 0.0} | table)
    assert told in str(refused.value)


def test_recordings_lie_beside_the_file_and_are_checked_with_it(tmp_path: Path) -> None:
    text = DEMO.read_text(encoding="utf-8").replace("base_w = 45_000.0", 'base_w = 0.0\ncsv = "house.csv"')
    path = tmp_path / "house.sim.toml"
    path.write_text(text + '\n[weather]\ncsv = "sun.csv"\n')
    (tmp_path / "house.csv").write_text("t_s,load_w\n0,1\n0,2\n")
    with pytest.raises(FileRefusedError) as refused:
        load_simfile(path)
    first, second = refused.value.problems
    assert first.startswith(f"{path}:13: load.csv: ")
    assert first.endswith("house.csv:3: times must rise")
    assert "weather.csv" in second
    assert second.endswith("sun.csv cannot be read: No such file or directory")
    (tmp_path / "house.csv").write_text("t_s,load_w\n0,1\n")
    (tmp_path / "sun.csv").write_text("t_s,irradiance_pu\n0,1\n")
    assert load_simfile(path).load.csv == str(tmp_path / "house.csv")
