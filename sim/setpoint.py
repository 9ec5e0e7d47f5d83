"""The active power setpoint as a unit's firmware keeps it (704 WSet): value, enable and reversion timer."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from sim.reversion_timers import Flags, Floats, ReversionTimers


@dataclass(frozen=True, slots=True)
class SetpointWrite:
    """What one write changes; None leaves a value as it is. Fractions are of nameplate, negative charges."""

    enabled: bool | None = None
    set_pu: float | None = None
    revert_enabled: bool | None = None
    revert_set_pu: float | None = None
    revert_after_s: float | None = None


class SetpointBank:
    """The setpoints of many units; without one, a unit does as its `idle_pu` says.

    When the timer runs out without a write, enable and value take their reversion values (704).
    """

    def __init__(self, idle_pu: Floats) -> None:
        count = len(idle_pu)
        self._idle_pu = idle_pu
        self.enabled: Flags = np.zeros(count, dtype=bool)
        self.set_pu: Floats = np.zeros(count)
        self.revert_enabled: Flags = np.zeros(count, dtype=bool)
        self.revert_set_pu: Floats = np.zeros(count)
        self.revert_after_s: Floats = np.zeros(count)
        self._timers = ReversionTimers(count)
        self._command_pu = idle_pu

    def wish(self, unit: int, idle_pu: float) -> None:
        """What a unit does from now on when it has no setpoint."""
        self._idle_pu[unit] = idle_pu
        self._take()

    def write(self, unit: int, change: SetpointWrite) -> None:
        """Apply a write and restart the unit's reversion timer; it runs only while the setpoint is enabled."""
        for name in SetpointWrite.__slots__:
            value = getattr(change, name)
            if value is not None:
                getattr(self, name)[unit] = value
        self._timers.start(unit, self.revert_after_s[unit] if self.enabled[unit] else 0.0)
        self._take()

    def step(self, dt_s: float) -> None:
        """Let `dt_s` pass; timers that run out revert."""
        expired = self._timers.expired(dt_s)
        if expired is not None:
            self.enabled = np.where(expired, self.revert_enabled, self.enabled)
            self.set_pu = np.where(expired & self.revert_enabled, self.revert_set_pu, self.set_pu)
            self._take()

    def remaining_s(self, unit: int) -> int:
        """Whole seconds until `unit` reverts, rounded up; 0 when no timer runs."""
        return self._timers.remaining_s(unit)

    def command_pu(self) -> Floats:
        """What the power stage is told, in units of nameplate."""
        return self._command_pu

    def _take(self) -> None:
        self._command_pu = np.where(self.enabled, self.set_pu, self._idle_pu)
