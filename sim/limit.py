"""The active power limit as an inverter's firmware keeps it: percent, enable and reversion timer."""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil, isinf

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]

_EPS = 1e-9


@dataclass(frozen=True, slots=True)
class LimitWrite:
    """What one write changes; None leaves a value as it is. Fractions are of the WMax setting."""

    enabled: bool | None = None
    cap_pu: float | None = None
    revert_enabled: bool | None = None
    revert_cap_pu: float | None = None
    revert_after_s: float | None = None


class LimitBank:
    """The limits of many units.

    One rule covers both generations of models: when the timer runs out without a write, the enable and the
    percent take their reversion values. Model 704 chooses them (`WMaxLimPctEnaRvrt`, `WMaxLimPctRvrt`);
    model 123 has none, so its enable falls to 0 and the unit returns to full power.
    """

    def __init__(self, count: int) -> None:
        self.wmax_pu: Floats = np.ones(count)
        self.enabled: Flags = np.zeros(count, dtype=bool)
        self.cap_pu: Floats = np.ones(count)
        self.revert_enabled: Flags = np.zeros(count, dtype=bool)
        self.revert_cap_pu: Floats = np.ones(count)
        self.revert_after_s: Floats = np.zeros(count)
        self.left_s: Floats = np.full(count, np.inf)

    def write(self, unit: int, change: LimitWrite) -> None:
        """Apply a write and restart the unit's reversion timer; it runs only while the limit is enabled."""
        for name in LimitWrite.__slots__:
            value = getattr(change, name)
            if value is not None:
                getattr(self, name)[unit] = value
        runs = self.enabled[unit] and self.revert_after_s[unit] > 0
        self.left_s[unit] = self.revert_after_s[unit] if runs else np.inf

    def step(self, dt_s: float) -> None:
        """Let `dt_s` pass; timers that run out revert."""
        self.left_s = self.left_s - dt_s
        expired = self.left_s <= _EPS
        if expired.any():
            self.enabled = np.where(expired, self.revert_enabled, self.enabled)
            self.cap_pu = np.where(expired & self.revert_enabled, self.revert_cap_pu, self.cap_pu)
            self.left_s = np.where(expired, np.inf, self.left_s)

    def remaining_s(self, unit: int) -> int:
        """Whole seconds until `unit` reverts, rounded up; 0 when no timer runs."""
        left_s = float(self.left_s[unit])
        return 0 if isinf(left_s) else ceil(left_s - _EPS)

    def command_pu(self) -> Floats:
        """What the power stage is told, in units of nameplate."""
        return self.wmax_pu * np.where(self.enabled, self.cap_pu, 1.0)
