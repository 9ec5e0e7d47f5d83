"""A whole simulated site in one object with one fixed step: script, sun, coils, inverters, PCC, meter. No clock."""

from __future__ import annotations

from collections.abc import Callable
from math import inf

import numpy as np
import numpy.typing as npt

from sim.coil import TripCoil
from sim.connection import Connection
from sim.der import Fleet
from sim.files.load import Motor
from sim.files.script import ScriptEvent
from sim.glide import Glide
from sim.meter import Meter
from sim.script import Script, describe
from sim.setpoint import SetpointWrite
from sim.simfile import SimFile
from sim.site import Generation, Site
from sim.truth import Row
from sim.weather import Weather

Flags = npt.NDArray[np.bool_]

STEP_S = 0.01
"""Time step of the physics in s, when the sim file gives no other."""


class Plant:
    """The physics of a sim file. `step()` advances by `dt_s`; devices write into its parts in between.

    `seed` takes the place of every seed of the file. What devices do by themselves (adopting a curve) is put on
    `firmware` and runs once in every step.

    Attributes:
        available_w: What the sun offers all PV together, within its nameplates.
    """

    def __init__(self, sim: SimFile, dt_s: float | None = None, seed: int | None = None) -> None:
        self.sim = sim
        self.dt_s = dt_s = sim.step_s if dt_s is None else dt_s
        self.steps = 0
        self.fleet = Fleet(sim.inverter, dt_s, sim.load.seed if seed is None else seed)
        self.site = Site(sim.grid, sim.load, dt_s, seed)
        self.weather = Weather(sim.weather, dt_s, sim.weather.seed if seed is None else seed)
        self.script = Script(sim.script)
        self.coils = [TripCoil(coil.watchdog_ms / 1000.0, coil.actuation_s) for coil in sim.coil]
        self.firmware: list[Callable[[], None]] = []
        self._units = {unit.role: index for index, unit in enumerate(sim.inverter)}
        self._behind = [[self._units[role] for role in coil.opens] for coil in sim.coil]
        self._connection = Connection(sim.inverter, sim.grid.phases)
        self._serving = {
            index for index, unit in enumerate(sim.inverter) if unit.storage and unit.storage.ems != "idle"
        }
        self._full_sun = [Glide(unit.sun_pu) for unit in sim.inverter]
        self._events: list[str] = []
        self._contacts: list[bool] = []
        self._reached = np.ones(len(sim.inverter), dtype=bool)
        self._pv_w = np.array([unit.nameplate_w if unit.kind == "pv" else 0.0 for unit in sim.inverter])
        self.available_w = 0.0
        self._shine()
        self.fleet.settle(self.energised())
        self.site.solve(self._generation())
        self.meter = Meter(sim.meter, sim.grid, dt_s, self.site.state, seed)

    @property
    def t_s(self) -> float:
        """Time since the start in s."""
        return self.steps * self.dt_s

    def energised(self) -> Flags:
        """Which inverters have the grid on their terminals."""
        contacts = [coil.contact_closed for coil in self.coils]
        if contacts != self._contacts:
            self._contacts = contacts
            self._reached = np.ones(len(self.sim.inverter), dtype=bool)
            for closed, behind in zip(contacts, self._behind, strict=True):
                if not closed:
                    self._reached[behind] = False
        return self._reached

    def apply(self, event: ScriptEvent) -> str:
        """Let something happen now; it is noted for the truth log and told."""
        steps = round((event.ramp_s or 0.0) / self.dt_s)
        load = self.site.load
        if event.load_step_w is not None:
            load.add(event.load_step_w, steps, event.phase)
        elif event.load_w is not None:
            load.to(event.load_w, steps)
        elif event.sun_pu is not None:
            for unit in self._meant(event):
                self._full_sun[unit].aim(event.sun_pu, steps)
        elif event.v_pu is not None:
            for source in self.site.sources(event.phase):
                source.aim(event.v_pu, steps)
        elif event.hz is not None:
            self.site.hz.aim(event.hz, steps)
        elif event.motor_w is not None:
            load.start(_motor(event), inf if event.run_s is None else event.run_s)
        elif event.set_w is not None:
            for unit in self._meant(event):
                set_pu = event.set_w / self.sim.inverter[unit].nameplate_w
                self.fleet.setpoint.write(unit, SetpointWrite(enabled=True, set_pu=set_pu))
        elif event.wish_w is not None:
            for unit in self._meant(event):
                self._serving.discard(unit)
                self.fleet.setpoint.wish(unit, event.wish_w / self.sim.inverter[unit].nameplate_w)
        self.note(describe(event))
        return describe(event)

    def note(self, event: str) -> None:
        """Put `event` on the next row of the truth."""
        self._events.append(event)

    def step(self) -> Row:
        """Advance by one time step; the truth at its end.

        Raises:
            CollapseError: The grid cannot carry what load and inverters ask of it.
        """
        self.steps += 1
        for event in self.script.step(self.dt_s):
            self.apply(event)
        shines = self.weather.step()
        for unit in self._full_sun:
            if unit.left:
                unit.step()
                shines = True
        if shines:
            self._shine()
        for coil in self.coils:
            coil.step(self.dt_s)
        for run in self.firmware:
            run()
        if self._serving:
            self._serve()
        state = self.site.state
        v_pu, v_low_pu, v_high_pu = self._connection.seen(state)
        self.fleet.step(self.energised(), v_pu, state.hz, v_low_pu, v_high_pu)
        self.meter.step(self.site.step(self._generation()))
        row = self._row()
        self._events.clear()
        return row

    def _shine(self) -> None:
        """Give each inverter its sun: what it has at full sun times the irradiance."""
        sun_pu = np.array([unit.value for unit in self._full_sun]) * self.weather.irradiance_pu
        self.fleet.sun_pu[:] = sun_pu
        self.available_w = float(np.minimum(sun_pu, 1.0) @ self._pv_w)

    def _serve(self) -> None:
        """Storage that serves the site by itself takes and gives, in proportion, what the others leave."""
        power_w = self.fleet.power_w
        net_w = float(power_w[list(self._serving)].sum()) - self.site.state.export_w
        rated_w = sum(self.sim.inverter[unit].nameplate_w for unit in self._serving)
        for unit in self._serving:
            self.fleet.setpoint.wish(unit, net_w / rated_w)

    def _generation(self) -> Generation:
        return self._connection.generation(self.fleet.p_pu, self.fleet.q_pu)

    def _meant(self, event: ScriptEvent) -> list[int]:
        """The inverters that an event is about."""
        return list(self._units.values()) if event.role is None else [self._units[event.role]]

    def _row(self) -> Row:
        return Row(
            t_s=self.t_s,
            export_w=self.site.state.export_w,
            host_load_w=self.site.host_load_w,
            inverter_w=tuple(self.fleet.power_w.tolist()),
            coil_closed=all(self._contacts),
            meter_sampled=self.meter.sampled,
            event="; ".join(self._events),
            available_w=self.available_w,
            phase_w=self.site.state.phase_w,
            phase_var=self.site.state.phase_var,
        )


def _motor(event: ScriptEvent) -> Motor:
    given = {"inrush": event.inrush, "inrush_s": event.inrush_s}
    return Motor.model_validate(
        {"run_w": event.motor_w} | {name: value for name, value in given.items() if value is not None}
    )
