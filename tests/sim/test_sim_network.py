"""The power flow against a closed form, against Newton's method in NumPy, and against the usual approximation."""

from __future__ import annotations

from math import sqrt
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sim.files.grid import Grid, Transformer
from sim.network import DEAD_PU, NOTHING, WEAK_PU, CollapseError, Network

V = 480.0
FLAT = (1.0, 1.0, 1.0)
NONE = 0j, 0j, 0j

watts = st.floats(-150_000.0, 150_000.0)
powers = st.builds(complex, watts, st.floats(-60_000.0, 60_000.0))
sources = st.floats(0.85, 1.15)


def grid(**changes: Any) -> Grid:
    plain = {"nominal_v": V, "resistance_ohm": 0.03, "reactance_ohm": 0.05}
    return Grid.model_validate(plain | changes)


def closed_form_pu(source_pu: float, export: complex, z_ohm: complex, phase_v: float) -> float:
    """|V| of one phase: V⁴ - (E² + 2 r) V² + r² + x² = 0 with r = RP + XQ and x = XP - RQ, in per unit."""
    voltage_change = z_ohm * export.conjugate() / phase_v**2
    half = source_pu**2 / 2 + voltage_change.real
    return sqrt(half + sqrt(half**2 - abs(voltage_change) ** 2))


@given(export=powers, source_pu=sources)
def test_a_single_phase_is_the_quadratic(export: complex, source_pu: float) -> None:
    single = grid(phases="a")
    flow = Network(single).solve((source_pu, 0.0, 0.0), 0j, (export / 2, 0j, 0j), NONE)
    expected_pu = closed_form_pu(source_pu, export / 2, 0.03 + 0.05j, V)
    assert flow.volts == pytest.approx((expected_pu, 0.0, 0.0), abs=1e-9)
    assert flow.export == (export / 2, 0j, 0j)


@given(export=powers, source_pu=sources)
def test_three_balanced_phases_are_the_quadratic_too_whatever_the_neutral(
    export: complex, source_pu: float
) -> None:
    with_neutral = grid(neutral_resistance_ohm=0.1, neutral_reactance_ohm=0.1)
    flow = Network(with_neutral).solve((source_pu,) * 3, export, NOTHING, NONE)
    expected_pu = closed_form_pu(source_pu, export / 3, 0.03 + 0.05j, V / sqrt(3))
    assert flow.volts == pytest.approx((expected_pu,) * 3, abs=1e-9)
    assert flow.export == pytest.approx((export / 3,) * 3)


def by_newton(
    source_pu: npt.ArrayLike, export: npt.ArrayLike, z_ohm: complex, zn_ohm: complex
) -> npt.NDArray[np.complex128]:
    """Phase voltages in V, from the whole impedance matrix, by Newton's method on real and imaginary parts."""
    phase_v = V / sqrt(3)
    source = np.asarray(source_pu) * phase_v * np.exp(-2j * np.pi / 3 * np.arange(3))
    matrix = z_ohm * np.eye(3) + zn_ohm * np.ones((3, 3))

    def miss(parts: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
        volts = parts[:3] + 1j * parts[3:]
        wrong = volts - source - matrix @ np.conj(np.asarray(export) / volts)
        return np.concatenate((wrong.real, wrong.imag))

    parts = np.concatenate((source.real, source.imag))
    for _ in range(20):
        slope = np.column_stack(
            [(miss(parts + step) - miss(parts - step)) / 2e-3 for step in np.eye(6) * 1e-3]
        )
        parts = parts - np.linalg.solve(slope, miss(parts))
    assert np.abs(miss(parts)).max() < 1e-6
    volts: npt.NDArray[np.complex128] = parts[:3] + 1j * parts[3:]
    return volts


@given(
    source_pu=st.tuples(sources, sources, sources),
    single=st.tuples(powers, powers, powers),
    load=st.tuples(watts, watts, watts),
)
def test_unbalanced_phases_and_their_neutral_agree_with_newton(
    source_pu: tuple[float, float, float],
    single: tuple[complex, complex, complex],
    load: tuple[float, float, float],
) -> None:
    single = single[0] / 3, single[1] / 3, single[2] / 3
    drawn = abs(load[0]) / 3 + 0j, abs(load[1]) / 3 + 0j, abs(load[2]) / 3 + 0j
    network = Network(grid(neutral_resistance_ohm=0.02, neutral_reactance_ohm=0.03))
    flow = network.solve(source_pu, 0j, single, drawn)
    export = np.array(single) - np.array(drawn)
    volts = by_newton(source_pu, export, 0.03 + 0.05j, 0.02 + 0.03j)
    assert np.array(flow.volts) * V / sqrt(3) == pytest.approx(np.abs(volts), abs=1e-5)
    assert np.array(flow.export) == pytest.approx(export)


def test_a_load_on_one_phase_lifts_another_through_the_neutral() -> None:
    load = (20_000 + 0j, 0j, 0j)
    volts = Network(grid(neutral_resistance_ohm=0.05)).solve(FLAT, 0j, NONE, load).volts
    assert volts[0] < 0.98
    assert max(volts[1:]) > 1.0
    apart = Network(grid()).solve(FLAT, 0j, NONE, load).volts
    assert apart[1:] == pytest.approx((1.0, 1.0))


@given(source_pu=st.tuples(sources, sources, sources), three=powers)
def test_a_three_phase_inverter_feeds_equal_currents(
    source_pu: tuple[float, float, float], three: complex
) -> None:
    flow = Network(grid()).solve(source_pu, three, NOTHING, NONE)
    amps = [abs(power) / volts for power, volts in zip(flow.export, flow.volts, strict=True)]
    assert amps == pytest.approx([amps[0]] * 3, abs=1e-4)
    assert sum(flow.export) == pytest.approx(three, abs=1e-4)


@given(export=powers)
def test_the_usual_approximation_holds_to_second_order(export: complex) -> None:
    rise_pu = (0.03 * export.real + 0.05 * export.imag) / V**2
    size_pu = abs(export) * abs(0.03 + 0.05j) / V**2
    flow = Network(grid()).solve(FLAT, export, NOTHING, NONE)
    assert abs(flow.volts[0] - 1.0 - rise_pu) <= 1.5 * size_pu**2 + 1e-9


def test_the_second_order_is_not_nothing_at_full_export() -> None:
    flow = Network(grid()).solve(FLAT, 150_000 + 0j, NOTHING, NONE)
    assert abs(flow.volts[0] - 1.0 - 0.03 * 150_000 / V**2) > 5e-4


def test_impedance_is_source_and_transformer_in_series() -> None:
    transformer = Transformer(va=150_000.0, r_pct=1.0, x_pct=3.0)
    both = grid(transformer=transformer)
    assert both.impedance_ohm == pytest.approx(0.03 + 0.05j + (0.01 + 0.03j) * V**2 / 150_000)
    strong = Grid(nominal_v=V, short_circuit_mva=10.0, x_over_r=3.0)
    assert abs(strong.impedance_ohm) == pytest.approx(V**2 / 10e6)
    assert strong.impedance_ohm.imag == pytest.approx(3 * strong.impedance_ohm.real)


@given(at_pu=st.floats(DEAD_PU, WEAK_PU, exclude_max=True))
def test_at_a_weak_voltage_loads_are_impedances_and_inverters_give_current(at_pu: float) -> None:
    stiff = Network(Grid(nominal_v=V))
    flow = stiff.solve((at_pu,) * 3, 30_000 + 6_000j, NOTHING, (9_000 + 3_000j,) * 3)
    share = at_pu / WEAK_PU
    assert flow.drawn == pytest.approx(((9_000 + 3_000j) * share**2,) * 3)
    assert flow.export[0] == pytest.approx((10_000 + 2_000j) * share - (9_000 + 3_000j) * share**2)


def test_an_open_conductor_carries_nothing_and_the_others_go_on() -> None:
    network = Network(grid())
    flow = network.solve((0.0, 1.0, 1.0), 30_000 + 0j, NOTHING, (9_000 + 0j,) * 3)
    assert flow.volts[0] == 0.0
    assert (flow.export[0], flow.drawn[0]) == (0j, 0j)
    assert flow.export[1] == pytest.approx(15_000 - 9_000, abs=0.01)
    assert network.solve((0.0,) * 3, 30_000 + 0j, NOTHING, (9_000 + 0j,) * 3).export == NONE
    again = network.solve(FLAT, 30_000 + 0j, NOTHING, (9_000 + 0j,) * 3)
    assert again.export == pytest.approx((1_000 + 0j,) * 3)


def test_the_way_to_a_solution_does_not_change_it() -> None:
    asked: Any = ((1.0, 0.97, 1.02), 40_000 + 5_000j, (0j, 9_000 + 0j, 0j), (20_000 + 4_000j, 0j, 1_000 + 0j))
    travelled = Network(grid(neutral_resistance_ohm=0.02))
    for source_pu in (0.3, 1.1, 0.0, 0.02):
        travelled.solve((source_pu, 1.0, source_pu), 70_000 + 0j, NOTHING, NONE)
    direct = Network(grid(neutral_resistance_ohm=0.02)).solve(*asked)
    assert travelled.solve(*asked).volts == pytest.approx(direct.volts, abs=1e-9)


def test_more_than_the_grid_can_carry_is_told() -> None:
    with pytest.raises(CollapseError, match="-3000000 W and 0 var out: they alone would move it by"):
        Network(grid()).solve(FLAT, 0j, NOTHING, (1_000_000 + 0j,) * 3)
