"""Voltage and frequency trip of many units: eight definite-time elements each (IEEE 1547-2018 6.4.1, 6.5.1)."""

from __future__ import annotations

import numpy as np

from sim.der.arrays import SLACK_S, Flags, Floats, Quantity, any_of
from sim.der.settings import SettingsBank

HIGH_VOLTAGE, LOW_VOLTAGE = ("OV2", "OV1"), ("UV2", "UV1")
HIGH_FREQUENCY, LOW_FREQUENCY = ("OF2", "OF1"), ("UF2", "UF1")


class TripBank:
    """A timer runs while its quantity is beyond the threshold, starts at zero, and forgets all on return."""

    def __init__(self, settings: SettingsBank, count: int, dt_s: float) -> None:
        self._settings = settings
        self._dt_s = dt_s
        self.timer_s: Floats = np.zeros((8, count))
        self._beyond: Flags = np.zeros((8, count), dtype=bool)
        self.picked_up = False
        self.take()

    def take(self) -> None:
        """Take the thresholds and times from the settings."""
        voltages = [self._settings.numbers(f"{name}_TRIP_V") for name in HIGH_VOLTAGE + LOW_VOLTAGE]
        frequencies = [self._settings.numbers(f"{name}_TRIP_F") for name in HIGH_FREQUENCY + LOW_FREQUENCY]
        names = HIGH_VOLTAGE + LOW_VOLTAGE + HIGH_FREQUENCY + LOW_FREQUENCY
        self.threshold: Floats = np.array([*voltages, *frequencies])
        self._time_s: Floats = (
            np.array([self._settings.numbers(f"{name}_TRIP_T") for name in names]) - SLACK_S
        )
        self.quiet_v = float(self.threshold[2:4].max()), float(self.threshold[0:2].min())
        self.quiet_hz = float(self.threshold[6:8].max()), float(self.threshold[4:6].min())

    def step(self, energised: Flags, v_low_pu: Quantity, v_high_pu: Quantity, hz: Quantity) -> Flags:
        """Let one time step pass; the units that trip."""
        beyond, threshold = self._beyond, self.threshold
        np.greater(v_high_pu, threshold[0:2], out=beyond[0:2])
        np.less(v_low_pu, threshold[2:4], out=beyond[2:4])
        np.greater(hz, threshold[4:6], out=beyond[4:6])
        np.less(hz, threshold[6:8], out=beyond[6:8])
        np.logical_and(beyond, energised, out=beyond)
        self.timer_s = np.where(beyond, self.timer_s + self._dt_s, 0.0)
        self.picked_up = any_of(beyond)
        due: Flags = beyond & (self.timer_s >= self._time_s)
        return np.asarray(due.any(axis=0))
