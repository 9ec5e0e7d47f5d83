"""Piecewise-linear curves of many units at once: volt-var, volt-watt, watt-var."""

from __future__ import annotations

import numpy as np

from sim.der.arrays import Flags, Floats, Quantity


class CurveBank:
    """One curve for each unit, flat beyond its ends; the vectorised form of `tiir.curves.Curve`.

    Attributes:
        enabled: Units whose function is on, for those who use the curves.
    """

    def __init__(self, enabled: Flags) -> None:
        self.enabled = enabled
        self.set(np.zeros((2, len(enabled))), np.zeros((2, len(enabled))))

    def set(self, x: Floats, y: Floats) -> None:
        """Lead the curves through the points `x` (ascending), `y`, both of shape (points, units)."""
        rise = np.diff(y, axis=0)
        self._first = y[0]
        self._x: Floats = x[:-1]
        self._width: Floats = np.diff(x, axis=0)
        wide = self._width > 0
        self._slope: Floats = np.divide(rise, self._width, out=np.zeros_like(rise), where=wide)
        self._jump: Floats = np.where(wide, 0.0, rise)
        self._jumps = bool(self._jump.any())

    def at(self, x: Quantity) -> Floats:
        """Where each curve stands at `x`; where two points share an abscissa, the left one counts there."""
        beyond = x - self._x
        inside = np.minimum(np.maximum(beyond, 0.0), self._width)
        value: Floats = self._first + (self._slope * inside).sum(axis=0)
        return value + (self._jump * (beyond > 0)).sum(axis=0) if self._jumps else value
