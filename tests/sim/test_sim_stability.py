"""The grid of plants: all of it, thinned evenly, and what one plant answers."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from pathlib import Path

import pytest

from sim.plots.stability import draw_map
from sim.stability.answer import Answer, answer
from sim.stability.bench import Case
from sim.stability.grid import Cell, fast, grid, profiles, thinned
from sim.stability.judge import Figures


def test_it_has_all_plants_of_the_design_once() -> None:
    assert len(grid()) == len(set(grid())) == 1500
    assert len(fast()) == 48


@pytest.mark.parametrize("thin", [1, 7, 50])
def test_thinned_it_is_a_part_and_the_same_again(thin: int) -> None:
    cells = thinned(thin)
    assert cells == thinned(thin)
    assert len(cells) == -(-1500 // thin)
    assert set(cells) <= set(grid())
    assert min(Counter(cell.limit_pu for cell in cells).values()) >= len(cells) / 6


def test_profiles_are_exact_or_off_by_up_to_two() -> None:
    cells = thinned(10)
    assert {wrong for _, wrong in profiles(cells, wrong=False)} == {(1.0, 1.0)}
    factors = [factor for _, wrong in profiles(cells, wrong=True) for factor in wrong]
    assert 0.5 <= min(factors) < 0.6
    assert 1.8 < max(factors) <= 2.0


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
    assert found.bounded
    assert not found.outlasts
    assert 0.0 < found.margin_pu <= max(0.01, 4 * noise_pu)


def test_the_map_is_drawn_with_what_there_is(tmp_path: Path) -> None:
    judged = Figures(2.2, 0.0, 0.0, 2.0, 0.0)
    drawn = Answer(Case(Cell(0.5, 0.0, 0.1, 100.0, 0.0)), judged, replace(judged, response_s=2.0), 0.006)
    draw_map(tmp_path / "map.png", "map", "one plant", [drawn])
    assert (tmp_path / "map.png").stat().st_size > 10_000
