"""Piecewise linear curves: volt-var (5.3.3), watt-var (5.3.4) and volt-watt (5.4.2)."""

from __future__ import annotations

from bisect import bisect_left
from dataclasses import dataclass

from tiir.known import amount
from tiir.setting import TiirError
from tiir.values import Values


@dataclass(frozen=True, slots=True)
class Curve:
    """Points from left to right; flat beyond the ends.

    Two points may share an abscissa: the curve jumps there, and its value at the jump is the left one.
    """

    points: tuple[tuple[float, float], ...]

    def __post_init__(self) -> None:
        abscissae = [x for x, _ in self.points]
        if not self.points or abscissae != sorted(abscissae):
            raise TiirError(f"a curve's points must run from left to right, not {self.points}")

    def __call__(self, x: float) -> float:
        """The ordinate at `x`."""
        right = bisect_left(self.points, x, key=lambda point: point[0])
        if right == len(self.points):
            return self.points[-1][1]
        x1, y1 = self.points[right]
        if right == 0 or x == x1:
            return y1
        x0, y0 = self.points[right - 1]
        return y0 + (y1 - y0) * (x - x0) / (x1 - x0)

    def shifted(self, by: float) -> Curve:
        """The same curve, moved to the right by `by`."""
        return Curve(tuple((x + by, y) for x, y in self.points))


def volt_var(settings: Values) -> Curve:
    """Reactive power in per unit of rated apparent power, injection positive, over voltage in per unit of nominal.

    The points are those for the reference voltage as set; see `tiir.vref` for one that adjusts itself.

    Raises:
        TiirError: When a point of the curve is not among `settings`.
    """
    return Curve(tuple(_point(settings, f"QV_CURVE_V{i}", f"QV_CURVE_Q{i}") for i in (1, 2, 3, 4)))


def volt_watt(settings: Values) -> Curve:
    """Limit of active power in per unit of rated active power over voltage in per unit of nominal.

    Raises:
        TiirError: When a point of the curve is not among `settings`.
    """
    return Curve(tuple(_point(settings, f"PV_CURVE_V{i}", f"PV_CURVE_P{i}") for i in (1, 2)))


def watt_var(settings: Values) -> Curve:
    """Reactive power in per unit of rated apparent power over active power in per unit of its rating.

    Active power below zero is charging, per unit of the charging rating. An absorbing side of three zeros is
    none: the curve is then flat below the first generating point.

    Raises:
        TiirError: When a point of the curve is not among `settings`.
    """
    load = [_point(settings, f"QP_CURVE_P{i}_LOAD", f"QP_CURVE_Q{i}_LOAD") for i in (3, 2, 1)]
    generating = [_point(settings, f"QP_CURVE_P{i}_GEN", f"QP_CURVE_Q{i}_GEN") for i in (1, 2, 3)]
    return Curve(tuple([*load, *generating] if any(x for x, _ in load) else generating))


def _point(settings: Values, abscissa: str, ordinate: str) -> tuple[float, float]:
    return amount(settings, abscissa), amount(settings, ordinate)
