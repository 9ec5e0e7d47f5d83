"""The active power setpoint as a unit's firmware keeps it (704 WSet): value, enable and reversion timer."""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil, isinf

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]

_EPS = 1e-9


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
        self.left_s: Floats = np.full(count, np.inf)
        self._command_pu = idle_pu
        self._running = False

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
        runs = self.enabled[unit] and self.revert_after_s[unit] > 0
        self.left_s[unit] = self.revert_after_s[unit] if runs else np.inf
        self._take()

    def step(self, dt_s: float) -> None:
        """Let `dt_s` pass; timers that run out revert."""
        if not self._running:
            return
        self.left_s = self.left_s - dt_s
        expired = self.left_s <= _EPS
        if expired.any():
            self.enabled = np.where(expired, self.revert_enabled, self.enabled)
            self.set_pu = np.where(expired & self.revert_enabled, self.revert_set_pu, self.set_pu)
            self.left_s = np.where(expired, np.inf, self.left_s)
            self._take()

    def remaining_s(self, unit: int) -> int:
        """Whole seconds until `unit` reverts, rounded up; 0 when no timer runs."""
        left_s = float(self.left_s[unit])
        return 0 if isinf(left_s) else ceil(left_s - _EPS)

    def command_pu(self) -> Floats:
        """What the power stage is told, in units of nameplate."""
        return self._command_pu

    def _take(self) -> None:
        self._command_pu = np.where(self.enabled, self.set_pu, self._idle_pu)
        self._running = bool(np.isfinite(self.left_s).any())
