"""The grid of plants: all of it, thinned evenly, and what one plant answers."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from pathlib import Path

import pytest

from sim.plots.stability import draw_map
from sim.stability.answer import Answer, answer
from sim.stability.bench import Bench, Case, plant
from sim.stability.grid import Cell, Unheard, Unit, fast, grid, mixed, profiles, thinned, unheard
from sim.stability.judge import Figures


def test_it_has_all_plants_of_the_design_once() -> None:
    assert len(grid()) == len(set(grid())) == 1500
    assert len(fast()) == 48


@pytest.mark.parametrize("thin", [1, 7, 50])
def test_thinned_it_is_a_part_and_the_same_again(thin: int) -> None:
    cells = thinned(grid(), thin)
    assert cells == thinned(grid(), thin)
    assert len(cells) == -(-1500 // thin)
    assert set(cells) <= set(grid())
    assert min(Counter(cell.limit_pu for cell in cells).values()) >= len(cells) / 6


def test_profiles_are_exact_or_off_by_up_to_two() -> None:
    cells = thinned(grid(), 10)
    assert {wrong for _, wrong in profiles(cells, wrong=False)} == {(1.0, 1.0)}
    factors = [factor for _, wrong in profiles(cells, wrong=True) for factor in wrong]
    assert 0.5 <= min(factors) < 0.6
    assert 1.8 < max(factors) <= 2.0


def test_plants_of_several_ders_and_those_with_one_lost() -> None:
    assert len(mixed()) == len(set(mixed())) == 48
    assert len(unheard()) == len(set(unheard())) == 4 * 48
    for cell in (*mixed(), *unheard()):
        assert sum(unit.share for unit in cell.units) == pytest.approx(1.0)
        assert 3 <= len(cell.units) <= 5
        assert not cell.fast
        lost_pu = cell.units[-1].share * (1.0 - max(0.0, cell.limit_pu)) if cell.early else 0.0
        assert (
            cell.high_load_pu + cell.limit_pu < 1.0 - lost_pu
        )  # all together can hold the limit before the drop


def test_each_der_of_a_plant_is_as_its_unit_says() -> None:
    cell = Cell(0.5, 0.2, 0.5, 20.0, 0.25, (Unit(0.1, None, 0.4), Unit(2.0, 5.0, 0.1)))
    sim, site = plant(Case(cell, wrong=(2.0, 0.5)))
    real = [(unit.nameplate_w, unit.dead_time_s, unit.slope_pct_s, unit.lag_s) for unit in sim.inverter]
    assert real == [
        pytest.approx((50_000.0, 1.0, 10.0, 0.0)),
        pytest.approx((40_000.0, 0.2, 1e6, 2.0)),
        pytest.approx((10_000.0, 4.0, 2.5, 0.0)),
    ]
    told = [(der.nameplate_w, der.dead_time_s, der.slope_pct_per_s) for der in site.der]
    assert told == [
        pytest.approx((50_000.0, 0.5, 20.0)),
        pytest.approx((40_000.0, 0.1, 90.0)),
        pytest.approx((10_000.0, 2.0, 5.0)),
    ]
    safe_w = [der.reversion.safe_w for der in site.der if der.reversion is not None]
    assert safe_w == pytest.approx([12_500.0, 10_000.0, 2_500.0])


@pytest.mark.parametrize("early", [True, False])
@pytest.mark.parametrize("how", Unheard)
def test_a_der_that_is_lost_hears_nothing_from_then_on(how: Unheard, *, early: bool) -> None:
    """It stays where it is until its reversion timer has run out, whatever the load does; then it makes its share."""
    cell = Cell(0.5, 0.2, 0.5, 20.0, 0.25, (Unit(0.5, 20.0, 0.2),), how, early=early)
    bench = Bench(Case(cell))
    step_s = bench.load_to(0.1)
    bench.loop.run(30.0)
    from_s = step_s - 40.0 if early else step_s
    lost_w = bench.loop.truth.between(from_s, step_s + 5.0).inverter_w[:, -1]
    assert lost_w.min() == pytest.approx(lost_w.max())
    assert lost_w.max() == pytest.approx(5_000.0) if early else lost_w.max() > 15_000.0
    assert bench.loop.truth.inverter_w[-1, -1] == pytest.approx(5_000.0)


def test_several_ders_are_held_as_the_clairvoyant_holds_them() -> None:
    others = (Unit(1.0, 20.0, 0.3), Unit(2.0, 20.0, 0.2))
    found = answer("drop", Case(Cell(0.5, 0.2, 0.1, 100.0, 0.25, others)))
    assert found.best.response_s > 0.5
    assert found.ratio <= 1.1
    assert found.oscillation_pu <= 0.02
    assert not found.undershoots


@pytest.mark.parametrize(
    ("cell", "wrong", "noise_pu", "most"),
    [
        (Cell(0.5, 0.2, 0.5, 100.0, 0.25), (1.0, 1.0), 0.002, 1.1),
        (Cell(1.0, 1.0, 0.5, 20.0, 0.25), (1.98, 1.65), 0.002, 1.1),  # it was taken for the weather: 2.9
        (Cell(0.2, 0.0, 2.0, 20.0, -0.05), (1.24, 0.51), 0.002, 1.1),  # dead time and slope are off apart: 11
        (Cell(0.2, 0.0, 2.0, None, 0.25), (0.5, 1.26), 0.002, 1.1),  # twice as quick, it seemed a rise: 2.1
        (Cell(0.5, 0.0, 0.5, None, 0.0), (0.5, 2.0), 0.02, 1.5),
    ],
)
def test_a_drop_is_answered_as_the_clairvoyant_does(
    cell: Cell, wrong: tuple[float, float], noise_pu: float, most: float
) -> None:
    found = answer("drop", Case(cell, noise_pu, wrong))
    assert found.best.response_s > 0.5
    assert found.ratio <= most
    assert found.oscillation_pu <= 0.02
    assert not found.undershoots
    assert found.bounds["limit + 0.5 %"].judged
    assert not found.bounds["limit + 0.5 %"].outlasts
    assert 0.0 < found.margin_pu <= max(0.01, 4 * noise_pu)


def test_a_second_drop_may_come_before_the_first_was_heard_of() -> None:
    found = answer("second-drop", Case(Cell(2.0, 1.0, 0.1, 100.0, 0.0), seed=7))
    assert 0.5 < found.best.response_s < 4.0
    assert found.ratio <= 1.5


def test_the_map_is_drawn_with_what_there_is(tmp_path: Path) -> None:
    judged = Figures(2.2, 0.0, 0.0, 2.0, 2.0, 0.0)
    drawn = Answer(Case(Cell(0.5, 0.0, 0.1, 100.0, 0.0)), judged, replace(judged, response_s=2.0), 0.006)
    draw_map(tmp_path / "map.png", "map", "one plant", [drawn])
    assert (tmp_path / "map.png").stat().st_size > 10_000
