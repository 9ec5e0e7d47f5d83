"""The active power limit as an inverter's firmware keeps it: percent, enable and reversion timer."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

import numpy as np

from sim.quirks import Quirk
from sim.reversion_timers import Flags, Floats, ReversionTimers


@dataclass(frozen=True, slots=True)
class LimitWrite:
    """What one write changes; None leaves a value as it is. Fractions are of the WMax setting."""

    enabled: bool | None = None
    cap_pu: float | None = None
    revert_enabled: bool | None = None
    revert_cap_pu: float | None = None
    revert_after_s: float | None = None


class LimitBank:
    """The limits of many units: what their registers hold, and what of it is in force.

    One rule covers both generations of models: when the timer runs out without a write, the enable and the
    percent take their reversion values. Model 704 chooses them (`WMaxLimPctEnaRvrt`, `WMaxLimPctRvrt`);
    model 123 has none, so its enable falls to 0 and the unit returns to full power. A unit's quirks part
    what is in force from what the registers show.
    """

    def __init__(self, count: int, quirks: Sequence[Collection[Quirk]] = ()) -> None:
        self.wmax_pu: Floats = np.ones(count)
        self.enabled: Flags = np.zeros(count, dtype=bool)
        self.cap_pu: Floats = np.ones(count)
        self.revert_enabled: Flags = np.zeros(count, dtype=bool)
        self.revert_cap_pu: Floats = np.ones(count)
        self.revert_after_s: Floats = np.zeros(count)
        self.in_force_pu: Floats = np.ones(count)
        self._timers = ReversionTimers(count)
        self._quirks = [frozenset(of_unit) for of_unit in quirks] or [frozenset()] * count
        self._lapses_silently: Flags = np.array(
            [Quirk.REVERSION_LAPSES_SILENTLY in of_unit for of_unit in self._quirks]
        )
        self._ignores: Flags = np.array([Quirk.LIMIT_IGNORED in of_unit for of_unit in self._quirks])

    def write(self, unit: int, change: LimitWrite) -> None:
        """Apply a write and restart the unit's reversion timer; it runs only while the limit is enabled."""
        taken = self._takes_over(unit, change)
        for name in LimitWrite.__slots__:
            value = getattr(change, name)
            if value is not None:
                getattr(self, name)[unit] = value
        if taken:
            self.in_force_pu[unit] = self.cap_pu[unit] if self.enabled[unit] else 1.0
        self._timers.start(unit, self.revert_after_s[unit] if self.enabled[unit] else 0.0)

    def step(self, dt_s: float) -> None:
        """Let `dt_s` pass; timers that run out revert."""
        expired = self._timers.expired(dt_s)
        if expired is not None:
            self._revert(expired)

    def remaining_s(self, unit: int) -> int:
        """Whole seconds until `unit` reverts, rounded up; 0 when no timer runs."""
        return self._timers.remaining_s(unit)

    def command_pu(self) -> Floats:
        """What the power stage is told, in units of nameplate."""
        return self.wmax_pu * self.in_force_pu

    def _takes_over(self, unit: int, change: LimitWrite) -> bool:
        """Whether what the registers hold after `change` is put in force."""
        if self._ignores[unit]:
            return False
        if Quirk.ENABLE_MUST_TOGGLE in self._quirks[unit] and self.enabled[unit]:
            return change.enabled is False or (change.enabled is True and change.cap_pu is not None)
        return True

    def _revert(self, expired: Flags) -> None:
        shown = expired & ~self._lapses_silently
        self.enabled = np.where(shown, self.revert_enabled, self.enabled)
        self.cap_pu = np.where(shown & self.revert_enabled, self.revert_cap_pu, self.cap_pu)
        held = np.where(self.revert_enabled & shown, self.revert_cap_pu, 1.0)
        self.in_force_pu = np.where(expired & ~self._ignores, held, self.in_force_pu)
