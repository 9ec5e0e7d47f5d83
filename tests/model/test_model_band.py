"""Bands: each end rounded to less, never looser than what is held, told apart by either end."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edge.model.band import Band
from edge.model.site import Der

PLAIN = {
    "name": "x",
    "uri": "u",
    "profile": "p",
    "nameplate_w": 1_000.0,
    "dead_time_s": 0.1,
    "slope_pct_per_s": 100.0,
}
PV = Der.model_validate(PLAIN)
CELL = Der.model_validate({**PLAIN, "kind": "storage", "charge_w": 600.0})


@pytest.mark.parametrize(
    ("limit_w", "floor_w", "band"),
    [
        (500.9, 0.0, (500.0, 0.0)),
        (500.0, -300.9, (500.0, -300.0)),
        (2_000.0, -2_000.0, (1_000.0, -600.0)),
        (-100.5, -300.0, (-101.0, -300.0)),
        (-100.5, -100.5, (-100.0, -100.0)),
        (-400.0, -300.0, (-300.0, -300.0)),
        (-1.0, 5.0, (0.0, 0.0)),
        (0.3 * 1_000.0, 0.0, (300.0, 0.0)),
    ],
)
def test_a_command_is_rounded_to_less_and_where_the_ends_cross_less_is_absorbed(
    limit_w: float, floor_w: float, band: tuple[float, float]
) -> None:
    assert Band.commanded(limit_w, floor_w, CELL) == band


def test_what_only_generates_has_no_floor() -> None:
    assert Band.commanded(-5.0, -300.0, PV) == (0.0, 0.0)
    assert Band.whole(PV) == (1_000.0, 0.0)
    assert Band.whole(CELL) == (1_000.0, -600.0)
    assert Band.whole(Der.model_validate({**PLAIN, "kind": "storage"})) == (1_000.0, -1_000.0)


@given(st.floats(-2e3, 2e3), st.floats(-2e3, 2e3), st.floats(-600, 1e3), st.floats(-600, 0))
@settings(max_examples=200, deadline=None, derandomize=True, database=None)
def test_a_band_is_a_band_and_the_first_write_loosens_neither_end(
    limit_w: float, floor_w: float, held_limit_w: float, held_floor_w: float
) -> None:
    told = Band.commanded(limit_w, floor_w, CELL)
    assert -600 <= told.floor_w <= min(0.0, told.limit_w) <= 1_000
    assert told.floor_w >= min(0.0, floor_w) - 1e-6
    assert told.limit_w <= max(limit_w, told.floor_w) + 1e-6
    first = told.within(Band(held_limit_w, held_floor_w))
    assert first.floor_w <= min(0.0, first.limit_w)
    assert first.floor_w >= max(told.floor_w, held_floor_w)
    assert first.limit_w <= max(min(told.limit_w, held_limit_w), first.floor_w)
    assert told.within(None) == told


def test_either_end_tightens_and_differs() -> None:
    band = Band(100.0, -50.0)
    assert not band.tightens(None)
    assert not band.tightens(band)
    assert not Band(101.0, -51.0).tightens(band)
    assert Band(99.0, -51.0).tightens(band)
    assert Band(101.0, -49.0).tightens(band)
    assert not band.differs(Band(101.0, -51.0), 1.0)
    assert band.differs(Band(101.1, -50.0), 1.0)
    assert band.differs(Band(100.0, -51.1), 1.0)


@pytest.mark.parametrize("key", ["charge_w = 5.0", "soc_full_pct = 90.0", 'operation = "setpoint"'])
def test_what_is_said_of_storage_is_said_of_storage_only(key: str) -> None:
    name, _, value = key.partition(" = ")
    given_value: object = value.strip('"') if value.startswith('"') else float(value)
    with pytest.raises(ValueError, match='is for kind = "storage"'):
        Der.model_validate({**PLAIN, name: given_value})
    assert Der.model_validate({**PLAIN, "kind": "storage", name: given_value}).most_charge_w > 0


def test_storage_has_no_permission_that_goes_with_its_limit() -> None:
    """Its driver writes a band and would leave the permission as it is."""
    with pytest.raises(ValueError, match="storage is told a band"):
        Der.model_validate({**PLAIN, "kind": "storage", "told_zero": "keeps_minimum"})
    assert Der.model_validate({**PLAIN, "told_zero": "keeps_minimum"}).kind == "pv"
    assert Der.model_validate({**PLAIN, "kind": "storage", "told_zero": "stops"}).kind == "storage"
