"""A first-order lag of many units that has covered 90 % of a step after its response time."""

from __future__ import annotations

from math import log

import numpy as np

from sim.der.arrays import Flags, Floats, Quantity

_TIME_CONSTANTS_TO_90_PCT = log(10.0)


def keep(response_s: Quantity, dt_s: float) -> Floats:
    """What is left after `dt_s` of the distance to the target."""
    tau_s = np.asarray(response_s, dtype=float) / _TIME_CONSTANTS_TO_90_PCT
    kept: Floats = np.exp(-dt_s / np.maximum(tau_s, 1e-12))
    return kept


class Lag:
    """The open-loop response of IEEE 1547-2018 5.3.3, 5.4.2 and 6.5.2.7.

    Exact for an input that runs straight from sample to sample, so that the time step hardly matters.
    """

    def __init__(self, response_s: Floats, dt_s: float, start: Floats) -> None:
        self._dt_s = dt_s
        self.value = start.copy()
        self.before = start.copy()
        self.take(response_s)

    def take(self, response_s: Floats) -> None:
        """Respond in `response_s` from now on; 0 follows at once."""
        tau_steps = np.asarray(response_s, dtype=float) / _TIME_CONSTANTS_TO_90_PCT / self._dt_s
        self._keep = keep(response_s, self._dt_s)
        mean = tau_steps * (1.0 - self._keep)
        self._now, self._before = 1.0 - mean, mean - self._keep

    def step(self, target: Floats) -> Floats:
        """Advance by one time step, at whose end the input is `target`; the lagged answer."""
        self.value = self._keep * self.value + self._now * target + self._before * self.before
        self.before = target
        return self.value

    def put(self, where: Flags, start: Quantity) -> None:
        """Start again from rest at `start` in the units marked by `where`."""
        self.value = np.where(where, start, self.value)
        self.before = np.where(where, start, self.before)
