"""Connection and enter service of many units: off at once, back after a delay and by a ramp."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]

_EPS = 1e-9


class ServiceBank:
    """Enter service after IEEE 1547-2018 4.10: window, delay without a break, ramp.

    `permit` is 703 ES, `connect` 123 Conn; both and a grid on the terminals are needed.
    """

    def __init__(self, delay_s: Floats, ramp_s: Floats) -> None:
        count = len(delay_s)
        self.permit: Flags = np.ones(count, dtype=bool)
        self.connect: Flags = np.ones(count, dtype=bool)
        self.delay_s, self.ramp_s = delay_s.copy(), ramp_s.copy()
        self.v_low_pu, self.v_high_pu = np.full(count, 0.917), np.full(count, 1.05)
        self.hz_low, self.hz_high = np.full(count, 59.5), np.full(count, 60.1)
        self.on: Flags = np.ones(count, dtype=bool)
        self.ceiling_pu: Floats = np.ones(count)
        self.wait_s: Floats = delay_s.copy()

    def step(self, energised: Flags, v_pu: float, hz: float, dt_s: float) -> None:
        """Let `dt_s` pass with the grid at the PCC at `v_pu` and `hz`, reaching the `energised` units."""
        allowed = self.permit & self.connect & energised
        self.on = self.on & allowed
        waiting = allowed & ~self.on & self._in_window(v_pu, hz)
        self.wait_s = np.where(waiting, np.minimum(self.wait_s, self.delay_s) - dt_s, self.delay_s)
        starts = waiting & (self.wait_s <= _EPS)
        self.on = self.on | starts
        rise = np.where(self.ramp_s > 0, dt_s / np.maximum(self.ramp_s, _EPS), 1.0)
        self.ceiling_pu = np.where(self.on, np.minimum(1.0, self.ceiling_pu + rise), 0.0)

    def remaining_s(self, unit: int) -> float:
        """Time in s that the enter-service delay of `unit` still runs; 0 in service."""
        return 0.0 if self.on[unit] else max(0.0, float(self.wait_s[unit]))

    def _in_window(self, v_pu: float, hz: float) -> Flags:
        v_good = (self.v_low_pu <= v_pu) & (v_pu <= self.v_high_pu)
        return v_good & (self.hz_low <= hz) & (hz <= self.hz_high)
