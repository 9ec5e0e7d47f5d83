"""A whole simulated site in one object with one fixed step: script, coils, inverters, PCC and meter. No clock."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from sim.coil import TripCoil
from sim.der import Fleet
from sim.files.script import ScriptEvent
from sim.meter import Meter
from sim.script import Script, describe
from sim.simfile import SimFile
from sim.site import Site
from sim.truth import Row

Flags = npt.NDArray[np.bool_]

STEP_S = 0.01
"""Time step of the physics in s."""


class Plant:
    """The physics of a sim file. `step()` advances by `dt_s`; devices write into its parts in between.

    What devices do by themselves (adopting a curve) is put on `firmware` and runs once in every step.
    """

    def __init__(self, sim: SimFile, dt_s: float = STEP_S) -> None:
        self.sim = sim
        self.dt_s = dt_s
        self.steps = 0
        self.fleet = Fleet(sim.inverter, dt_s)
        self.site = Site(sim.grid, sim.load, dt_s)
        self.script = Script(sim.script)
        self.coils = [TripCoil(coil.watchdog_ms / 1000.0, coil.actuation_s) for coil in sim.coil]
        roles = [unit.role for unit in sim.inverter]
        self._behind = [[roles.index(role) for role in coil.opens] for coil in sim.coil]
        self.firmware: list[Callable[[], None]] = []
        self._events: list[str] = []
        self.fleet.settle(self.energised())
        self._solve()
        self.meter = Meter(sim.meter, dt_s, self.site.state)

    @property
    def t_s(self) -> float:
        """Time since the start in s."""
        return self.steps * self.dt_s

    def energised(self) -> Flags:
        """Which inverters have the grid on their terminals."""
        reached = np.ones(len(self.sim.inverter), dtype=bool)
        for coil, behind in zip(self.coils, self._behind, strict=True):
            if not coil.contact_closed:
                reached[behind] = False
        return reached

    def apply(self, event: ScriptEvent) -> str:
        """Let something happen to the load or the sun now; it is noted for the truth log and told."""
        if event.load_step_w is not None:
            self.site.load_w = max(0.0, self.site.load_w + event.load_step_w)
        elif event.load_w is not None:
            self.site.load_w = event.load_w
        elif event.sun_pu is not None:
            self.fleet.sun_pu[:] = event.sun_pu
        self.note(describe(event))
        return describe(event)

    def note(self, event: str) -> None:
        """Put `event` on the next row of the truth."""
        self._events.append(event)

    def step(self) -> Row:
        """Advance by one time step; the truth at its end."""
        self.steps += 1
        for event in self.script.step(self.dt_s):
            self.apply(event)
        for coil in self.coils:
            coil.step(self.dt_s)
        for run in self.firmware:
            run()
        self.fleet.step(self.energised(), self.site.state.v_pu, self.site.state.hz)
        self._solve()
        self.meter.step(self.site.state)
        row = self._row()
        self._events.clear()
        return row

    def _solve(self) -> None:
        self.site.step(float(self.fleet.power_w.sum()), float(self.fleet.reactive_var.sum()))

    def _row(self) -> Row:
        return Row(
            t_s=self.t_s,
            export_w=self.site.state.export_w,
            host_load_w=self.site.host_load_w,
            inverter_w=tuple(self.fleet.power_w.tolist()),
            coil_closed=all(coil.contact_closed for coil in self.coils),
            meter_sampled=self.meter.sampled,
            event="; ".join(self._events),
        )
