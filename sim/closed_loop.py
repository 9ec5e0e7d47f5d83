"""The simulated site and the shipped `step()` in one loop in virtual time: no sockets, no clock.

What lies between them in the field is here as a few lines: the meter is polled, each inverter's telemetry is up
to a poll old, limits are rounded as the agent writes them, contacts are held by one write for each scan.
"""

from __future__ import annotations

import math
import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from edge.model.commands import Commands, Event
from edge.model.durable import NEW_SITE
from edge.model.image import DerReading, Image, OutputReading, PccReading
from edge.model.sample import Sample
from edge.model.site import Meter, Site
from edge.model.view import Mode
from edge.step import Settings, mode, start, step
from sim.files.ask import Ask
from sim.files.fault import Fault
from sim.files.script import ScriptEvent
from sim.limit import LimitWrite
from sim.plant import STEP_S, Plant
from sim.simfile import SimFile
from sim.truth import Row, Truth

TRANSACTION_S = 0.004
"""From a request until its answer; less than a step of the physics."""

LIMIT_STEP = 0.001
"""Of nameplate: limits on the wire are rounded down to this."""

_FEEDBACK_S = 0.2
_EPS = 1e-9

Scan = Callable[[Image, float], None]


@dataclass(frozen=True, slots=True)
class Written:
    """A limit that went to a device."""

    at_s: float
    der: str
    limit_w: float


class ClosedLoop:
    """A plant and its controller. Roles of the sim file are the names of the site file.

    `seed` draws the phases of all polls. `on_scan` gets each image with its time before the step runs on it.

    Raises:
        UnfitError: The site cannot be held within its bounds.
    """

    def __init__(
        self,
        sim: SimFile,
        site: Site,
        *,
        seed: int = 0,
        dt_s: float = STEP_S,
        on_scan: Scan | None = None,
        faults: Sequence[Fault] = (),
        asks: Sequence[Ask] = (),
    ) -> None:
        self.plant = Plant(sim, dt_s)
        self.site = site
        self.settings = Settings.of(site)
        self.state = start(self.settings, NEW_SITE, 0.0)
        self.events: list[Event] = []
        self.modes: list[tuple[float, Mode]] = []
        self.written: list[Written] = []
        self._faults = faults
        self._asks = asks
        self._rows: list[Row] = []
        self._on_scan = on_scan
        self._scans = 0
        self._scan_due_s = 0.0
        phases = random.Random(seed)
        self._meter = _PolledMeter(site.meter, phases.uniform(0.0, site.meter.polling_s))
        self._units = {unit.role: index for index, unit in enumerate(sim.inverter)}
        self._coils = {coil.role: index for index, coil in enumerate(sim.coil)}
        self._poll_due_s = [phases.uniform(0.0, der.poll_s) for der in site.der]
        self._sent_w: dict[str, float | None] = {der.name: None for der in site.der}
        self._reassert_due_s = [0.0 for _ in site.der]
        self._ders = [
            DerReading(der.name, Sample.none(), Sample.good(der.nameplate_w, 0.0)) for der in site.der
        ]
        self._outputs = [OutputReading(output.name, Sample.none()) for output in site.trip_output]
        self._feedback_due_s = phases.uniform(0.0, _FEEDBACK_S)

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
            self._rows.append(replace(self.plant.step(), available_w=self._available_w()))
            self._tick()
        return self

    def load_step(self, watts: float) -> float:
        """Change the host load now; the time of the first row that shows it."""
        self.plant.apply(ScriptEvent(at_s=0.0, load_step_w=watts))
        return self.now_s + self.plant.dt_s

    def _available_w(self) -> float:
        fleet = self.plant.fleet
        return float(np.minimum(fleet.sun_pu, 1.0) @ fleet.nameplate_w)

    def _tick(self) -> None:
        now_s = self.now_s
        is_new = self._meter.poll(self.plant, now_s)
        self._poll_ders(now_s)
        self._poll_outputs(now_s)
        if is_new or now_s >= self._scan_due_s - _EPS:
            self._scan(now_s)

    def _poll_ders(self, now_s: float) -> None:
        for index, der in enumerate(self.site.der):
            if now_s >= self._poll_due_s[index] - _EPS:
                self._poll_due_s[index] += der.poll_s
                output_w = float(self.plant.fleet.power_w[self._units[der.name]])
                self._ders[index] = DerReading(
                    der.name,
                    Sample.good(output_w, now_s - TRANSACTION_S, now_s),
                    self._ders[index].limit_w,
                )

    def _poll_outputs(self, now_s: float) -> None:
        if now_s < self._feedback_due_s - _EPS:
            return
        self._feedback_due_s += _FEEDBACK_S
        self._outputs = [
            OutputReading(
                output.name, Sample.good(float(self._closed(output.name)), now_s - TRANSACTION_S, now_s)
            )
            for output in self.site.trip_output
        ]

    def _closed(self, name: str) -> bool:
        return self.plant.coils[self._coils[name]].contact_closed

    def _scan(self, now_s: float) -> None:
        self._scans += 1
        self._scan_due_s = now_s + self.site.control.scan_s
        overrides = tuple(
            ask.override() for ask in self._asks if not ask.reset and ask.at_s <= now_s < ask.until_s
        )
        image = Image(self._scans, self._meter.reading, tuple(self._ders), tuple(self._outputs), overrides)
        if self._on_scan:
            self._on_scan(image, now_s)
        self.state, commands, reasons = step(image, self.settings, self.state, now_s)
        self.events += reasons.events
        if not self.modes or self.modes[-1][1] != mode(self.state):
            self.modes.append((now_s, mode(self.state)))
        self._carry_out(commands, now_s)

    def _carry_out(self, commands: Commands, now_s: float) -> None:
        for output in commands.outputs:
            self.plant.coils[self._coils[output.name]].write(closed=output.closed)
        for index, limit in enumerate(commands.limits):
            nameplate_w = self.site.der[index].nameplate_w
            step_w = LIMIT_STEP * nameplate_w
            limit_w = min(nameplate_w, math.floor(limit.limit_w / step_w + 1e-9) * step_w)
            if limit_w != self._sent_w[limit.name] or now_s >= self._reassert_due_s[index]:
                self._write(index, limit.name, limit_w, now_s)

    def _write(self, index: int, name: str, limit_w: float, now_s: float) -> None:
        """A limit on the wire, and its read-back."""
        self.written.append(Written(now_s, name, limit_w))
        self._sent_w[name] = limit_w
        self._reassert_due_s[index] = now_s + self.site.control.reassert_s
        cap_pu = limit_w / self.site.der[index].nameplate_w
        self.plant.fleet.limit.write(self._units[name], LimitWrite(enabled=True, cap_pu=cap_pu))
        before = self._ders[index]
        self._ders[index] = DerReading(
            name, before.output_w, Sample.good(limit_w, now_s, now_s + TRANSACTION_S)
        )


class _PolledMeter:
    """What polling a meter tells: a new sample is at most one poll old, and older by what its registers suffer."""

    def __init__(self, meter: Meter, first_s: float) -> None:
        self.reading = PccReading(Sample.none(), Sample.none(), Sample.none())
        self._meter = meter
        self._due_s = first_s
        self._before_s = -math.inf
        self._sampled_s = -math.inf

    def poll(self, plant: Plant, now_s: float) -> bool:
        """Poll if it is time; True when `reading` is a new measurement."""
        if now_s < self._due_s - _EPS:
            return False
        self._due_s += self._meter.polling_s
        before_s, self._before_s = self._before_s, now_s
        shown = plant.meter.shown
        if shown.sampled_s == self._sampled_s:
            return False
        self._sampled_s = shown.sampled_s
        shown_since_s = max(now_s - self._meter.period_s, before_s)
        oldest_s = shown_since_s - self._meter.latency_s - self._meter.averaging_s
        count_w = self._meter.count_w
        self.reading = PccReading(
            Sample.good(round(shown.state.export_w / count_w) * count_w, oldest_s, now_s),
            Sample.good(shown.state.v_pu, oldest_s, now_s),
            Sample.good(shown.state.hz, oldest_s, now_s),
            self.reading.sequence + 1,
        )
        return True
