"""The figures of a run, on traces made by hand."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import numpy.typing as npt
import pytest

from edge.model.commands import Event
from sim.files.script import ScriptEvent
from sim.metrics import Bearings, Metrics, measure, raising_steps
from sim.truth import Trio, Truth

LIMIT_W, NAMEPLATE_W, DT_S = 2_000.0, 10_000.0, 0.1
Floats = npt.NDArray[np.float64]


def trace(output_w: Floats, load_w: float | Floats, available_w: float = 10_000.0) -> Truth:
    count = len(output_w)
    t_s = DT_S * np.arange(1, count + 1, dtype=np.float64)
    load = np.broadcast_to(np.asarray(load_w, dtype=float), (count,)).copy()
    return Truth(
        t_s,
        output_w - load,
        load,
        output_w[:, None],
        np.ones(count, dtype=bool),
        np.ones(count, dtype=bool),
        (),
        np.full(count, available_w),
    )


def figures(
    truth: Truth,
    steps_s: tuple[tuple[float, float], ...] = (),
    fault_s: float | None = None,
    events: tuple[Event, ...] = (),
    unmanaged_w: float = 0.0,
) -> Metrics:
    known = Bearings(LIMIT_W, NAMEPLATE_W, unmanaged_w, steps_s, fault_s)
    return measure(truth, events, 7, known)


class TestBeside:
    """Excursions of phases and of apparent power, on ten rows of 0.1 s."""

    def figures(self, phases_w: list[Trio], phases_var: list[Trio] | None = None, **limits: float) -> Metrics:
        w = np.array(phases_w)
        var = np.zeros_like(w) if phases_var is None else np.array(phases_var)
        truth = replace(trace(w.sum(axis=1), 0.0), phase_w=w, phase_var=var)
        known = replace(Bearings(1e9, 9_000.0, 0.0, (), None, phases="abc"), **limits)  # type: ignore[arg-type]
        return measure(truth, (), 0, known)

    def test_without_limits_there_are_none(self) -> None:
        done = self.figures([(9e9, 0.0, 0.0)] * 10)
        assert (done.phase_excursions, done.va_excursions) == (0, 0)

    @pytest.mark.parametrize(("above_w", "counted"), [(15.0, 0), (15.1, 1)])
    def test_a_phase_has_the_band_of_its_part(self, above_w: float, counted: int) -> None:
        """Half a percent of a third of 9 kW, while the total is an import."""
        over = (-5_000.0, 1_000.0 + above_w, -5_000.0)
        done = self.figures([(0.0, 0.0, 0.0)] * 5 + [over] * 3 + [(0.0, 0.0, 0.0)] * 2, phase_limit_w=1_000.0)
        assert done.phase_excursions == counted
        assert done.longest_phase_excursion_s == pytest.approx(0.3 * counted)
        assert done.peak_over_phase_w == pytest.approx(above_w * counted)

    def test_phases_count_apart(self) -> None:
        rows = [(2_000.0, 0.0, 3_000.0)] * 4 + [(0.0, 0.0, 3_000.0)] * 6
        done = self.figures(rows, phase_limit_w=1_000.0)
        assert done.phase_excursions == 2
        assert done.longest_phase_excursion_s == pytest.approx(1.0)
        assert done.peak_over_phase_w == pytest.approx(2_000.0)
        assert self.figures(rows, phases="ab", phase_limit_w=1_000.0).phase_excursions == 1  # type: ignore[arg-type]

    @pytest.mark.parametrize(("var", "counted"), [(1_389.0, 0), (1_391.0, 1), (-1_391.0, 1)])
    def test_apparent_power_of_the_total(self, var: float, counted: int) -> None:
        """1.5 kW beside the sum of the phases' var, over 2 kVA and the band of 45."""
        rows = [(500.0, 500.0, 500.0)] * 10
        done = self.figures(rows, [(var, var, -var)] * 10, limit_va=2_000.0)
        assert done.va_excursions == counted
        assert done.peak_over_va == pytest.approx(counted * (np.hypot(1_500.0, var) - 2_000.0))
        assert done.longest_va_excursion_s == pytest.approx(1.0 * counted)

    @pytest.mark.parametrize(("power_w", "counted"), [(-2_000.0, 0), (45.0, 0), (45.1, 1)])
    def test_reactive_power_alone_is_no_export(self, power_w: float, counted: int) -> None:
        done = self.figures([(power_w, 0.0, 0.0)] * 10, [(9_000.0, 0.0, 0.0)] * 10, limit_va=2_000.0)
        assert done.va_excursions == counted

    def test_apparent_power_of_a_phase(self) -> None:
        rows, flows = [(300.0, 0.0, 0.0)] * 10, [(400.0, 900.0, 0.0)] * 10
        assert self.figures(rows, flows, phase_limit_va=480.0).va_excursions == 1
        assert self.figures(rows, flows, phase_limit_va=490.0).va_excursions == 0


def test_energies_and_harvest() -> None:
    done = figures(trace(np.full(600, 5_000.0), 4_000.0))
    assert done.generated_wh == pytest.approx(5_000 / 60)
    assert done.available_wh == pytest.approx(10_000 / 60)
    assert done.permitted_wh == pytest.approx(6_000 / 60)
    assert done.harvest_pu == pytest.approx(5 / 6)
    assert done.mean_margin_w == pytest.approx(1_000.0)
    assert done.writes == 7


def test_what_is_made_above_the_limit_is_no_harvest() -> None:
    done = figures(trace(np.full(600, 9_000.0), 4_000.0))
    assert done.harvest_pu == pytest.approx(1.0)
    assert done.peak_over_w == pytest.approx(3_000.0)
    assert done.excursions == 1
    assert done.longest_excursion_s == pytest.approx(60.0)
    assert done.energy_over_wh == pytest.approx(3_000 / 60)


def test_a_site_without_sun_misses_nothing() -> None:
    done = figures(trace(np.zeros(600), 4_000.0, available_w=0.0))
    assert done.harvest_pu == 1.0
    assert done.mean_margin_w == 0.0


@pytest.mark.parametrize(("above_w", "counted"), [(49.9, 0), (50.1, 1)])
def test_an_excursion_begins_half_a_percent_of_nameplate_above_the_limit(
    above_w: float, counted: int
) -> None:
    output_w = np.full(600, 5_000.0)
    output_w[300:310] = 4_000.0 + LIMIT_W + above_w
    assert figures(trace(output_w, 4_000.0)).excursions == counted


def test_safe_is_what_cannot_exceed_the_limit_without_load() -> None:
    output_w = np.full(600, 9_000.0)
    output_w[300:] = 2_000.0
    truth = trace(output_w, 8_000.0)
    assert figures(truth, fault_s=20.0).safe_after_s == pytest.approx(10.1)
    assert figures(truth, fault_s=40.0).safe_after_s == pytest.approx(0.0, abs=0.1)
    assert figures(truth, fault_s=20.0, unmanaged_w=1_000.0).safe_after_s == math.inf
    assert figures(truth).safe_after_s is None


def test_undershoot_is_what_falls_below_the_permitted_after_a_step() -> None:
    load_w = np.full(600, 6_000.0)
    load_w[300:] = 4_000.0
    output_w = np.where(np.arange(600) < 300, 7_900.0, 5_900.0)
    steady = figures(trace(output_w, load_w), steps_s=((30.0, 60.0),))
    assert steady.undershoot_pu == pytest.approx(0.0)
    deep_w = output_w.copy()
    deep_w[310:330] = 4_900.0
    assert figures(trace(deep_w, load_w), steps_s=((30.0, 60.0),)).undershoot_pu == pytest.approx(0.1)


def test_oscillation_is_what_export_swings_beyond_the_load() -> None:
    t_s = DT_S * np.arange(600)
    swing_w = 500.0 * np.sin(2 * np.pi * t_s / 20.0)
    assert figures(trace(5_000.0 + swing_w, 4_000.0)).oscillation_pu == pytest.approx(0.1, rel=0.02)
    assert figures(trace(np.full(600, 5_000.0), 4_000.0 + swing_w)).oscillation_pu == pytest.approx(0.0)


def test_the_worst_response_counts_and_one_that_never_ends_is_infinite() -> None:
    load_w = np.full(600, 6_000.0)
    load_w[200:] = 4_000.0
    output_w = np.where(np.arange(600) < 220, 7_900.0, 5_900.0)
    done = figures(trace(output_w, load_w), steps_s=((20.0, 60.0),))
    assert done.response_s == pytest.approx(2.9, abs=0.2)
    assert figures(trace(np.full(600, 7_900.0), load_w), steps_s=((20.0, 60.0),)).response_s == math.inf
    assert figures(trace(output_w, load_w)).response_s is None


def test_events_are_counted_by_kind() -> None:
    told = (
        Event("trip", 1.0, "target lost-sensing"),
        Event("trip", 2.0, "target 32, lost-sensing"),
        Event("trip", 3.0, "target 32"),
        Event("fallback", 1.0, ""),
        Event("fallback-end", 2.0, ""),
    )
    done = figures(trace(np.zeros(10), 0.0), events=told)
    assert (done.trips, done.lost_sensing, done.fallbacks) == (3, 2, 1)


def test_only_what_raises_export_is_a_step_and_it_is_judged_until_the_next_event() -> None:
    script = [
        ScriptEvent(at_s=10.0, load_step_w=500.0),
        ScriptEvent(at_s=30.0, load_step_w=-500.0),
        ScriptEvent(at_s=20.0, load_step_w=-500.0),
        ScriptEvent(at_s=40.0, sun_pu=1.0),
    ]
    assert raising_steps(script, 50.0) == ((20.0, 30.0), (30.0, 40.0), (40.0, 50.0))
    assert raising_steps([], 50.0) == ()
