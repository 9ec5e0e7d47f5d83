"""Coil, meter, load and the whole plant in virtual time."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sim.coil import TripCoil
from sim.files.grid import Grid
from sim.files.load import Load
from sim.files.meter import MeterFile
from sim.files.script import ScriptEvent
from sim.meter import Meter
from sim.plant import Plant
from sim.simfile import DEMO, SimFile, load_simfile
from sim.site import Generation, PccState, Site
from sim.virtual import hold_closed, set_caps

DT_S = 0.01
NOTHING = Generation(0j)


def demo(**changes: object) -> SimFile:
    return load_simfile(DEMO).model_copy(update=changes)


def state(export_w: float) -> PccState:
    return PccState(export_w, 0.0, (export_w / 3,) * 3, 1.0, 60.0)


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


def meter(**changes: object) -> Meter:
    values: dict[str, object] = {"port": 1, "period_s": 0.2, "latency_s": 0.05}
    return Meter(MeterFile.model_validate(values | changes), Grid(nominal_v=480.0), DT_S, state(0.0))


def test_meter_shows_a_sample_once_a_period_after_its_latency() -> None:
    slow = meter()
    shown = []
    for step in range(1, 61):
        slow.step(state(float(step)))
        shown.append(slow.shown.state.export_w)
        assert slow.sampled == (step % 20 == 0)
        assert slow.published == (step in {25, 45})
    assert shown[23:26] == [0.0, 20.0, 20.0]
    assert shown[43:46] == [20.0, 40.0, 40.0]
    assert slow.shown.sampled_s == pytest.approx(0.4)


def test_meter_averages_over_its_window() -> None:
    slow = meter(average_s=0.1, latency_s=0.0)
    for step in range(1, 21):
        slow.step(state(float(step)))
    assert slow.shown.state.export_w == pytest.approx(sum(range(11, 21)) / 10)
    assert sum(slow.shown.state.phase_w) == pytest.approx(slow.shown.state.export_w)


def test_meter_energies_agree_with_power() -> None:
    counted = meter(latency_s=0.0)
    for _ in range(3600):
        counted.step(state(10_000.0))
    for _ in range(1800):
        counted.step(state(-10_000.0))
    assert counted.shown.exported_wh == pytest.approx(10_000 * 36 / 3600)
    assert counted.shown.imported_wh == pytest.approx(10_000 * 18 / 3600)


def test_host_load_noise_has_its_sigma_at_10_hz_and_its_seed() -> None:
    def loads(seed: int) -> list[float]:
        site = Site(Grid(nominal_v=480.0), Load(base_w=45_000.0, noise_w=50.0, seed=seed), DT_S)
        return [-site.step(NOTHING).export_w for _ in range(20_000)]

    first = loads(1)
    assert first == loads(1) != loads(2)
    held = [first[index] for index in range(0, len(first), 10)]
    assert all(first[index] == first[index - index % 10] for index in range(len(first)))
    mean = sum(held) / len(held)
    sigma = (sum((load - mean) ** 2 for load in held) / len(held)) ** 0.5
    assert mean == pytest.approx(45_000.0, abs=5.0)
    assert sigma == pytest.approx(50.0, rel=0.05)


def test_export_raises_the_voltage_over_the_source_impedance() -> None:
    grid = Grid(nominal_v=480.0, resistance_ohm=0.02, reactance_ohm=0.03)
    site = Site(grid, Load(base_w=0.0), DT_S)
    rise_pu = (0.02 * 50_000 - 0.03 * 10_000) / 480**2
    assert site.step(Generation(50_000 - 10_000j, (0j,) * 3)).v_pu == pytest.approx(1.0 + rise_pu, abs=1e-4)


def test_plant_runs_its_script_and_can_hold_it() -> None:
    script = (ScriptEvent(at_s=1.0, load_step_w=-36_000.0), ScriptEvent(at_s=2.0, load_w=50_000.0))
    sim = demo(script=script, load=Load(base_w=45_000.0))
    plant = Plant(sim)
    rows = [plant.step() for _ in range(150)]
    assert [row.t_s for row in rows if row.event] == [pytest.approx(1.0)]
    assert rows[98].host_load_w == 45_000.0
    assert rows[99].host_load_w == pytest.approx(9_000.0)
    assert rows[99].event == "load step -36000 W"
    plant.script.held = True
    assert not any(plant.step().event for _ in range(200))
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
    powers = [plant.step().inverter_w[1] for _ in range(6)]
    assert powers == [80_000.0] * 4 + [0.0] * 2


def test_halving_the_step_changes_the_answer_little() -> None:
    """Tolerance: one coarse step's worth of ramp of the whole plant."""
    sim = demo(load=Load(base_w=45_000.0))
    coarse, fine = Plant(sim, 0.02), Plant(sim, 0.01)
    for plant in (coarse, fine):
        hold_closed(plant)
        set_caps(plant, [5_000.0, 30_000.0])
    for _ in range(200):
        fine.step()
        assert coarse.step().export_w == pytest.approx(fine.step().export_w, abs=0.02 * 100_000)
