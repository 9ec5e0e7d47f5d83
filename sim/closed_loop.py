"""The simulated site and the shipped `step()` in one loop in virtual time: no sockets, no clock.

What lies between them in the field is here as plain objects that do what the agent's tasks do: the meter and the
inverters are polled and judged by the shipped freshness, limits are written, read back and re-asserted, contacts
are held by complete scans. Faults strike what the loop reads and writes.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from edge.model.commands import Commands, Event, Reasons
from edge.model.durable import NEW_SITE
from edge.model.image import Image, Override, PccReading
from edge.model.site import GpioPulse, PermitService, Site, TripOutput
from edge.model.view import Mode
from edge.step import Settings, State, mode, start, step
from sim.files.ask import Ask
from sim.files.fault import Fault
from sim.files.script import ScriptEvent
from sim.plant import Plant
from sim.plant_faults import PlantFaults
from sim.simfile import SimFile
from sim.truth import Row, Truth
from sim.virtual_der import VirtualDer
from sim.virtual_faults import VirtualWire
from sim.virtual_gateway import Gateway
from sim.virtual_meter import VirtualMeter
from sim.virtual_output import FEEDBACK_S, VirtualOutput
from sim.virtual_switch import switch_of

_EPS = 1e-9
_GAP_ALLOWANCE = 2.0
_FIRST_CONTACT_S = 5.0
"""The first scan waits this long for every device to be tried once."""

Scan = Callable[[Image, float], None]
Control = Callable[[Image, Settings, State, float], tuple[State, Commands, Reasons]]


@dataclass(frozen=True, slots=True)
class Written:
    """A limit that went to a device."""

    at_s: float
    der: str
    limit_w: float


class ClosedLoop:
    """A plant and its controller. Roles of the sim file are the names of the site file.

    `seed` draws the phases of all polls and what faults strike. `on_scan` gets each image with its time before the
    step runs on it; `control` is that step. `asks` is what people want of the agent. `plant_seed` takes the place of every seed of the sim
    file. `settings` takes the place of what the site file compiles to.

    Raises:
        UnfitError: The site cannot be held within its bounds.
    """

    def __init__(
        self,
        sim: SimFile,
        site: Site,
        *,
        seed: int = 0,
        dt_s: float | None = None,
        plant_seed: int | None = None,
        on_scan: Scan | None = None,
        faults: Sequence[Fault] = (),
        asks: Sequence[Ask] = (),
        settings: Settings | None = None,
    ) -> None:
        self.plant = Plant(sim, dt_s, plant_seed)
        self.site = site
        self.settings = settings or Settings.of(site)
        self.control: Control = step
        self.events: list[Event] = []
        self.modes: list[tuple[float, Mode]] = []
        self.written: list[Written] = []
        self._rows: list[Row] = []
        self._on_scan = on_scan
        self._faults = faults
        self._asks = sorted(asks, key=lambda ask: ask.at_s)
        self._plant_faults = PlantFaults(self.plant, faults)
        self._gateway = Gateway(faults)
        self._draw = random.Random(seed)
        self._scans = 0
        self.state = start(self.settings, NEW_SITE, 0.0)
        self._come_up()

    @property
    def now_s(self) -> float:
        """Time since the start in s."""
        return self.plant.t_s

    @property
    def truth(self) -> Truth:
        """Everything that happened so far."""
        return Truth.of(self._rows)

    def run(self, seconds: float) -> ClosedLoop:
        """Advance by whole steps of the physics."""
        for _ in range(round(seconds / self.plant.dt_s)):
            self._plant_faults.step(self.now_s)
            self._rows.append(self.plant.step())
            self._tick(self.now_s)
        return self

    def load_step(self, watts: float) -> float:
        """Change the host load now; the time of the first row that shows it."""
        self.plant.apply(ScriptEvent(at_s=0.0, load_step_w=watts))
        return self.now_s + self.plant.dt_s

    def _come_up(self) -> None:
        """The agent's process starts: it knows nothing of the devices."""
        site, now_s, draw = self.site, self.now_s, self._draw

        def wire(role: str, timeout_s: float, retries: int) -> VirtualWire:
            return VirtualWire(self._faults, role, timeout_s, retries, draw)

        meter_wire = wire("meter", site.meter.timeout_s, site.meter.retries)
        first_s = now_s + draw.uniform(0.0, site.meter.polling_s)
        self._meter = VirtualMeter(self.plant, site, meter_wire, first_s, self._tell)
        self._ders = [
            VirtualDer(
                der,
                self.plant,
                wire(der.name, der.timeout_s, der.retries),
                nominal_v=site.site.nominal_v,
                reassert_s=site.control.reassert_s,
                first_s=now_s + draw.uniform(0.0, der.poll_s),
                tell=self._tell,
                wrote=self._wrote,
            )
            for der in site.der
        ]
        self._outputs = [
            VirtualOutput(
                output,
                switch_of(self.plant, output),
                self._wire_of(output),
                now_s + draw.uniform(0.0, FEEDBACK_S),
                self._tell,
            )
            for output in site.trip_output
        ]
        self._came_up_s = now_s
        self._all_tried = False
        self._scan_due_s = now_s
        self._scanned_s = now_s
        self._seen: PccReading | None = None

    def _wire_of(self, output: TripOutput) -> VirtualWire:
        """A permit is its inverter's, so whatever strikes that one's wire strikes it; a GPIO line has no time-out."""
        role = output.der if isinstance(output, PermitService) else output.name
        timeout_s = 0.0 if isinstance(output, GpioPulse) else output.timeout_s
        return VirtualWire(self._faults, role, timeout_s, 0, self._draw)

    def _tell(self, kind: str, detail: str) -> None:
        self.events.append(Event(kind, self.now_s, detail))

    def _wrote(self, name: str, limit_w: float) -> None:
        self.written.append(Written(self.now_s, name, limit_w))

    def _tick(self, now_s: float) -> None:
        gateway = self._gateway
        if gateway.can_fail and gateway.is_down(now_s):
            return
        if gateway.can_fail and gateway.restarted(now_s):
            self.state = start(self.settings, self.state.durable, now_s)
            self._tell("restart", "the agent comes up with the protective state that it kept")
            self._come_up()
        is_new = now_s >= self._meter.due_s - _EPS and self._meter.tick(now_s)
        for der in self._ders:
            if now_s >= der.due_s - _EPS:
                der.tick(now_s)
        for output in self._outputs:
            if now_s >= output.due_s - _EPS:
                output.tick(now_s)
        if not self._all_tried:
            if not self._may_begin(now_s):
                return
            self._all_tried, self._scanned_s, self._scan_due_s = True, now_s, now_s
        if is_new or now_s >= self._scan_due_s - _EPS:
            self._scan(now_s)

    def _may_begin(self, now_s: float) -> bool:
        """Whether every device was tried once, or that took too long."""
        parts: tuple[VirtualMeter | VirtualDer | VirtualOutput, ...]
        parts = (self._meter, *self._ders, *self._outputs)
        return all(part.tried for part in parts) or now_s - self._came_up_s >= _FIRST_CONTACT_S - _EPS

    def _scan(self, now_s: float) -> None:
        self._scans += 1
        is_on_time = now_s - self._scanned_s <= _GAP_ALLOWANCE * self.site.control.scan_s + _EPS
        self._scanned_s, self._scan_due_s = now_s, now_s + self.site.control.scan_s
        image = self._image(now_s)
        if self._on_scan:
            self._on_scan(image, now_s)
        self.state, commands, reasons = self.control(image, self.settings, self.state, now_s)
        self.events += reasons.events
        if not self.modes or self.modes[-1][1] != mode(self.state):
            self.modes.append((now_s, mode(self.state)))
        self._carry_out(commands, now_s, feed=is_on_time)

    def _image(self, now_s: float) -> Image:
        overrides: tuple[Override, ...] = ()
        reset = False
        if self._asks:
            active = [ask for ask in self._asks if ask.at_s <= now_s < ask.until_s]
            overrides = tuple(ask.override() for ask in active if not ask.reset)
            reset = any(ask.reset for ask in active)
            self._asks = [
                ask for ask in self._asks if now_s < ask.until_s and not (ask.reset and ask in active)
            ]
        pcc = self._meter.reading
        if not any(override.blind for override in overrides):
            self._seen = pcc
        return Image(
            self._scans,
            self._seen or pcc,
            tuple([der.reading(now_s) for der in self._ders]),
            tuple([output.reading(now_s) for output in self._outputs]),
            overrides,
            reset=reset,
        )

    def _carry_out(self, commands: Commands, now_s: float, *, feed: bool) -> None:
        for output, command in zip(self._outputs, commands.outputs, strict=True):
            output.command(now_s, closed=command.closed, feed=feed)
        for der, limit in zip(self._ders, commands.limits, strict=True):
            der.command(limit.limit_w, now_s, limit.floor_w)
