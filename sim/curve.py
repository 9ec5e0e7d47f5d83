"""Piecewise-linear curves of many units at once: volt-var, volt-watt, watt-var."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]

MAX_POINTS = 8


class CurveBank:
    """One curve for each unit, flat beyond its ends; the vectorised form of `tiir.curves.Curve`.

    `enabled` and `response_s` (to 90 %, in s) are kept here for those who use the curve; `changes` counts the
    curves set so far.
    """

    def __init__(self, enabled: Flags) -> None:
        count = len(enabled)
        self.enabled = enabled
        self.response_s: Floats = np.zeros(count)
        self.changes = 0
        self._segments = 1
        self._first: Floats = np.zeros(count)
        self._x: Floats = np.zeros((MAX_POINTS - 1, count))
        self._width: Floats = np.zeros((MAX_POINTS - 1, count))
        self._slope: Floats = np.zeros((MAX_POINTS - 1, count))
        self._jump: Floats = np.zeros((MAX_POINTS - 1, count))
        self._jumps = False

    def set(self, unit: int, points: Sequence[tuple[float, float]], response_s: float) -> None:
        """Give `unit` the curve through `points` (x ascending) and a response time in s (to 90 %)."""
        padded = np.array([*points, *([points[-1]] * (MAX_POINTS - len(points)))])
        self.set_all(padded[:, :1], padded[:, 1:], np.array([unit]))
        self.response_s[unit] = response_s

    def set_all(self, x: Floats, y: Floats, units: npt.NDArray[np.intp] | None = None) -> None:
        """Give `units` (default all) the curves through points `x`, `y` of shape (points, units)."""
        at = slice(None) if units is None else units
        rows, width, rise = len(x) - 1, np.diff(x, axis=0), np.diff(y, axis=0)
        slope = np.divide(rise, width, out=np.zeros_like(width), where=width > 0)
        self._first[at] = y[0]
        for array, given in ((self._x, x[:-1]), (self._width, width), (self._slope, slope)):
            array[:rows, at] = given
        self._jump[:rows, at] = np.where(width > 0, 0.0, rise)
        self._jumps = bool(self._jump.any())
        self._segments = max(self._segments, rows)
        self.changes += 1

    def at(self, x: float | Floats) -> Floats:
        """Where each curve stands at `x`; where two points share an abscissa, the left one counts there."""
        rows = self._segments
        beyond = x - self._x[:rows]
        inside = np.minimum(np.maximum(beyond, 0.0), self._width[:rows])
        value: Floats = self._first + (self._slope[:rows] * inside).sum(axis=0)
        return value + (self._jump[:rows] * (beyond > 0)).sum(axis=0) if self._jumps else value
