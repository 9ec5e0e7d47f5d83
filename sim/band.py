"""The band that a storage unit's firmware keeps (124): charging and discharging each limited, or forced, by a rate."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from sim.reversion_timers import Floats, ReversionTimers

CHARGE, DISCHARGE = 1, 2
"""Bits of StorCtl_Mod: which of the two rates is in force."""


@dataclass(frozen=True, slots=True)
class BandWrite:
    """What one write changes; None leaves a value as it is. Rates are of nameplate; a negative one forces the other way."""

    mode: int | None = None
    charge_pu: float | None = None
    discharge_pu: float | None = None
    revert_after_s: float | None = None


class BandBank:
    """The bands of many units, at first as wide as what each can take and give.

    When the timer runs out without a write both rates are released: 124 fails open.
    """

    def __init__(self, charge_pu: Floats, discharge_pu: Floats) -> None:
        count = len(charge_pu)
        self.mode = np.zeros(count, dtype=int)
        self.charge_pu: Floats = charge_pu.copy()
        self.discharge_pu: Floats = discharge_pu.copy()
        self.revert_after_s: Floats = np.zeros(count)
        self._timers = ReversionTimers(count)
        self._low_pu: Floats = np.full(count, -np.inf)
        self._high_pu: Floats = np.full(count, np.inf)
        self._acts = False

    def write(self, unit: int, change: BandWrite) -> None:
        """Apply a write and restart the unit's timer; it runs only while a rate is in force."""
        for name in BandWrite.__slots__:
            value = getattr(change, name)
            if value is not None:
                getattr(self, name)[unit] = value
        self._timers.start(unit, self.revert_after_s[unit] if self.mode[unit] else 0.0)
        self._take()

    def step(self, dt_s: float) -> None:
        """Let `dt_s` pass; timers that run out release."""
        expired = self._timers.expired(dt_s)
        if expired is not None:
            self.mode = np.where(expired, 0, self.mode)
            self._take()

    def held(self, wish_pu: Floats) -> Floats:
        """What each unit is told that would do `wish_pu` by itself; where the ends cross, discharging gives way."""
        if not self._acts:
            return wish_pu
        held: Floats = np.minimum(np.maximum(wish_pu, self._low_pu), self._high_pu)
        return held

    def _take(self) -> None:
        self._low_pu = np.where(self.mode & CHARGE, -self.charge_pu, -np.inf)
        self._high_pu = np.where(self.mode & DISCHARGE, self.discharge_pu, np.inf)
        self._acts = bool(self.mode.any())
