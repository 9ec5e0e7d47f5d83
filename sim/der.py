"""Inverters: what they make of sun, limit, curves and grid. Vectorised over units, explicit step, no clock."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from sim.curve import CurveBank
from sim.files.inverter import InverterFile
from sim.limit import LimitBank
from sim.service import ServiceBank

Floats = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]

VAR_MAX_PU = 0.44
"""Reactive over apparent rating: IEEE 1547-2018 5.2, category B."""


class Fleet:
    """Any number of inverters with one code path. Powers are in units of each nameplate inside.

    A limit reaches the power stage after the dead time; output then moves along the slope. Less sun or a lost
    grid acts at once. Reactive power is first in the capability circle when `var_priority` says so.
    """

    def __init__(self, units: Sequence[InverterFile], dt_s: float) -> None:
        self.dt_s = dt_s
        self.nameplate_w: Floats = np.array([unit.nameplate_w for unit in units])
        self.va_pu: Floats = np.array([unit.va_rating_pu for unit in units])
        self.var_max_pu: Floats = VAR_MAX_PU * self.va_pu
        self.sun_pu: Floats = np.array([unit.sun_pu for unit in units])
        self.slope_pu_s: Floats = np.array([unit.slope_pct_s / 100.0 for unit in units])
        count = len(units)
        self.limit = LimitBank(count, [unit.quirks for unit in units])
        self.service = ServiceBank(
            np.array([unit.enter_delay_s for unit in units]), np.array([unit.enter_ramp_s for unit in units])
        )
        self.volt_var = CurveBank(count, neutral=0.0)
        self.volt_watt = CurveBank(count, neutral=1.0)
        self.var_priority: Flags = np.ones(count, dtype=bool)
        self.deaf: Flags = np.zeros(count, dtype=bool)
        self.p_pu: Floats = np.zeros(count)
        self.q_pu: Floats = np.zeros(count)
        self.energy_wh: Floats = np.zeros(count)
        self._delay = np.array([round(unit.dead_time_s / dt_s) for unit in units])
        self._line: Floats = np.ones((int(self._delay.max()) + 1, count))
        self._head = 0
        self._units = np.arange(count)

    @property
    def power_w(self) -> Floats:
        """Active power of each unit in W, positive when generating."""
        return self.p_pu * self.nameplate_w

    @property
    def reactive_var(self) -> Floats:
        """Reactive power of each unit in var, positive when injecting."""
        return self.q_pu * self.nameplate_w

    def settle(self, energised: Flags) -> None:
        """Put every energised unit where it would stand after a long time; the others are off at 0."""
        self.service.on = energised.copy()
        self.service.ceiling_pu = np.where(energised, 1.0, 0.0)
        self._line[:] = self.limit.command_pu()
        self.p_pu = np.where(energised, np.minimum(self._line[0], self.available_pu()), 0.0)

    def available_pu(self) -> Floats:
        """What the sun and the converter allow."""
        return np.minimum(self.sun_pu, 1.0)

    def limited(self) -> Flags:
        """Units that hold back power that the sun would give."""
        return self.service.on & (self.p_pu < self.available_pu() - 1e-3)

    def step(self, energised: Flags, v_pu: float, hz: float) -> None:
        """Advance by one time step with `v_pu` and `hz` at the PCC, reaching the `energised` units."""
        dt_s = self.dt_s
        self.limit.step(dt_s)
        self.service.step(energised, v_pu, hz, dt_s)
        volts = np.full(len(self.p_pu), v_pu)
        target = np.minimum(self._delayed_command(), self.volt_watt.step(volts, dt_s))
        target = np.minimum(np.minimum(target, self.available_pu()), self.service.ceiling_pu)
        reach = self.slope_pu_s * dt_s
        p_pu = np.clip(target, self.p_pu - reach, self.p_pu + reach)
        p_pu = np.minimum(p_pu, self.available_pu())
        self._inside_capability(np.maximum(p_pu, 0.0), self.volt_var.step(volts, dt_s))
        self.energy_wh = self.energy_wh + self.power_w * (dt_s / 3600.0)

    def _delayed_command(self) -> Floats:
        """Put the present command into the delay line and take out the one that is a dead time old."""
        depth = len(self._line)
        before = self._line[self._head - 1]
        self._line[self._head] = np.where(self.deaf, before, self.limit.command_pu())
        delayed: Floats = self._line[(self._head - self._delay) % depth, self._units]
        self._head = (self._head + 1) % depth
        return delayed

    def _inside_capability(self, p_pu: Floats, q_pu: Floats) -> None:
        """Fit active and reactive power into the circle of the apparent rating, the priority one first."""
        q_first = np.clip(q_pu, -self.var_max_pu, self.var_max_pu)
        p_beside = np.minimum(p_pu, np.sqrt(self.va_pu**2 - q_first**2))
        room = np.sqrt(np.maximum(self.va_pu**2 - p_pu**2, 0.0))
        q_beside = np.clip(q_first, -room, room)
        on = self.service.on
        self.p_pu = np.where(on, np.where(self.var_priority, p_beside, p_pu), 0.0)
        self.q_pu = np.where(on, np.where(self.var_priority, q_first, q_beside), 0.0)
