"""What abnormal voltages and frequencies ask, across every edge of the tables."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tiir.complete import complete
from tiir.ride_through import Category, Mode, Region, frequency_region, mode_in_force, voltage_region
from tiir.setting import Der
from tiir.trip import Grid
from tiir.values import Values

C, M, P, MC, OFF = Mode.CONTINUOUS, Mode.MANDATORY, Mode.PERMISSIVE, Mode.MOMENTARY_CESSATION, Mode.CEASE

# Typed in by hand: voltage, then mode and seconds. Either side of every edge.
HIGH_I_II = [
    (1.1, C, None),
    (1.1001, P, 1.0),
    (1.15, P, 1.0),
    (1.1501, P, 0.5),
    (1.175, P, 0.5),
    (1.1751, P, 0.2),
    (1.2, P, 0.2),
    (1.2001, OFF, 0.0),
]
TABLE: dict[Category, list[tuple[float, Mode, float | None]]] = {
    "I": [
        *HIGH_I_II,
        (0.88, C, None),
        (0.8799, M, 0.7 + 4 * 0.1799),
        (0.8, M, 1.1),
        (0.7, M, 0.7),
        (0.6999, P, 0.16),
        (0.5, P, 0.16),
        (0.4999, OFF, 0.0),
        (0.0, OFF, 0.0),
    ],
    "II": [
        *HIGH_I_II,
        (0.88, C, None),
        (0.8799, M, 3 + 8.7 * 0.2299),
        (0.75, M, 3.87),
        (0.65, M, 3.0),
        (0.6499, P, 0.32),
        (0.45, P, 0.32),
        (0.4499, P, 0.16),
        (0.3, P, 0.16),
        (0.2999, OFF, 0.0),
        (0.0, OFF, 0.0),
    ],
    "III": [
        (1.1, C, None),
        (1.1001, MC, 12.0),
        (1.2, MC, 12.0),
        (1.2001, OFF, 0.0),
        (0.88, C, None),
        (0.8799, M, 20.0),
        (0.7, M, 20.0),
        (0.6999, M, 10.0),
        (0.5, M, 10.0),
        (0.4999, MC, 1.0),
        (0.0, MC, 1.0),
    ],
}
ROWS = [(category, *row) for category, rows in TABLE.items() for row in rows]


def settings(category: Category, **given: bool | float) -> Values:
    return complete(given, Der(normal="B", abnormal=category))


def balanced(v_pu: float, f_hz: float = 60.0) -> Grid:
    return Grid(v_pu, v_pu, f_hz)


@pytest.mark.parametrize(("category", "v_pu", "mode", "seconds"), ROWS)
def test_voltage(category: Category, v_pu: float, mode: Mode, seconds: float | None) -> None:
    region = voltage_region(category, balanced(v_pu))
    assert region.mode is mode
    assert region.seconds == (None if seconds is None else pytest.approx(seconds))


@pytest.mark.parametrize(
    ("f_hz", "mode", "seconds"),
    [
        (60.0, C, None),
        (61.2, C, None),
        (61.2001, M, 299.0),
        (61.8, M, 299.0),
        (61.8001, Mode.NONE, 0.0),
        (58.8, C, None),
        (58.7999, M, 299.0),
        (57.0, M, 299.0),
        (56.9999, Mode.NONE, 0.0),
    ],
)
def test_frequency(f_hz: float, mode: Mode, seconds: float | None) -> None:
    assert frequency_region(f_hz) == Region(mode, seconds)


@pytest.mark.parametrize(
    ("category", "low", "high", "expected"),
    [
        ("I", 0.6, 1.16, Region(P, 0.16)),
        ("I", 0.8, 1.16, Region(P, 0.5)),
        ("I", 0.4, 1.16, Region(OFF, 0.0)),
        ("III", 0.4, 1.15, Region(MC, 1.0)),
        ("III", 0.6, 1.15, Region(MC, 12.0)),
        ("III", 0.6, 1.25, Region(OFF, 0.0)),
    ],
)
def test_unbalanced_asks_for_the_more_severe_and_then_the_shorter(
    category: Category, low: float, high: float, expected: Region
) -> None:
    assert voltage_region(category, Grid(low, high, 60.0)) == expected


@pytest.mark.parametrize(
    ("given", "v_pu", "mode"),
    [
        ({}, 0.5, MC),
        ({}, 0.5001, M),
        ({"MC_LVRT_V1": 0.6}, 0.6, MC),
        ({"MC_LVRT_V1": 0.3}, 0.4, M),
        ({"MC_LVRT_V1": 0.88}, 0.88, C),
        ({}, 1.1, C),
        ({}, 1.1001, MC),
        ({"MC_HVRT_V1": 1.15}, 1.149, M),
        ({"MC_HVRT_V1": 1.15}, 1.15, MC),
        ({}, 1.2, MC),
        ({}, 1.2001, OFF),
        ({"MC_ENABLE": False}, 0.4, M),
        ({"MC_ENABLE": False}, 1.15, M),
    ],
)
def test_momentary_cessation_is_where_its_thresholds_say(
    given: dict[str, bool | float], v_pu: float, mode: Mode
) -> None:
    assert mode_in_force(settings("III", **given), "III", balanced(v_pu)) is mode


def test_categories_one_and_two_cease_only_where_their_tables_say() -> None:
    assert mode_in_force(settings("II"), "II", balanced(0.4)) is P
    assert mode_in_force(settings("II", MC_ENABLE=True), "II", balanced(0.4)) is MC
    assert mode_in_force(settings("I"), "I", balanced(0.4)) is OFF


@pytest.mark.parametrize(
    ("v_pu", "f_hz", "mode"),
    [
        (1.0, 61.5, M),
        (1.0, 62.5, Mode.NONE),
        (0.8, 62.5, Mode.NONE),
        (0.4, 62.5, MC),
        (1.25, 56.0, OFF),
        (0.8, 61.5, M),
        (1.0, 60.0, C),
    ],
)
def test_voltage_comes_before_frequency(v_pu: float, f_hz: float, mode: Mode) -> None:
    assert mode_in_force(settings("III"), "III", balanced(v_pu, f_hz)) is mode


@given(
    category=st.sampled_from(["I", "II", "III"]),
    low=st.floats(0.0, 1.5),
    high=st.floats(0.0, 1.5),
    f_hz=st.floats(50, 66),
)
def test_somewhere_is_always_one_of_the_modes_and_never_milder_than_the_table(
    category: Category, low: float, high: float, f_hz: float
) -> None:
    seen = Grid(min(low, high), max(low, high), f_hz)
    now = mode_in_force(settings(category), category, seen)
    region = voltage_region(category, seen)
    assert (now is C) <= (region.mode is C)
    assert (region.seconds is None) is (region.mode is C)
    if region.mode is OFF:
        assert now is OFF
