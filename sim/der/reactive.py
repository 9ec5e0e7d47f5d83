"""Reactive power functions of many units, one at a time in each (IEEE 1547-2018 5.3)."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from sim.der.arrays import Flags, Floats, Quantity, all_of, any_of
from sim.der.curve import CurveBank
from sim.der.lag import Lag
from sim.der.settings import SettingsBank
from sim.files.unit import Unit

MODES = ("QV_MODE_ENABLE", "QP_MODE_ENABLE", "CONST_Q_MODE_ENABLE", "CONST_PF_MODE_ENABLE")
"""The first that is enabled acts."""

VREF_BOUNDS = (0.95, 1.05)
"""What an autonomously adjusted reference voltage may come to (5.3.3)."""

_NOTHING_PU = 1e-9

WATT_VAR_POINTS = ("3_LOAD", "2_LOAD", "1_LOAD", "1_GEN", "2_GEN", "3_GEN")


class ReactiveBank:
    """Reactive power asked for by the enabled function, with its response time; 0 without one.

    One lag serves all functions of a unit, so a change of function is a smooth one.

    Attributes:
        acts: Whether any unit's function can ask for anything but 0.
    """

    def __init__(self, units: Sequence[Unit], settings: SettingsBank, charge_pu: Floats, dt_s: float) -> None:
        count = len(units)
        self._settings = settings
        self._dt_s = dt_s
        self._va_pu: Floats = np.array([unit.va_rating_pu for unit in units])
        self._charge_pu: Floats = np.where(charge_pu > 0, charge_pu, 1.0)
        self._own_response_s: Floats = np.array([unit.var_response_s for unit in units])
        self.enabled = settings.switches(MODES)
        self.volt_var = CurveBank(settings.flags("QV_MODE_ENABLE"))
        self.watt_var = CurveBank(settings.flags("QP_MODE_ENABLE"))
        self._vref: Floats = np.full(count, np.nan)
        self._lag = Lag(np.zeros(count), dt_s, np.zeros(count))
        self.take()

    def take(self) -> None:
        """Take curves, setpoints and response times from the settings."""
        numbers = self._settings.numbers
        volts = np.array([numbers(f"QV_CURVE_V{i}") for i in (1, 2, 3, 4)])
        self.volt_var.set(volts, np.array([numbers(f"QV_CURVE_Q{i}") for i in (1, 2, 3, 4)]) * self._va_pu)
        self._lag.take(np.where(self.enabled[0], numbers("QV_OLRT"), self._own_response_s))
        self.watt_var.set(*self._watt_var_points())
        pf, sign = (
            numbers("CONST_PF"),
            np.where(self._settings.words("CONST_PF_EXCITATION") == "INJ", 1.0, -1.0),
        )
        self._var_per_watt: Floats = sign * np.sqrt(1.0 - pf**2) / pf
        self._const_q_pu: Floats = numbers("CONST_Q") * self._va_pu
        self._auto_vref = bool((self._settings.flags("QV_VREF_AUTO_MODE") & self.volt_var.enabled).any())
        vref_s = np.maximum(numbers("QV_VREF_TIME"), 1e-9)
        self._vref_gain: Floats = -np.expm1(-self._dt_s / vref_s)
        self._asks = bool(self.enabled[:3].any() or (self.enabled[3] & (self._var_per_watt != 0)).any())
        self._look()

    def watt_var_at(self, p_pu: Floats) -> Floats:
        """The watt-var curves at active power `p_pu`; charging counts per unit of the charging power."""
        return self.watt_var.at(np.where(p_pu < 0, p_pu / self._charge_pu, p_pu))

    def watt_var_corners(self) -> Floats:
        """Where the watt-var curves bend when generating, and mirrored when charging: shape (2, 3, units)."""
        watts, _ = self._watt_var_points()
        corners: Floats = np.array([watts[3:], -watts[2::-1] * self._charge_pu])
        return corners

    def step(self, v_pu: Quantity, p_pu: Floats, on: Flags) -> Floats:
        """Let one time step pass at `v_pu` and active power `p_pu`; the reactive power asked for."""
        if not all_of(on):
            self._lag.put(~on, 0.0)
        asked = self._lag.step(self._target(v_pu, p_pu, on))
        self._look()
        return asked

    def settle(self, v_pu: Quantity, p_pu: Floats, on: Flags) -> Floats:
        """Be where `step` comes to after a long time."""
        self._lag.put(np.ones_like(on), self._target(v_pu, p_pu, on))
        self._look()
        return self._lag.value

    def _look(self) -> None:
        """Without a function that asks, what the lag still holds goes on for a while."""
        self.acts = self._asks or any_of(np.abs(self._lag.value) > _NOTHING_PU)

    def _target(self, v_pu: Quantity, p_pu: Floats, on: Flags) -> Floats:
        """What the enabled function asks for without its lag."""
        volt_var, watt_var, const_q, const_pf = self.enabled
        target: Floats = np.where(const_pf, p_pu * self._var_per_watt, 0.0)
        target = np.where(const_q, self._const_q_pu, target)
        if any_of(watt_var):
            target = np.where(watt_var, self.watt_var_at(p_pu), target)
        if any_of(volt_var):
            target = np.where(volt_var, self.volt_var.at(self._seen_voltage(v_pu, on)), target)
        return target if all_of(on) else np.where(on, target, 0.0)

    def _watt_var_points(self) -> tuple[Floats, Floats]:
        """The curves, charging per unit of the charging power; an absorbing side of three zeros is none (`tiir.curves.watt_var`)."""
        numbers = self._settings.numbers
        watts = np.array([numbers(f"QP_CURVE_P{name}") for name in WATT_VAR_POINTS])
        var = np.array([numbers(f"QP_CURVE_Q{name}") for name in WATT_VAR_POINTS])
        none = ~watts[:3].any(axis=0)
        watts[:3], var[:3] = np.where(none, watts[3], watts[:3]), np.where(none, var[3], var[:3])
        return watts, var * self._va_pu

    def _seen_voltage(self, v_pu: Quantity, on: Flags) -> Quantity:
        """The voltage as the curve sees it: shifted where the reference voltage adjusts itself (5.3.3).

        The reference is the running mean of the voltage; out of service it is the voltage itself.
        """
        if not self._auto_vref:
            return v_pu
        auto = self._settings.flags("QV_VREF_AUTO_MODE")
        mean = np.where(np.isnan(self._vref) | ~auto | ~on, v_pu, self._vref)
        self._vref = mean + (v_pu - mean) * self._vref_gain
        in_force = np.clip(self._vref, *VREF_BOUNDS)
        return v_pu - np.where(auto, in_force - self._settings.numbers("QV_VREF"), 0.0)
