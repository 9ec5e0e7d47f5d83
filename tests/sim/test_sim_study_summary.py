"""The summary of a study, by hand."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st
from study_files import tiny_plan

from sim.study.job import Row
from sim.study.store import schema
from sim.study.summary import Measure, Summary, summarise


def ran(site: int, **metrics: float) -> Row:
    usual: Row = {
        "nameplate_w": 50_000.0, "longest_excursion_s": 0.0, "peak_over_w": 0.0, "energy_over_wh": 0.0,
        "response_s": None, "harvest_pu": 1.0, "mean_margin_w": 100.0, "trips": 0, "fallbacks": 0, "lost_sensing": 0,
    }  # fmt: skip
    return {"site": site, "seed": 0, "outcome": "ran", **usual, **metrics}


def failed(outcome: str, reason: str, site: int = 99) -> Row:
    return {"site": site, "seed": 0, "outcome": outcome, "reason": reason}


@pytest.fixture
def columns(tmp_path: Path) -> pa.Schema:
    return schema(tiny_plan(tmp_path))


def of(rows: list[Row], columns: pa.Schema) -> Summary:
    return summarise(pa.Table.from_pylist(rows, columns))


def test_counts_and_reasons_with_the_numbers_of_the_first(columns: pa.Schema) -> None:
    rows = [
        ran(0, longest_excursion_s=2.0),
        ran(1, longest_excursion_s=2.01, trips=3),
        ran(2, longest_excursion_s=31.0, fallbacks=1, lost_sensing=1),
        failed("refused", "guard.element[0].delay_s: 0.74 s above 2.0 s"),
        failed("refused", "guard.element[1].delay_s: 1.5e-3 s above 2.0 s", site=7),
        failed("error", "ValueError: -3 is wrong"),
    ]
    found = of(rows, columns)
    assert found.outcomes == {"ran": 3, "refused": 2, "error": 1}
    assert found.refused == {"guard.element[1].delay_s: 1.5e-3 s above 2.0 s": 2}, (
        "sites as they are numbered"
    )
    assert found.errors == {"ValueError: -3 is wrong": 1}
    assert (found.above_2_s, found.above_30_s) == (2, 1), "two seconds themselves are within the bound"
    assert (found.with_trip, found.with_fallback, found.with_lost_sensing) == (1, 1, 1)
    assert found.tripped.tolist() == [False, True, False]


def test_measures_are_of_the_nameplate(columns: pa.Schema) -> None:
    found = of(
        [ran(0, peak_over_w=5_000.0, energy_over_wh=10.0, harvest_pu=0.93, mean_margin_w=500.0)], columns
    )
    at = {measure.key: measure.at(0.5) for measure in found.measures}
    assert at["peak_over_pct"] == pytest.approx(10.0)
    assert at["energy_over_wh_per_kw"] == pytest.approx(0.2)
    assert at["harvest_pct"] == pytest.approx(93.0)
    assert at["mean_margin_pct"] == pytest.approx(1.0)
    assert at["response_s"] is None, "there was no step"


def test_a_response_that_never_ended_is_the_worst_and_none_is_none(columns: pa.Schema) -> None:
    rows = [ran(0, response_s=1.0), ran(1, response_s=math.inf), ran(2), ran(3, response_s=0.0)]
    response = next(one for one in of(rows, columns).measures if one.key == "response_s")
    assert response.values.size == 3
    assert (response.at(0.5), response.at(1.0)) == (1.0, math.inf)


def test_nothing_ran(columns: pa.Schema) -> None:
    found = of([], columns)
    assert found.ran == 0
    assert {measure.at(0.5) for measure in found.measures} == {None}


@given(
    values=st.lists(st.floats(0, 1e6), min_size=1, max_size=200), share=st.sampled_from([0.5, 0.9, 0.99, 1.0])
)
def test_at_least_the_share_of_runs_is_no_worse_and_the_figure_is_one_of_them(
    values: list[float], share: float
) -> None:
    found = np.array(values)
    high, low = (
        Measure("x", "x", "s", found).at(share),
        Measure("x", "x", "s", found, worst_low=True).at(share),
    )
    assert high is not None
    assert low is not None
    assert {high, low} <= set(values)
    least = share * len(values)
    assert (found <= high).sum() >= least
    assert (found >= low).sum() >= least
