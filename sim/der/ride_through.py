"""Voltage and frequency ride-through of many units (IEEE 1547-2018 6.4.2 tables 14-16, 6.5.2 table 19)."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from sim.der.arrays import SLACK_S, Codes, Flags, Floats, Quantity
from sim.der.settings import SettingsBank
from sim.der.status import Status
from sim.files.unit import Unit

CONTINUOUS_V = (0.88, 1.10)
CONTINUOUS_HZ = (58.8, 61.2)
CEASE_ABOVE_V = 1.20
PERMISSIVE_BELOW_V = {"I": 0.70, "II": 0.65, "III": 0.0}
CEASE_BELOW_V = {"I": 0.50, "II": 0.30, "III": 0.0}
"""Category III has momentary cessation in place of both: 0 is never undercut."""

_MANDATORY, _PERMISSIVE, _MOMENTARY, _CEASE = (
    np.int8(status)
    for status in (Status.MANDATORY, Status.PERMISSIVE, Status.MOMENTARY_CESSATION, Status.CEASE)
)


class RideThroughBank:
    """Which mode the grid puts a unit into, and whether it is to give no current."""

    def __init__(self, units: Sequence[Unit], settings: SettingsBank, dt_s: float) -> None:
        self._settings = settings
        self._dt_s = dt_s
        count = len(units)
        category = [unit.abnormal_category for unit in units]
        self._permissive_below: Floats = np.array([PERMISSIVE_BELOW_V[name] for name in category])
        self._cease_below: Floats = np.array([CEASE_BELOW_V[name] for name in category])
        permissive = np.array([name != "III" for name in category])
        self._high_code: Codes = np.where(permissive, Status.PERMISSIVE, Status.MANDATORY).astype(np.int8)
        self._momentary_s: Floats = np.array([unit.ride_through.momentary_s for unit in units]) - SLACK_S
        self._cease_s: Floats = np.array([unit.ride_through.cease_s for unit in units]) - SLACK_S
        self._response_s: Floats = np.zeros((2, count))
        self._restore_s: Floats = np.array([unit.ride_through.restore_s for unit in units]) - SLACK_S
        self._stop_s: Floats = np.zeros((2, count))
        self._back_s: Floats = np.full(count, np.inf)
        self.blocked: Flags = np.zeros(count, dtype=bool)
        self.take()

    def take(self) -> None:
        """Take from the settings how fast a unit stops.

        Where momentary cessation is on, a voltage that calls for cease to energize has passed its threshold.
        """
        passed = self._settings.flags("MC_ENABLE")
        cease_s = np.where(passed, np.minimum(self._momentary_s, self._cease_s), self._cease_s)
        self._response_s = np.array([self._momentary_s, cease_s])

    def mode(self, v_low_pu: Quantity, v_high_pu: Quantity, hz: Quantity) -> Codes:
        """The most severe mode that voltage and frequency call for, CONTINUOUS to CEASE."""
        low, high = np.less(v_low_pu, CONTINUOUS_V[0]), np.greater(v_high_pu, CONTINUOUS_V[1])
        off_hz = np.less(hz, CONTINUOUS_HZ[0]) | np.greater(hz, CONTINUOUS_HZ[1])
        beyond = np.less_equal(v_low_pu, self._settings.numbers("MC_LVRT_V1")) | np.greater_equal(
            v_high_pu, self._settings.numbers("MC_HVRT_V1")
        )
        momentary = self._settings.flags("MC_ENABLE") & (low | high) & beyond
        ceases = (np.less(v_low_pu, self._cease_below) & ~momentary) | np.greater(v_high_pu, CEASE_ABOVE_V)
        mode = np.maximum((low | off_hz) * _MANDATORY, high * self._high_code)
        mode = np.maximum(mode, np.less(v_low_pu, self._permissive_below) * _PERMISSIVE)
        mode = np.maximum(mode, momentary * _MOMENTARY)
        worst: Codes = np.maximum(mode, ceases * _CEASE)
        return worst

    def step(self, mode: Codes) -> Flags:
        """Let one time step pass in `mode`; the units that give no current."""
        stops = np.array([mode == _MOMENTARY, mode == _CEASE])
        self._stop_s = np.where(stops, self._stop_s + self._dt_s, 0.0)
        stopping = stops.any(axis=0)
        self._back_s = np.where(stopping, 0.0, self._back_s + self._dt_s)
        blocks = (stops & (self._stop_s >= self._response_s)).any(axis=0)
        returns = ~stopping & (self._back_s >= self._restore_s)
        self.blocked = blocks | (self.blocked & ~returns)
        return self.blocked
