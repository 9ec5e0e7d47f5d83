"""What several devices share: the common model, and an inverter as its register maps see it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum
from math import hypot, sqrt

from sim.devices.sunspec import Changes, Model, RefusedWriteError, Value
from sim.plant import Plant

PHASES = 3
ROOT_3 = sqrt(3.0)


class State(IntEnum):
    """Operating states as 701 InvSt counts them; 103 St is one more."""

    OFF = 0
    SLEEPING = 1
    STARTING = 2
    RUNNING = 3
    THROTTLED = 4
    STANDBY = 7


def common(model_name: str, serial: str) -> Model:
    """Model 1, with its pad: 66 registers."""
    values: dict[str, Value] = {
        "Mn": "Dergate",
        "Md": model_name,
        "Opt": "simulated",
        "Vr": "0.1.0",
        "SN": serial,
        "DA": 1,
    }
    return Model(1, {**values, "Pad": 0})


@dataclass(frozen=True)
class Inverter:
    """One inverter of a plant in real units, at its own terminals."""

    plant: Plant
    unit: int

    @property
    def nameplate_w(self) -> float:
        """Active power rating in W."""
        return float(self.plant.fleet.nameplate_w[self.unit])

    @property
    def nameplate_va(self) -> float:
        """Apparent power rating in VA."""
        return self.nameplate_w * float(self.plant.fleet.va_pu[self.unit])

    @property
    def nameplate_var(self) -> float:
        """Reactive power rating in var."""
        return self.nameplate_w * float(self.plant.fleet.var_max_pu[self.unit])

    @property
    def nominal_v(self) -> float:
        """Nominal line-to-line voltage in V."""
        return self.plant.sim.grid.nominal_v

    def nominal_a(self) -> float:
        """Line current at the apparent rating and nominal voltage in A."""
        return self.nameplate_va / self.nominal_v / ROOT_3

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

    def energised(self) -> bool:
        """Whether the grid is on its terminals."""
        return bool(self.plant.energised()[self.unit])

    def line_v(self) -> float:
        """Line-to-line voltage at the terminals in V; 0 behind an open contact."""
        return self.plant.site.state.v_pu * self.nominal_v if self.energised() else 0.0

    def phase_v(self) -> float:
        """Line-to-neutral voltage at the terminals in V."""
        return self.line_v() / ROOT_3

    def hz(self) -> float:
        """Frequency at the terminals in Hz; 0 behind an open contact."""
        return self.plant.site.state.hz if self.energised() else 0.0

    def amps(self) -> float:
        """Line current in A."""
        line_v = self.line_v()
        return self.voltamps() / line_v / ROOT_3 if line_v > 0 else 0.0

    def energy_wh(self) -> float:
        """Energy generated since the start in Wh."""
        return float(self.plant.fleet.energy_wh[self.unit])

    def state(self) -> State:
        """What the inverter says it is doing."""
        service = self.plant.fleet.service
        if not (service.permit[self.unit] and service.connect[self.unit]):
            return State.OFF
        if not self.energised():
            return State.STANDBY
        if not service.on[self.unit]:
            return State.STARTING
        if self.plant.fleet.sun_pu[self.unit] <= 0:
            return State.SLEEPING
        return State.THROTTLED if self.plant.fleet.limited()[self.unit] else State.RUNNING

    def write_wmax(self, changes: Changes) -> None:
        """Take a new WMax setting in W, at most the rating (702 and 121)."""
        wmax_w = changes["WMax"]
        if not 0 < wmax_w <= self.nameplate_w:
            raise RefusedWriteError
        self.plant.fleet.limit.wmax_pu[self.unit] = wmax_w / self.nameplate_w

    def wmax_w(self) -> float:
        """The WMax setting in W."""
        return float(self.plant.fleet.limit.wmax_pu[self.unit]) * self.nameplate_w


def flag(changes: Changes, path: str) -> bool | None:
    """A written 0 or 1; None when the point was not written."""
    if path not in changes:
        return None
    if changes[path] not in (0, 1):
        raise RefusedWriteError
    return bool(changes[path])


def fraction(changes: Changes, path: str) -> float | None:
    """A written percentage from 0 to 100 as a fraction; None when the point was not written."""
    if path not in changes:
        return None
    if not 0 <= changes[path] <= 100:
        raise RefusedWriteError
    return changes[path] / 100.0
