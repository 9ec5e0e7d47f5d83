"""An inverter as its register maps see it: real units, at its own terminals."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum
from functools import partial
from math import hypot, sqrt

from sim.devices.sunspec import Apply, RefusedWriteError
from sim.files.inverter import InverterFile
from sim.plant import Plant
from tiir.values import Value, Values

DC_V = 700.0
"""Voltage of the DC side while there is any; nothing depends on it."""

DC_EFFICIENCY = 0.98
"""AC over DC power of the converter."""


class State(IntEnum):
    """Operating states as 701 InvSt counts them; St of 101 to 113 is one more."""

    OFF = 0
    SLEEPING = 1
    STARTING = 2
    RUNNING = 3
    THROTTLED = 4
    STANDBY = 7


@dataclass(frozen=True)
class Inverter:
    """Inverter number `unit` (from 0) of a plant."""

    plant: Plant
    unit: int

    @property
    def file(self) -> InverterFile:
        """What the sim file says of it."""
        return self.plant.sim.inverter[self.unit]

    @property
    def stores(self) -> bool:
        """Whether it is storage."""
        return self.file.kind == "storage"

    @property
    def lines(self) -> int:
        """How many phases it feeds; the only one of a single-phase unit is its first."""
        return len(self._at())

    @property
    def nameplate_w(self) -> float:
        """Active power rating in W."""
        return float(self.plant.fleet.nameplate_w[self.unit])

    @property
    def nameplate_va(self) -> float:
        """Apparent power rating in VA."""
        return self.nameplate_w * float(self.plant.fleet.va_pu[self.unit])

    @property
    def var_injected_max(self) -> float:
        """Reactive power rating in var when injecting."""
        return float(self.plant.fleet.capability.var_inject_pu[self.unit]) * self.nameplate_w

    @property
    def var_absorbed_max(self) -> float:
        """Reactive power rating in var when absorbing."""
        return float(self.plant.fleet.capability.var_absorb_pu[self.unit]) * self.nameplate_w

    @property
    def charge_w(self) -> float:
        """Largest charging power of storage in W."""
        return (self.file.storage and self.file.storage.charge_w) or self.nameplate_w

    @property
    def discharge_w(self) -> float:
        """Largest discharging power of storage in W."""
        return (self.file.storage and self.file.storage.discharge_w) or self.nameplate_w

    @property
    def nominal_v(self) -> float:
        """Nominal voltage in V: line-to-line, of a single-phase unit that of its phase."""
        grid = self.plant.sim.grid
        return grid.nominal_v if self.lines > 1 else grid.phase_v

    @property
    def nominal_hz(self) -> float:
        """Nominal frequency in Hz."""
        return self.plant.sim.grid.hz

    def nominal_a(self) -> float:
        """Line current at the apparent rating and nominal voltage in A."""
        return self.nameplate_va / self.plant.sim.grid.phase_v / self.lines

    def settings(self) -> Values:
        """Its settings in force, by the standard's label."""
        return self.plant.fleet.settings(self.unit)

    def configure(self, changes: Values) -> None:
        """Change settings.

        Raises:
            TiirError: When they are not consistent; nothing has changed then.
        """
        self.plant.fleet.configure(self.unit, changes)

    def judged(self, changes: Values) -> Apply:
        """What puts new settings in force.

        Raises:
            TiirError: When they are not consistent.
        """
        self.plant.fleet.check(self.unit, changes)
        return partial(self.configure, changes)

    def var_first(self) -> bool:
        """Whether reactive power comes first at the apparent rating."""
        return bool(self.plant.fleet.var_priority[self.unit])

    def put_var_first(self, first: bool) -> None:
        """Set what comes first."""
        self.plant.fleet.var_priority[self.unit] = first

    def setting(self, label: str) -> Value:
        """One setting in force."""
        return self.settings()[label]

    def number(self, label: str) -> float:
        """One setting in force that is a number or a switch."""
        return float(self.setting(label))

    def watts(self) -> float:
        """Active power in W, positive when generating."""
        return float(self.plant.fleet.p_pu[self.unit]) * self.nameplate_w

    def vars(self) -> float:
        """Reactive power in var, positive when injecting."""
        return float(self.plant.fleet.q_pu[self.unit]) * self.nameplate_w

    def voltamps(self) -> float:
        """Apparent power in VA."""
        return hypot(self.watts(), self.vars())

    def power_factor(self) -> float:
        """Active over apparent power, with the sign of active power; 1 at rest."""
        voltamps = self.voltamps()
        return self.watts() / voltamps if voltamps > 0 else 1.0

    def dc_w(self) -> float:
        """Power on the DC side in W, positive towards the grid."""
        watts = self.watts()
        return watts / DC_EFFICIENCY if watts > 0 else watts * DC_EFFICIENCY

    def dc_v(self) -> float:
        """Voltage on the DC side in V; 0 without sun."""
        return 0.0 if self.dark() else DC_V

    def dc_a(self) -> float:
        """Current on the DC side in A."""
        return self.dc_w() / DC_V

    def energised(self) -> bool:
        """Whether the grid is on its terminals."""
        return bool(self.plant.energised()[self.unit])

    def phase_v(self, line: int | None = None) -> float:
        """Line-to-neutral voltage in V at one of its lines (from 0) or, without one, their mean; 0 behind a contact."""
        if not self.energised():
            return 0.0
        phases_pu = self._phases_pu()
        share = sum(phases_pu) / len(phases_pu) if line is None else phases_pu[line % len(phases_pu)]
        return share * self.plant.sim.grid.phase_v

    def line_v(self, line: int | None = None) -> float:
        """Line-to-line voltage in V from one of its three lines to the next or, without one, their mean."""
        if line is None:
            return sum(self.line_v(each) for each in range(3)) / 3
        here, there = self.phase_v(line), self.phase_v((line + 1) % 3)
        return sqrt(here**2 + there**2 + here * there)

    def _at(self) -> list[int]:
        """The phases of the grid that it is on."""
        grid = self.plant.sim.grid.phases
        return [grid.index(phase) for phase in self.file.phases] if grid == "abc" else [0]

    def _phases_pu(self) -> list[float]:
        return [self.plant.site.state.phase_v_pu[phase] for phase in self._at()]

    def hz(self) -> float:
        """Frequency at the terminals in Hz; 0 behind an open contact."""
        return self.plant.site.state.hz if self.energised() else 0.0

    def amps(self, lines: int) -> float:
        """Current in A in each of so many lines that share its power."""
        phase_v = self.phase_v()
        return self.voltamps() / phase_v / lines if phase_v > 0 else 0.0

    def energy_wh(self) -> float:
        """Energy generated since the start in Wh."""
        return float(self.plant.fleet.energy_wh[self.unit])

    def absorbed_wh(self) -> float:
        """Energy absorbed since the start in Wh."""
        return float(self.plant.fleet.absorbed_wh[self.unit])

    def soc_pu(self) -> float:
        """State of charge of storage over its capacity."""
        return float(self.plant.fleet.soc_pu[self.unit])

    def dark(self) -> bool:
        """Whether it has no sun; storage never has less than its battery."""
        return not self.stores and float(self.plant.fleet.sun_pu[self.unit]) <= 0

    def permitted(self) -> bool:
        """Whether both permissions (703 ES, 123 Conn) are given."""
        fleet = self.plant.fleet
        return bool(fleet.permit[self.unit] and fleet.connect[self.unit])

    def in_service(self) -> bool:
        """Whether it is connected and past its enter-service delay."""
        return bool(self.plant.fleet.service.on[self.unit])

    def throttled(self) -> bool:
        """Whether it holds back power that the sun would give."""
        return bool(self.plant.fleet.limited()[self.unit])

    def state(self) -> State:
        """What the inverter says it is doing."""
        if not self.permitted():
            return State.OFF
        if not self.energised():
            return State.STANDBY
        if not self.in_service():
            return State.STARTING
        if self.dark():
            return State.SLEEPING
        return State.THROTTLED if self.throttled() else State.RUNNING

    def wmax_w(self) -> float:
        """The WMax setting in W."""
        return float(self.plant.fleet.limit.wmax_pu[self.unit]) * self.nameplate_w

    def judged_wmax(self, wmax_w: float) -> Apply:
        """What puts a new WMax setting in W in force, at most the rating (702 and 121).

        Raises:
            RefusedWriteError: When it is more than the rating, or nothing.
        """
        if not 0 < wmax_w <= self.nameplate_w:
            raise RefusedWriteError
        return partial(self.plant.fleet.limit.wmax_pu.__setitem__, self.unit, wmax_w / self.nameplate_w)
