"""Pictures of a study say what they show: units on every axis, bounds by name, what is off the scale in words."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from matplotlib.axes import Axes

from sim.plots import study as pictures
from sim.plots import style
from sim.study.feeder import Sections
from sim.study.file import Feeder
from sim.study.summary import Measure, Summary


@pytest.fixture
def drawn(monkeypatch: pytest.MonkeyPatch) -> list[Axes]:
    """The axes of the last picture, after it was written."""
    kept: list[Axes] = []
    real = style.picture

    @contextmanager
    def keep(*arguments: Any, **options: Any) -> Iterator[list[Axes]]:
        with real(*arguments, **options) as axes:
            kept[:] = axes
            yield axes

    monkeypatch.setattr(style, "picture", keep)
    return kept


def summary(longest_s: list[float], response_s: list[float]) -> Summary:
    runs = len(longest_s)

    def measure(key: str, values: list[float]) -> Measure:
        return Measure(key, key.replace("_", " "), "s", np.array(values, dtype=float))

    measures = (
        measure("longest_excursion_s", longest_s),
        measure("peak_over_pct", [10.0] * runs),
        measure("energy_over_wh_per_kw", [0.1] * runs),
        measure("response_s", response_s),
        measure("harvest_pct", [99.0] * runs),
    )
    tripped = np.arange(runs) % 2 == 1
    return Summary({"ran": runs}, Counter(), Counter(), measures, 0, 0, tripped, 0, 0)


def sections(net_w: int, gross_w: int) -> Sections:
    zeros = np.zeros((2, 90), dtype=np.int64)
    feeder = Feeder(sites=2, event="common", from_s=30)
    limits_w, lone_w = np.array([1e3, 1e3]), np.array([gross_w, gross_w])
    return Sections(feeder, limits_w, np.array([1e5, 1e5]), zeros + net_w, zeros + gross_w, lone_w, 0)


def texts(axes: Axes) -> str:
    return "\n".join(text.get_text() for text in axes.texts)


def test_every_panel_has_its_units_and_the_bounds_are_named(tmp_path: Path, drawn: list[Axes]) -> None:
    pictures.draw_study(
        tmp_path / "a.png", "asks", "about", summary([0.0, 0.5, 1.5, 40.0], [0.0, 1.0, math.inf, 2.0])
    )
    assert all(axes.get_xlabel() and axes.get_ylabel() and axes.get_title(loc="left") for axes in drawn)
    length, peak, response, _ = drawn
    assert "2 s bound" in texts(length)
    assert "30 s bound" in texts(length)
    assert "1 of 4 runs stayed at the limit" in texts(length)
    assert "1 never came back" in texts(response)
    legend = peak.get_legend()
    assert legend is not None
    assert [text.get_text() for text in legend.get_texts()] == [
        "2 runs without a trip",
        "2 runs with a trip",
    ]


def test_the_curve_is_the_share_of_runs_that_are_longer(tmp_path: Path, drawn: list[Axes]) -> None:
    pictures.draw_study(tmp_path / "a.png", "asks", "about", summary([0.0, 3.0, 1.0, 2.0], [1.0] * 4))
    curve = drawn[0].lines[0]
    assert np.asarray(curve.get_xdata()).tolist() == [0.05, 1.0, 2.0, 3.0]
    assert np.asarray(curve.get_ydata()).tolist() == [0.75, 0.75, 0.5, 0.25]


@pytest.mark.parametrize("values", [[], [0.0, 0.0], [math.inf]])
def test_runs_with_nothing_to_draw_are_drawn(tmp_path: Path, drawn: list[Axes], values: list[float]) -> None:
    pictures.draw_study(tmp_path / "a.png", "asks", "about", summary([0.5] * 3, values))
    assert (tmp_path / "a.png").stat().st_size > 10_000


def test_a_feeder_names_what_planning_counts_on(tmp_path: Path, drawn: list[Axes]) -> None:
    pictures.draw_feeder(tmp_path / "f.png", "asks", "about", sections(net_w=500, gross_w=2000))
    curves, worst = drawn
    assert all(axes.get_xlabel() and axes.get_ylabel() and axes.get_title(loc="left") for axes in drawn)
    assert "99.9 % of the minutes stay below 2 % (gross)" in texts(curves)
    assert np.asarray(worst.lines[0].get_xdata())[0] == 30, "the time of the run, what was left out counted"


def test_net_that_is_off_the_picture_is_told(tmp_path: Path, drawn: list[Axes]) -> None:
    pictures.draw_feeder(tmp_path / "f.png", "asks", "about", sections(net_w=-50_000, gross_w=100))
    assert "net stays below -50 %, off the picture" in texts(drawn[1])
