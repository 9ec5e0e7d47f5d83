"""Figures as a person reads them."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sim.amount import amount
from sim.expect import Bounds


@pytest.mark.parametrize(
    ("key", "value", "told"),
    [
        ("max_export_w", 35_330.0, "35.33 kW"),
        ("max_export_w", 37_000.0, "37 kW"),
        ("max_export_w", 999.94, "999.9 W"),
        ("max_export_w", 1_000.0, "1 kW"),
        ("mean_margin_w", -1_234.5, "-1.234 kW"),
        ("peak_over_w", 0.0, "0 W"),
        ("peak_over_w", -0.0, "0 W"),
        ("energy_over_wh", 0.000_31, "0.0003 Wh"),
        ("undershoot_pu", 0.000_04, "0 pu"),
        ("energy_over_wh", 12_345_678.0, "12350 kWh"),
        ("longest_excursion_s", 0.42, "0.42 s"),
        ("response_s", math.inf, "never"),
        ("harvest_pu", 0.987_64, "0.9876 pu"),
        ("response_ratio", 1.25, "1.25"),
        ("trips", 0, "0"),
        ("events.trip", 3, "3"),
        ("writes", 123_456, "123456"),
        ("during[0].output_w", 25_500.0, "25.5 kW"),
    ],
)
def test_a_figure_has_its_unit_and_no_exponent(key: str, value: float, told: str) -> None:
    assert amount(key, value) == told


@given(st.floats(-1e12, 1e12))
def test_no_figure_has_an_exponent(value: float) -> None:
    assert "e" not in amount("export_w", value)


@pytest.mark.parametrize(
    ("bounds", "told"),
    [
        (Bounds(most=37_000.0), "at most 37 kW"),
        (Bounds(least=500.0), "at least 500 W"),
        (Bounds(least=500.0, most=2_000.0), "500 W to 2 kW"),
        (Bounds(least=0.0, most=0.0), "0 W"),
    ],
)
def test_bounds_have_units_too(bounds: Bounds, told: str) -> None:
    assert bounds.told("output_w") == told
