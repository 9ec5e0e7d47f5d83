"""Connection and enter service of many units: off at once, back after a delay, by a ramp or at random."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from sim.der.arrays import SLACK_S, Flags, Floats, Quantity, any_of
from sim.der.settings import SettingsBank
from sim.files.unit import Unit

RANDOM_BELOW_VA = 500e3
"""Only smaller units may enter service at random instead of by a ramp (4.10.3 c, exception 1)."""


class ServiceBank:
    """Enter service after IEEE 1547-2018 4.10: window, delay without a break, then ramp or random delay.

    `permit` is 703 ES, `connect` 123 Conn; both and a grid on the terminals are needed.
    """

    def __init__(self, units: Sequence[Unit], settings: SettingsBank, dt_s: float, seed: int) -> None:
        count = len(units)
        self._dt_s, self._seed = dt_s, seed
        self.permit: Flags = settings.flags("ES_PERMIT_SERVICE")
        self.connect: Flags = np.ones(count, dtype=bool)
        self.delay_s, self.ramp_s = settings.numbers("ES_DELAY"), settings.numbers("ES_RAMP_RATE")
        self.v_low_pu, self.v_high_pu = settings.numbers("ES_V_LOW"), settings.numbers("ES_V_HIGH")
        self.hz_low, self.hz_high = settings.numbers("ES_F_LOW"), settings.numbers("ES_F_HIGH")
        self._random_s = settings.numbers("ES_RANDOMIZED_DELAY")
        self._small = np.array([unit.nameplate_w * unit.va_rating_pu < RANDOM_BELOW_VA for unit in units])
        self.on: Flags = np.ones(count, dtype=bool)
        self.ceiling_pu: Floats = np.ones(count)
        self._waited_s: Floats = np.zeros(count)
        self._extra_s: Floats = np.full(count, np.nan)
        self._draws = np.zeros(count, dtype=np.uint64)

    def step(
        self, allowed: Flags, trips: Flags, v_low_pu: Quantity, v_high_pu: Quantity, hz: Quantity
    ) -> None:
        """Let one time step pass; `trips` put units off, `allowed` ones may come back."""
        self.on = self.on & allowed & ~trips
        waiting = allowed & ~self.on & ~trips & self._in_window(v_low_pu, v_high_pu, hz)
        self._waited_s = np.where(waiting, self._waited_s + self._dt_s, 0.0)
        self._extra_s = np.where(waiting, self._extra_s, np.nan)
        ready = waiting & (self._waited_s >= self.delay_s - SLACK_S)
        if any_of(ready):
            self._draw(ready & np.isnan(self._extra_s))
            self.on = self.on | (ready & (self._waited_s >= self.delay_s + self._extra_s - SLACK_S))
        rise = np.where(self.ramp_s > 0, self._dt_s / np.maximum(self.ramp_s, SLACK_S), 1.0)
        self.ceiling_pu = np.where(self.on, np.minimum(1.0, self.ceiling_pu + rise), 0.0)

    def settle(self, allowed: Flags) -> None:
        """Put the `allowed` units in service as if they had been for long, the others off."""
        self.on = allowed.copy()
        self.ceiling_pu = np.where(allowed, 1.0, 0.0)
        self._waited_s = np.zeros(len(allowed))

    def remaining_s(self, unit: int) -> float:
        """Time in s that the enter-service delay of `unit` still runs; 0 in service."""
        if self.on[unit]:
            return 0.0
        extra_s = float(np.nan_to_num(self._extra_s[unit]))
        return max(0.0, float(self.delay_s[unit]) + extra_s - float(self._waited_s[unit]))

    def _in_window(self, v_low_pu: Quantity, v_high_pu: Quantity, hz: Quantity) -> Flags:
        v_good = (self.v_low_pu <= v_low_pu) & (v_high_pu <= self.v_high_pu)
        window: Flags = v_good & (self.hz_low <= hz) & (hz <= self.hz_high)
        return window

    def _draw(self, due: Flags) -> None:
        """Draw the random delay of the units whose fixed one is over; 0 for those that ramp."""
        random_s: Floats = np.where(self._small & (self.ramp_s == 0), self._random_s, 0.0)
        self._draws = self._draws + due.astype(np.uint64)
        units = np.arange(len(due), dtype=np.uint64)
        self._extra_s = np.where(due, random_s * uniform(self._seed, units, self._draws), self._extra_s)


def uniform(seed: int, units: npt.NDArray[np.uint64], draws: npt.NDArray[np.uint64]) -> Floats:
    """A number in [0, 1) for each unit's draw; the same whichever other units there are (SplitMix64)."""
    bits = _mixed(_mixed(_mixed(np.full(len(units), seed, dtype=np.uint64)) + units) + draws)
    return (bits >> np.uint64(11)).astype(np.float64) * 2.0**-53


def _mixed(bits: npt.NDArray[np.uint64]) -> npt.NDArray[np.uint64]:
    """The finaliser of SplitMix64 (Steele, Lea, Flood 2014), modulo 2^64."""
    bits = bits + np.uint64(0x9E3779B97F4A7C15)
    bits = (bits ^ (bits >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    bits = (bits ^ (bits >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return bits ^ (bits >> np.uint64(31))
