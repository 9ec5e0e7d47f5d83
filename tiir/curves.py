"""Piecewise linear curves of voltage regulation: volt-var (5.3.3) and volt-watt (5.4.2)."""

from __future__ import annotations

from bisect import bisect_left
from dataclasses import dataclass

from tiir.setting import TiirError
from tiir.values import Values, number


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


def volt_var(settings: Values) -> Curve:
    """Reactive power in per unit of rated apparent power, injection positive, over voltage in per unit of nominal.

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


def _point(settings: Values, abscissa: str, ordinate: str) -> tuple[float, float]:
    x, y = number(settings.get(abscissa)), number(settings.get(ordinate))
    if x is None or y is None:
        raise TiirError(f"the curve needs {abscissa if x is None else ordinate}")
    return x, y
