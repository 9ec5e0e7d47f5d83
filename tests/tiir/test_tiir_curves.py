"""Volt-var and volt-watt at, just beside and between their points."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tiir import profile
from tiir.curves import Curve, volt_var, volt_watt
from tiir.setting import TiirError
from tiir.values import Value


def required(name: str) -> dict[str, Value]:
    loaded = profile.shipped(name)
    return profile.required(loaded, loaded.der(rated_va=20e3))


def volt_var_b(v_pu: float) -> float:
    """Category B by another road: one clamped slope on each side of the dead band."""
    over, under = max(0.0, v_pu - 1.02), max(0.0, 0.98 - v_pu)
    return 0.44 * (min(under / 0.06, 1.0) - min(over / 0.06, 1.0))


def volt_watt_b(v_pu: float) -> float:
    return min(1.0, max(0.0, (1.10 - v_pu) / 0.04))


DENSE = sorted(
    {
        corner + offset
        for corner in (0.92, 0.98, 1.0, 1.02, 1.06, 1.08, 1.1)
        for offset in (-1e-3, -1e-9, 0.0, 1e-9, 1e-3)
    }
    | {0.5 + i / 1000 for i in range(900)}
)


def test_dense_across_every_corner() -> None:
    q, p = volt_var(required("irec-2023-inverter")), volt_watt(required("irec-2023-inverter"))
    assert DENSE[0] < 0.92
    assert DENSE[-1] > 1.10
    for v_pu in DENSE:
        assert q(v_pu) == pytest.approx(volt_var_b(v_pu), abs=1e-9)
        assert p(v_pu) == pytest.approx(volt_watt_b(v_pu), abs=1e-9)


def test_category_a_has_no_dead_band() -> None:
    q = volt_var(required("irec-2023-rotating"))
    assert [q(v) for v in (0.5, 0.9, 0.95, 1.0, 1.05, 1.1, 1.5)] == pytest.approx(
        [0.25, 0.25, 0.125, 0.0, -0.125, -0.25, -0.25]
    )


def test_a_jump_takes_its_left_value() -> None:
    step = Curve(((1.0, 5.0), (1.0, 2.0)))
    assert [step(x) for x in (0.9, 1.0, 1.0 + 1e-12, 1.1)] == [5.0, 5.0, 2.0, 2.0]


@given(st.lists(st.tuples(st.floats(-2, 2), st.floats(-2, 2)), min_size=1, max_size=6), st.floats(-3, 3))
def test_never_outside_its_points_and_exact_at_its_ends(points: list[tuple[float, float]], x: float) -> None:
    curve = Curve(tuple(sorted(points, key=lambda point: point[0])))
    heights = [y for _, y in points]
    assert min(heights) - 1e-9 <= curve(x) <= max(heights) + 1e-9
    assert curve(-10.0) == curve.points[0][1]
    assert curve(10.0) == curve.points[-1][1]


def test_points_out_of_order_or_missing_are_refused() -> None:
    with pytest.raises(TiirError, match="left to right"):
        Curve(((1.0, 0.0), (0.9, 1.0)))
    with pytest.raises(TiirError, match="PV_CURVE_P1"):
        volt_watt({"PV_CURVE_V1": 1.06})
