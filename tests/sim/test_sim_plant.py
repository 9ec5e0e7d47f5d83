"""The whole plant in virtual time: coil, script, sun, storage, phases and voltage together."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from site_tables import battery, inverter, site_of

from sim.coil import TripCoil
from sim.der.status import Status
from sim.files.load import Load
from sim.files.script import ScriptEvent
from sim.plant import Plant
from sim.simfile import DEMO, SimFile, load_simfile
from sim.truth import Row
from sim.virtual import hold_closed, set_caps

DT_S = 0.01


def demo(**changes: object) -> SimFile:
    return load_simfile(DEMO).model_copy(update=changes)


def run(plant: Plant, seconds: float) -> list[Row]:
    return [plant.step() for _ in range(round(seconds / plant.dt_s))]


def steps_until_open(coil: TripCoil) -> int:
    for step in range(1, 10_000):
        coil.step(DT_S)
        if not coil.contact_closed:
            return step
    raise AssertionError("never opened")


def closed_coil(watchdog_s: float = 0.5) -> TripCoil:
    coil = TripCoil(watchdog_s, 0.05)
    coil.write(closed=True)
    for _ in range(5):
        assert not coil.contact_closed
        coil.step(DT_S)
    assert coil.contact_closed
    return coil


def test_coil_opens_after_actuation_when_told() -> None:
    coil = closed_coil()
    coil.write(closed=False)
    assert steps_until_open(coil) == 5
    assert not coil.watchdog_tripped


def test_coil_opens_by_itself_after_watchdog_and_actuation() -> None:
    coil = closed_coil()
    coil.write(closed=True)
    assert steps_until_open(coil) == 55
    assert not coil.coil
    assert coil.watchdog_tripped


@given(st.lists(st.integers(1, 49), max_size=30))
def test_coil_stays_closed_while_it_is_fed(gaps: list[int]) -> None:
    coil = closed_coil()
    coil.write(closed=True)
    for gap in gaps:
        for _ in range(gap):
            coil.step(DT_S)
            assert coil.contact_closed
        coil.write(closed=True)


def test_coil_without_watchdog_holds() -> None:
    coil = closed_coil(watchdog_s=0.0)
    for _ in range(5000):
        coil.step(DT_S)
    assert coil.contact_closed


def test_plant_runs_its_script_and_can_hold_it() -> None:
    script = (ScriptEvent(at_s=1.0, load_step_w=-36_000.0), ScriptEvent(at_s=2.0, load_w=50_000.0))
    plant = Plant(demo(script=script, load=Load(base_w=45_000.0)))
    rows = run(plant, 1.5)
    assert [row.t_s for row in rows if row.event] == [pytest.approx(1.0)]
    assert rows[98].host_load_w == pytest.approx(45_000.0)
    assert rows[99].host_load_w == pytest.approx(9_000.0)
    assert rows[99].event == "load step -36000 W"
    plant.script.held = True
    assert not any(row.event for row in run(plant, 2.0))
    plant.script.held = False
    assert plant.script.step(1.0) == [script[1]]


def test_export_is_generation_less_load_and_an_open_contact_takes_its_inverter() -> None:
    plant = Plant(demo(script=()))
    open_row = plant.step()
    assert open_row.inverter_w == (20_000.0, 0.0)
    assert not open_row.coil_closed
    hold_closed(plant)
    row = plant.step()
    assert row.inverter_w == (20_000.0, 80_000.0)
    assert row.coil_closed
    assert row.export_w == pytest.approx(100_000.0 - row.host_load_w)
    plant.coils[0].write(closed=False)
    assert [row.inverter_w[1] for row in run(plant, 0.06)] == [80_000.0] * 4 + [0.0] * 2


def test_the_file_says_the_time_step_unless_the_run_does() -> None:
    assert Plant(site_of()).dt_s == 0.01
    assert Plant(site_of(step_s=0.05)).dt_s == 0.05
    assert Plant(site_of(step_s=0.05), 0.02).dt_s == 0.02


RANDOM: dict[str, Any] = {
    "grid": {"nominal_v": 480.0, "hz_noise": 0.01, "resistance_ohm": 0.05},
    "load": {
        "base_w": 10_000.0,
        "noise_w": 50.0,
        "steps": {"count": 5, "step_w": 900.0, "on_s": 2.0, "off_s": 2.0},
    },
    "weather": {"clouds": {"cover": 0.5, "largest_m": 100.0}},
    "meter": {"port": 1000, "period_s": 0.2, "noise_w": 20.0},
}


def trace(sim: SimFile, seed: int | None) -> list[tuple[float, ...]]:
    plant = Plant(sim, seed=seed)
    seen = []
    for row in run(plant, 5.0):
        shown = plant.meter.shown.state
        seen.append((row.export_w, *row.inverter_w, shown.export_w, shown.hz))
    return seen


def test_a_run_is_of_its_seed_alone_and_another_seed_changes_everything_random() -> None:
    sim = site_of(**RANDOM)
    assert trace(sim, 3) == trace(sim, 3)
    assert trace(sim, None) == trace(sim, 1)
    other_seeds = {**RANDOM, "load": RANDOM["load"] | {"seed": 9}, "weather": RANDOM["weather"] | {"seed": 9}}
    assert trace(site_of(**other_seeds), 3) == trace(sim, 3)
    for one, other in zip(zip(*trace(sim, 3), strict=True), zip(*trace(sim, 4), strict=True), strict=True):
        assert one != other


def test_the_sun_scales_what_each_inverter_has_at_full_sun() -> None:
    plant = Plant(
        site_of(inverter(1, sun_pu=0.8), inverter(2, sun_pu=1.2), battery(1), weather={"level_pu": 0.5})
    )
    row = run(plant, 0.1)[-1]
    assert row.inverter_w == pytest.approx((8_000.0, 12_000.0, 0.0))
    assert row.available_w == pytest.approx(20_000.0)


def test_sun_events_are_for_all_or_for_one_and_can_be_even() -> None:
    script = [{"at_s": 0.5, "sun_pu": 0.6}, {"at_s": 1.0, "sun_pu": 0.1, "role": "pv-2", "ramp_s": 1.0}]
    plant = Plant(site_of(inverter(1), inverter(2), script=script))
    rows = run(plant, 2.5)
    assert rows[48].inverter_w == pytest.approx((20_000.0, 20_000.0))
    assert rows[50].inverter_w == pytest.approx((12_000.0, 12_000.0))
    assert rows[149].inverter_w == pytest.approx((12_000.0, 7_000.0), abs=200.0)
    assert rows[-1].inverter_w == pytest.approx((12_000.0, 2_000.0))
    assert rows[149].available_w == pytest.approx(12_000 + 20_000 * 0.35, abs=200.0)


def test_clouds_show_in_what_is_generated() -> None:
    clouds = {"cover": 0.5, "smallest_m": 20.0, "largest_m": 100.0}
    plant = Plant(site_of(inverter(1, sun_pu=0.9), weather={"clouds": clouds}))
    powers = [row.inverter_w[0] for row in run(plant, 60.0)]
    assert min(powers) < 9_000
    assert max(powers) > 18_000
    steps_w = np.abs(np.diff(powers))
    assert steps_w.max() < 0.01 * 20_000


def test_storage_charges_and_discharges_by_the_script_and_its_truth_is_negative_when_it_charges() -> None:
    script = [
        {"at_s": 1.0, "set_w": -8_000.0, "role": "battery-1"},
        {"at_s": 3.0, "set_w": 5_000.0, "role": "battery-1"},
    ]
    plant = Plant(site_of(battery(1), load={"base_w": 1_000.0}, script=script))
    rows = run(plant, 5.0)
    assert rows[90].inverter_w == (0.0,)
    assert rows[290].inverter_w == pytest.approx((-8_000.0,))
    assert rows[290].export_w == pytest.approx(-9_000.0)
    assert rows[-1].inverter_w == pytest.approx((5_000.0,))
    assert plant.fleet.absorbed_wh[0] == pytest.approx(8_000 * 2 / 3600, rel=0.2)


def single_phase(**tables: Any) -> Plant:
    units = [inverter(1), inverter(2, phases="a"), inverter(3, phases="b", nameplate_w=10_000.0)]
    return Plant(site_of(*units, **tables))


def test_inverters_feed_their_own_phases() -> None:
    state = (plant := single_phase(load={"base_w": 3_000.0, "share": [0, 0, 1]})).site.state
    assert state.phase_w == pytest.approx((20e3 / 3 + 20e3, 20e3 / 3 + 10e3, 20e3 / 3 - 3e3))
    assert run(plant, 0.1)[-1].export_w == pytest.approx(47_000.0)


def test_each_inverter_trips_on_the_phases_that_it_is_on() -> None:
    """Phase b at 0.3 pu: under the second undervoltage threshold, which trips in 0.16 s for category III at most."""
    script = [{"at_s": 0.5, "v_pu": 0.3, "phase": "b"}]
    plant = single_phase(script=script)
    rows = run(plant, 4.0)
    assert rows[40].inverter_w == pytest.approx((20_000.0, 20_000.0, 10_000.0))
    assert rows[-1].inverter_w == pytest.approx((0.0, 20_000.0, 0.0))
    assert list(plant.fleet.status) == [Status.TRIP, Status.CONTINUOUS, Status.TRIP]


@pytest.mark.parametrize(
    ("on", "sagging", "trips"),
    [("abc", "b", True), ("b", "b", True), ("b", "a", False), ("a", "a", True), ("c", "a", False)],
)
def test_inverters_all_alike_see_their_own_phases_too(on: str, sagging: str, *, trips: bool) -> None:
    script = [{"at_s": 0.5, "v_pu": 0.0, "phase": sagging}]
    plant = Plant(site_of(inverter(1, phases=on), inverter(2, phases=on), script=script))
    assert run(plant, 4.0)[-1].inverter_w == ((0.0,) * 2 if trips else (20_000.0,) * 2)


def test_the_meter_draws_by_the_seed_of_the_run() -> None:
    sim = site_of(meter={"port": 1000, "period_s": 0.2, "noise_w": 20.0, "seed": 3})

    def shown(seed: int | None) -> float:
        run(plant := Plant(sim, seed=seed), 1.0)
        return plant.meter.shown.state.export_w

    assert shown(None) == shown(3) != shown(4)


def test_a_sagging_grid_and_a_fast_one_reach_the_inverters_and_the_meter() -> None:
    script = [{"at_s": 0.5, "v_pu": 0.9, "ramp_s": 0.5}, {"at_s": 1.5, "hz": 61.0}]
    plant = Plant(site_of(script=script))
    run(plant, 0.75)
    assert plant.site.state.v_pu == pytest.approx(0.95, abs=0.003)
    rows = run(plant, 2.0)
    assert plant.meter.shown.state.v_pu == pytest.approx(0.9)
    assert plant.meter.shown.state.hz == 61.0
    # The standard's default droop is on its way down by a third.
    assert rows[-1].inverter_w[0] < 0.9 * 20_000


def test_export_lifts_the_voltage_that_volt_var_answers() -> None:
    grid = {"nominal_v": 480.0, "reactance_ohm": 0.5, "resistance_ohm": 0.5, "voltage_pu": 1.03}
    on = {"QV_MODE_ENABLE": True, "QV_OLRT": 1.0, "CONST_PF_MODE_ENABLE": False}
    plain, answering = (
        Plant(site_of(inverter(1, **changes), grid=grid)) for changes in ({}, {"settings": on})
    )
    for plant in (plain, answering):
        run(plant, 20.0)
    assert plain.site.state.v_pu > 1.03 + 0.5 * 20_000 / 480**2 - 0.005
    assert answering.site.state.export_var < -1_000
    assert answering.site.state.v_pu < plain.site.state.v_pu - 0.002


def test_a_motor_start_dips_the_voltage_while_it_lasts() -> None:
    grid = {"nominal_v": 480.0, "resistance_ohm": 0.02, "reactance_ohm": 0.06}
    script = [{"at_s": 1.0, "motor_w": 15_000.0, "inrush": 6.0, "inrush_s": 0.4, "run_s": 1.0}]
    plant = Plant(site_of(inverter(1, sun_pu=0.0), grid=grid, script=script))
    volts = []
    for _ in range(300):
        plant.step()
        volts.append(plant.site.state.v_pu)
    assert volts[98] == pytest.approx(1.0)
    assert volts[105] < 0.98
    assert 0.99 < volts[150] < 1.0
    assert volts[-1] == pytest.approx(1.0)


@settings(max_examples=40)
@given(
    seed=st.integers(0, 1000),
    share=st.sampled_from([[1, 0, 0], [0.5, 0.3, 0.2], [0, 0.1, 0.9]]),
    phases=st.lists(st.sampled_from(["abc", "a", "b", "c"]), min_size=1, max_size=4),
    ohm=st.floats(0.0, 0.05),
)
def test_no_power_is_lost_or_made_between_inverters_load_and_pcc(
    seed: int, share: list[float], phases: list[str], ohm: float
) -> None:
    units = [inverter(number, phases=on, sun_pu=0.5) for number, on in enumerate(phases)]
    grid = {"nominal_v": 480.0, "resistance_ohm": ohm, "reactance_ohm": ohm, "neutral_resistance_ohm": ohm}
    load = {"base_w": 5_000.0, "noise_w": 100.0, "share": share}
    plant = Plant(site_of(*units, grid=grid, load=load), seed=seed)
    for _ in range(25):
        row = plant.step()
        assert row.export_w == pytest.approx(sum(row.inverter_w) - row.host_load_w, abs=1e-6)
        assert sum(plant.site.state.phase_w) == pytest.approx(row.export_w, abs=1e-6)


def test_the_meter_sees_what_its_transformers_see_and_the_truth_does_not() -> None:
    plant = Plant(site_of(meter={"port": 1000, "period_s": 0.2, "ct": {"reversed": "a"}}))
    row = run(plant, 0.4)[-1]
    assert row.export_w == pytest.approx(20_000.0)
    assert plant.meter.shown.state.export_w == pytest.approx(20_000.0 / 3)


def test_halving_the_step_changes_the_pcc_by_less_than_a_step_of_ramp() -> None:
    """Tolerance: one coarse step's ramp of the whole plant, and 0.1 % of the voltage."""
    sim = demo(load=Load(base_w=45_000.0))
    coarse, fine = Plant(sim, 0.02), Plant(sim, 0.01)
    for plant in (coarse, fine):
        hold_closed(plant)
        set_caps(plant, [5_000.0, 30_000.0])
    for _ in range(200):
        fine.step()
        assert coarse.step().export_w == pytest.approx(fine.step().export_w, abs=0.02 * 100_000)
        assert coarse.site.state.v_pu == pytest.approx(fine.site.state.v_pu, abs=1e-3)


def test_halving_the_step_under_clouds_motors_and_curves_changes_little() -> None:
    """Tolerance: 1 % of nameplate in the mean of every second, and 0.1 % of the voltage."""
    tables: dict[str, Any] = {
        "grid": {
            "nominal_v": 480.0,
            "resistance_ohm": 0.1,
            "reactance_ohm": 0.2,
            "transformer": {"va": 75e3},
        },
        "load": {
            "base_w": 10_000.0,
            "noise_w": 100.0,
            "share": [0.5, 0.3, 0.2],
            "motor": [{"run_w": 5_000.0, "rest_s": 5.0, "run_s": 5.0}],
        },
        "weather": {"clouds": {"cover": 0.5, "largest_m": 200.0}},
    }
    curves = {"QV_MODE_ENABLE": True, "CONST_PF_MODE_ENABLE": False, "PV_MODE_ENABLE": True}
    units = [inverter(1, settings=curves), inverter(2, phases="a", settings=curves), battery(1)]
    sim = site_of(*units, **tables)

    def seconds(dt_s: float) -> tuple[Any, Any]:
        plant = Plant(sim, dt_s)
        seen = [(plant.step().export_w, plant.site.state.v_pu) for _ in range(round(40.0 / dt_s))]
        means = np.array(seen).reshape(40, -1, 2).mean(axis=1)
        return means[:, 0], means[:, 1]

    (coarse_w, coarse_pu), (fine_w, fine_pu) = seconds(0.01), seconds(0.005)
    assert np.ptp(fine_w) > 10_000
    assert coarse_w == pytest.approx(fine_w, abs=0.01 * 40_000)
    assert coarse_pu == pytest.approx(fine_pu, abs=1e-3)
