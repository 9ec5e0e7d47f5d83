"""Frequency droop of many units (IEEE 1547-2018 6.5.2.7)."""

from __future__ import annotations

import numpy as np

from sim.der.arrays import Flags, Floats, Quantity, any_of, greatest, least
from sim.der.lag import Lag
from sim.der.settings import SettingsBank

NOMINAL_HZ = 60.0
ENDED_PU = 1e-3
"""A response is over once the frequency is back and the output within this of what it would be without."""


class DroopBank:
    """Active power as a straight line over frequency beyond a deadband, from the power before the disturbance.

    Droop has precedence over the active power limit (IEEE 1547.1-2020 5.16, tables 38 and 39): output may exceed
    what limits it by the rise that droop asks for, as far as it has come in the response time, and only by that;
    a limit that is lowered meanwhile acts at once. After the frequency's return output goes back in the response
    time to what it would be without droop; sun above what is given changes nothing.
    """

    def __init__(self, settings: SettingsBank, p_min_pu: Floats, dt_s: float) -> None:
        count = len(p_min_pu)
        self._settings = settings
        self._p_min_pu = p_min_pu
        self.lag = Lag(settings.numbers("PF_OLRT"), dt_s, np.zeros(count))
        self._rise_lag = Lag(settings.numbers("PF_OLRT"), dt_s, np.zeros(count))
        self._off: Flags = np.zeros(count, dtype=bool)
        self._over = self._under = self._active = self._off
        self._before_pu: Floats = np.zeros(count)
        self._excess_pu: Floats = np.zeros(count)
        self.acts = False
        self.take()

    def take(self) -> None:
        """Take deadbands, slopes and response time from the settings."""
        numbers, enabled = self._settings.numbers, self._settings.flags("PF_MODE_ENABLE")
        self._above_hz: Floats = np.where(enabled, NOMINAL_HZ + numbers("PF_DBOF"), np.inf)
        self._below_hz: Floats = np.where(enabled, NOMINAL_HZ - numbers("PF_DBUF"), -np.inf)
        self._pu_per_hz_over: Floats = 1.0 / (NOMINAL_HZ * numbers("PF_KOF"))
        self._pu_per_hz_under: Floats = 1.0 / (NOMINAL_HZ * numbers("PF_KUF"))
        self._quiet_hz = greatest(self._below_hz), least(self._above_hz)
        self.lag.take(numbers("PF_OLRT"))
        self._rise_lag.take(numbers("PF_OLRT"))

    def near(self, hz: Quantity) -> bool:
        """Whether any unit responds, or is about to at `hz`."""
        low, high = self._quiet_hz
        return self.acts or not (low <= least(hz) and greatest(hz) <= high)

    def step(
        self,
        hz: Quantity,
        in_service: Flags,
        base_pu: Floats,
        last_base_pu: Floats,
        p_pu: Floats,
        available_pu: Floats,
    ) -> Floats:
        """Let one time step pass; the power asked for.

        Args:
            hz: Frequency.
            in_service: Units in service; the others do not respond.
            base_pu: Power without droop now.
            last_base_pu: The same one step ago.
            p_pu: Power given in the last step.
            available_pu: What sun or battery give, the most that droop asks for.
        """
        over, under = in_service & (hz > self._above_hz), in_service & (hz < self._below_hz)
        starts = (over & ~self._over) | (under & ~self._under)
        self._before_pu = np.where(starts, p_pu, self._before_pu)
        self._excess_pu = np.where(starts, np.maximum(p_pu - last_base_pu, 0.0), self._excess_pu)
        beyond = over | under
        self.lag.put(starts & ~self._active, last_base_pu)
        self._rise_lag.put(~(self._active | beyond), 0.0)
        target, rise = self._target(hz, over, under, base_pu, available_pu)
        lagged = self.lag.step(target)
        risen = self._rise_lag.step(np.where(beyond, self._excess_pu + rise, 0.0))
        ended = ~beyond & (np.abs(lagged - base_pu) < ENDED_PU)
        self._over, self._under = over, under
        self._active = beyond | (self._active & ~ended & in_service)
        self.acts = any_of(self._active)
        asked: Floats = np.where(self._active, np.minimum(lagged, base_pu + risen), base_pu)
        return asked

    def _target(
        self, hz: Quantity, over: Flags, under: Flags, base_pu: Floats, available_pu: Floats
    ) -> tuple[Floats, Floats]:
        """What the droop asks for without its lag (6.5.2.7, table 23), and its rise."""
        fall = (hz - np.where(over, self._above_hz, hz)) * self._pu_per_hz_over
        rise: Floats = (np.where(under, self._below_hz, hz) - hz) * self._pu_per_hz_under
        low = np.maximum(self._before_pu - fall, np.minimum(self._p_min_pu, self._before_pu))
        high = np.minimum(self._before_pu + rise, available_pu)
        target: Floats = np.where(over, low, np.where(under, high, base_pu))
        return target, rise
