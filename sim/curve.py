"""Piecewise-linear volt-var and volt-watt curves of many units at once, with an open-loop response time."""

from __future__ import annotations

from collections.abc import Sequence
from math import log

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]

MAX_POINTS = 8
_TIME_CONSTANTS_TO_90_PCT = log(10.0)


class CurveBank:
    """One curve for each unit; a disabled one answers with its neutral value.

    The response is a first-order lag that has covered 90 % of a step after the open-loop response time
    (IEEE 1547-2018 5.3.3, 5.4.2).
    """

    def __init__(self, count: int, neutral: float) -> None:
        self.enabled = np.zeros(count, dtype=bool)
        self.value = np.full(count, neutral)
        self._neutral = neutral
        self._tau_s = np.full(count, 1e-9)
        self._first = np.full(count, neutral)
        self._x = np.zeros((count, MAX_POINTS - 1))
        self._width = np.zeros((count, MAX_POINTS - 1))
        self._slope = np.zeros((count, MAX_POINTS - 1))

    def set(self, unit: int, points: Sequence[tuple[float, float]], response_s: float) -> None:
        """Give `unit` the curve through `points` (x ascending) and a response time in s (to 90 %)."""
        padded = [*points, *([points[-1]] * (MAX_POINTS - len(points)))]
        x, y = np.array(padded).T
        width = np.diff(x)
        self._first[unit] = y[0]
        self._x[unit], self._width[unit] = x[:-1], width
        self._slope[unit] = np.divide(np.diff(y), width, out=np.zeros_like(width), where=width > 0)
        self._tau_s[unit] = max(response_s / _TIME_CONSTANTS_TO_90_PCT, 1e-9)

    def at(self, x: Floats) -> Floats:
        """Where each curve stands at `x`, without the lag; flat beyond its ends."""
        inside = np.minimum(np.maximum(x[:, None] - self._x, 0.0), self._width)
        value: Floats = self._first + (self._slope * inside).sum(axis=1)
        return value

    def step(self, x: Floats, dt_s: float) -> Floats:
        """Advance by `dt_s` with input `x`; the lagged answer."""
        target = np.where(self.enabled, self.at(x), self._neutral)
        self.value = self.value + (target - self.value) * -np.expm1(-dt_s / self._tau_s)
        return self.value
