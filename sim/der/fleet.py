"""Any number of units with one code path and one explicit time step."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from sim.band import BandBank
from sim.der.arrays import Codes, Flags, Floats, Quantity, any_of, least
from sim.der.capability import Capability
from sim.der.command import CommandPath, Mover
from sim.der.curve import CurveBank
from sim.der.droop import DroopBank
from sim.der.lag import Lag
from sim.der.protection import Protection
from sim.der.reactive import ReactiveBank
from sim.der.settings import SettingsBank
from sim.der.storage import StorageBank
from sim.files.inverter import InverterFile
from sim.files.unit import Unit
from sim.limit import LimitBank, LimitWrite
from sim.setpoint import SetpointBank
from tiir.values import Value, Values, number

_ALMOST_PU = 1e-3


class Fleet:
    """Inverters at one or many places. Powers are in units of each nameplate inside.

    A command reaches the power stage after the dead time; output, or the limit, then moves by lag and slope.
    Less sun, an empty battery or a lost grid act at once.

    Attributes:
        sun_pu: Available power of PV over nameplate, set from outside at any time.
        deaf: Units whose power stage does not hear its commands.
    """

    def __init__(self, units: Sequence[Unit], dt_s: float, seed: int = 0) -> None:
        count = len(units)
        self.dt_s = dt_s
        self.nameplate_w: Floats = np.array([unit.nameplate_w for unit in units])
        self.sun_pu: Floats = np.array([unit.sun_pu for unit in units])
        self.deaf: Flags = np.zeros(count, dtype=bool)
        self.p_pu: Floats = np.zeros(count)
        self.q_pu: Floats = np.zeros(count)
        self.energy_wh: Floats = np.zeros(count)
        self.absorbed_wh: Floats = np.zeros(count)
        self._settings = settings = SettingsBank([unit.complete_settings for unit in units])
        quirks = [unit.quirks if isinstance(unit, InverterFile) else () for unit in units]
        self.limit = LimitBank(count, quirks)
        self.storage = StorageBank(units, dt_s)
        self.setpoint = SetpointBank(np.where(self.storage.present, 0.0, 1.0))
        self.band = BandBank(self.storage.charge_pu, self.storage.discharge_pu)
        self.protection = Protection(units, settings, dt_s, seed)
        self.service = self.protection.service
        self._command = CommandPath(units, dt_s)
        self._stage = Mover(units, dt_s, np.array([unit.moves == "output" for unit in units]))
        p_min_pu = np.array([unit.min_pct / 100.0 for unit in units])
        self._droop = DroopBank(
            settings, np.where(self.storage.present, -self.storage.charge_pu, p_min_pu), dt_s
        )
        self.reactive = ReactiveBank(units, settings, self.storage.charge_pu, dt_s)
        self.capability = Capability(units)
        self.volt_watt = CurveBank(settings.flags("PV_MODE_ENABLE"))
        self._volt_watt_lag = Lag(np.zeros(count), dt_s, np.ones(count))
        self._staged_pu: Floats = np.zeros(count)
        self._base_pu: Floats = np.zeros(count)
        self._wh_per_pu: Floats = self.nameplate_w * (dt_s / 3600.0)
        self._limit_in_file(units)
        self._take()

    @property
    def power_w(self) -> Floats:
        """Active power of each unit in W, positive when generating."""
        return self.p_pu * self.nameplate_w

    @property
    def reactive_var(self) -> Floats:
        """Reactive power of each unit in var, positive when injecting."""
        return self.q_pu * self.nameplate_w

    @property
    def va_pu(self) -> Floats:
        """Apparent rating over nameplate W."""
        return self.capability.va_pu

    @property
    def var_max_pu(self) -> Floats:
        """Reactive rating when injecting, over nameplate W."""
        return self.capability.var_inject_pu

    @property
    def var_priority(self) -> Flags:
        """Units whose reactive power comes first at the apparent rating."""
        return self.capability.var_priority

    @property
    def volt_var(self) -> CurveBank:
        """The volt-var curves in force."""
        return self.reactive.volt_var

    @property
    def soc_pu(self) -> Floats:
        """State of charge; NaN for PV."""
        return self.storage.soc_pu

    @property
    def status(self) -> Codes:
        """What each unit is doing, as `Status`."""
        return self.protection.status

    @property
    def permit(self) -> Flags:
        """Permit service (703 ES)."""
        return self.service.permit

    @property
    def connect(self) -> Flags:
        """Connection by command (123 Conn)."""
        return self.service.connect

    def service_remaining_s(self, unit: int) -> float:
        """Time in s that the enter-service delay of `unit` still runs; 0 in service."""
        return self.service.remaining_s(unit)

    def settings(self, unit: int) -> Values:
        """What is in force in `unit`, by the standard's label."""
        limit: dict[str, Value] = {
            "AP_LIMIT_ENABLE": bool(self.limit.enabled[unit]),
            "AP_LIMIT": float(self.limit.cap_pu[unit]),
        }
        return {**self._settings.of(unit), **limit}

    def check(self, unit: int, changes: Values) -> None:
        """Whether `configure` would take `changes`.

        Raises:
            TiirError: When it would not.
        """
        self._settings.check(unit, changes)

    def configure(self, unit: int, changes: Values) -> None:
        """Change settings of a running unit, as its firmware would; the standard's ranges are not held to.

        Raises:
            TiirError: For an unknown label, a value of the wrong kind, or curves that are none; nothing changes.
        """
        self._settings.put(unit, changes)
        self._write_limit(unit, changes)
        self._take()

    def settle(self, energised: Flags, v_pu: Quantity | None = None) -> None:
        """Put every energised unit where it would stand after a long time; the others are off at 0.

        What depends on voltage starts from rest, or settled at `v_pu` where that is given.
        """
        self.protection.settle(energised)
        on, high = self.service.on, self.available_pu()
        p_pu = np.minimum(self._command.settle(self._told()), high)
        if self.storage.any:
            p_pu = np.maximum(p_pu, self.storage.least_pu())
        q_pu = np.zeros_like(p_pu)
        if v_pu is not None:
            bound = np.where(self.volt_watt.enabled, self.volt_watt.at(v_pu), 1.0)
            self._volt_watt_lag.put(on, bound)
            p_pu = np.minimum(p_pu, bound)
            p_pu, q_pu = self.capability.fit(
                p_pu, self.reactive.settle(v_pu, p_pu, on), self.reactive.enabled
            )
        self.p_pu, self.q_pu = np.where(on, p_pu, 0.0), np.where(on, q_pu, 0.0)
        self._staged_pu = self._base_pu = self.p_pu

    def available_pu(self) -> Floats:
        """What sun or battery and the converter allow."""
        available: Floats = np.minimum(self.sun_pu, 1.0)
        return self.storage.most_pu(available) if self.storage.any else available

    def limited(self) -> Flags:
        """Units that hold back power that the sun would give."""
        held_back: Flags = self.service.on & ~self.storage.present
        return held_back & (self.p_pu < self.available_pu() - _ALMOST_PU)

    def step(
        self,
        energised: Flags,
        v_pu: Quantity,
        hz: Quantity,
        v_low_pu: Quantity | None = None,
        v_high_pu: Quantity | None = None,
    ) -> None:
        """Advance by one time step.

        Args:
            energised: Units that the grid reaches.
            v_pu: Voltage that the functions regulate by.
            hz: Frequency.
            v_low_pu: Least phase voltage, for trip and ride-through; `v_pu` when not given.
            v_high_pu: Greatest phase voltage.
        """
        self.limit.step(self.dt_s)
        self.setpoint.step(self.dt_s)
        self.band.step(self.dt_s)
        low = v_pu if v_low_pu is None else v_low_pu
        high = v_pu if v_high_pu is None else v_high_pu
        self.protection.step(energised, low, high, hz)
        p_pu = self._active_power(v_pu, hz)
        q_pu = None
        if self.reactive.acts:
            q_pu = self.reactive.step(v_pu, p_pu, self.service.on)
            p_pu, q_pu = self.capability.fit(p_pu, q_pu, self.reactive.enabled)
        self._give(p_pu, q_pu, v_pu)

    def _active_power(self, v_pu: Quantity, hz: Quantity) -> Floats:
        """What the power stage would give, before the rating."""
        high = available = self.available_pu()
        base = self.protection.ramped(np.minimum(self._command.step(self._told(), self.deaf), high))
        bound = self._volt_watt(v_pu) if any_of(self.volt_watt.enabled) else None
        if bound is not None:
            base, high = np.minimum(base, bound), np.minimum(high, bound)
        if self._droop.near(hz):
            asked = self._droop.step(hz, self.service.on, base, self._base_pu, self.p_pu, available)
        else:
            asked = base
        self._base_pu = base
        staged = np.minimum(self._stage.move(self._staged_pu, asked), high)
        staged = np.maximum(staged, self.storage.least_pu() if self.storage.any else 0.0)
        self._staged_pu = staged if self.protection.calm else np.where(self.service.on, staged, 0.0)
        return self._staged_pu

    def _volt_watt(self, v_pu: Quantity) -> Floats:
        """The volt-watt limit; 1 where the function is off or the unit out of service."""
        acts = self.volt_watt.enabled & self.service.on
        self._volt_watt_lag.put(~acts, 1.0)
        return self._volt_watt_lag.step(np.where(acts, self.volt_watt.at(v_pu), 1.0))

    def _give(self, p_pu: Floats, q_pu: Floats | None, v_pu: Quantity) -> None:
        """Put the output in place, cut by ride-through, and count its energy."""
        if not self.protection.calm:
            gives = self.protection.gives()
            p_pu, q_pu = np.where(gives, p_pu, 0.0), np.where(gives, 0.0 if q_pu is None else q_pu, 0.0)
        q_pu = np.zeros(len(p_pu)) if q_pu is None else q_pu
        if least(v_pu) < self.capability.full_current_v:
            p_pu, q_pu = self.capability.at_low_voltage(v_pu, p_pu, q_pu)
        self.p_pu, self.q_pu = p_pu, q_pu
        if self.storage.any:
            self.storage.step(p_pu)
            self.absorbed_wh = self.absorbed_wh + np.maximum(-p_pu, 0.0) * self._wh_per_pu
            p_pu = np.maximum(p_pu, 0.0)
        self.energy_wh = self.energy_wh + p_pu * self._wh_per_pu

    def _told(self) -> Floats:
        """What each unit is told: its setpoint within its band, and no more than its limit."""
        told: Floats = np.minimum(self.limit.command_pu(), self.band.held(self.setpoint.command_pu()))
        return told

    def _take(self) -> None:
        """Bring everything that follows from the settings up to date."""
        numbers = self._settings.numbers
        self.protection.take()
        self._droop.take()
        self.reactive.take()
        self.capability.take(self.reactive.watt_var_at, self.reactive.watt_var_corners())
        volts = np.array([numbers("PV_CURVE_V1"), numbers("PV_CURVE_V2")])
        watts = np.array([numbers("PV_CURVE_P1"), numbers("PV_CURVE_P2")])
        self.volt_watt.set(volts, np.where(watts < 0, watts * self.storage.charge_pu, watts))
        self._volt_watt_lag.take(numbers("PV_OLRT"))

    def _limit_in_file(self, units: Sequence[Unit]) -> None:
        for index, unit in enumerate(units):
            self._write_limit(index, unit.settings)

    def _write_limit(self, unit: int, changes: Values) -> None:
        """Hand the limit's settings to the firmware that keeps it."""
        enabled, cap_pu = changes.get("AP_LIMIT_ENABLE"), number(changes.get("AP_LIMIT"))
        if enabled is not None or cap_pu is not None:
            self.limit.write(
                unit, LimitWrite(enabled=None if enabled is None else bool(enabled), cap_pu=cap_pu)
            )
