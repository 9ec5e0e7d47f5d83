"""A small plant in virtual time, independent of sim/: it answers the pure step and keeps the truth."""

from __future__ import annotations

import copy
import functools
import random
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from edge.model.commands import Commands, Reasons
from edge.model.durable import NEW_SITE, Durable
from edge.model.image import DerReading, Image, OutputReading, Override, PccReading
from edge.model.sample import Sample
from edge.model.site import Der, Site
from edge.model.strict_toml import load
from edge.model.view import View
from edge.step import Settings, State, start, step, view

DT_S = 0.01
WIRE_S = 0.02
"""From the scan until a limit is in the device."""
SITE_FILE = Path(__file__).parents[2] / "sim/sites/demo.site.toml"
FOREVER = float("inf")


def swapped(*pairs: tuple[str, str]) -> Site:
    """The demo site with each (old, new) replaced once; the old text must be there."""
    text = SITE_FILE.read_text(encoding="utf-8")
    for old, new in pairs:
        assert old in text, old
        text = text.replace(old, new, 1)
    return load(Site, text, SITE_FILE.name)


def no_drop(_now_s: float) -> bool:
    """Every meter sample arrives."""
    return False


@dataclass
class Plant:
    """The demo site's two inverters, its meter and its contact, stepped every 10 ms.

    Every knob is a plain attribute, to be turned while it runs. Events, true export and commanded sums are
    kept; `on_scan` is called after each scan with the plant.
    """

    site: Site = field(default_factory=swapped)
    seed: int = 1
    durable: Durable = NEW_SITE
    load_w: float = 45_000.0
    noise_w: float = 0.0
    sun_w: float = FOREVER
    meter_lost: bool = False
    meter_sign: float = 1.0
    writes_ignored: bool = False
    der_lost: set[str] = field(default_factory=set)
    der_refuses: set[str] = field(default_factory=set)
    agent_stopped: bool = False
    feedback_lost: bool = False
    welded: bool = False
    drop_sample: Callable[[float], bool] = no_drop
    overrides: tuple[Override, ...] = ()
    reset: bool = False
    v_pu: float = 1.0
    on_scan: Callable[[Plant], None] | None = None

    def __post_init__(self) -> None:
        """Start with full power behind an open contact."""
        self.random = random.Random(self.seed)
        self.now_s = 100.0
        self.settings = Settings.of(self.site)
        self.state: State = start(self.settings, self.durable, self.now_s)
        self.output_w = {der.name: 0.0 for der in self.site.der}
        self.cap_w = {der.name: der.nameplate_w for der in self.site.der}
        self.flight: dict[str, list[tuple[float, float]]] = {der.name: [] for der in self.site.der}
        self.sent = dict(self.cap_w)
        self.contacted_s = {der.name: self.now_s for der in self.site.der}
        self.dead_s = {der.name: der.dead_time_s for der in self.site.der}
        self.commanded_closed = False
        self.contact_s = self.now_s
        self.closed = False
        self.fed_s = float("-inf")
        self.load_now_w = self.load_w
        self.pcc = PccReading(Sample.none(), Sample.none(), Sample.none())
        self.seen_pcc = self.pcc
        self.meter_next_s = self.now_s + self.random.uniform(0, self.site.meter.period_s)
        self.meter_taken: list[tuple[float, float]] = []
        self.ders = {
            der.name: DerReading(der.name, Sample.none(), Sample.good(der.nameplate_w, self.now_s))
            for der in self.site.der
        }
        self.polled_s = {der.name: self.now_s + self.random.uniform(0, der.poll_s) for der in self.site.der}
        self.scan = 0
        self.scanned_s = self.now_s
        self.truth: list[tuple[float, float]] = []
        self.was_reset = False
        self.samples: list[float] = []
        self.events: list[tuple[float, str, str]] = []
        self.commands = Commands((), ())
        self.reasons = Reasons(())

    @property
    def export_w(self) -> float:
        """True export."""
        return sum(self.output_w.values()) - self.load_now_w

    @property
    def view(self) -> View:
        """What status shows."""
        return view(self.state, self.settings, self.now_s)

    @property
    def commanded_w(self) -> float:
        """The sum of the limits commanded by the last scan."""
        return sum(limit.limit_w for limit in self.commands.limits)

    def run(self, seconds: float) -> Plant:
        """Advance."""
        for _ in range(round(seconds / DT_S)):
            self._tick()
        return self

    def restart(self, after_s: float) -> Plant:
        """Kill the agent, and start it again from what was durable."""
        durable = self.state.durable
        self.agent_stopped = True
        self.run(after_s)
        self.agent_stopped = False
        self.commanded_closed = False
        self.pcc = PccReading(Sample.none(), Sample.none(), Sample.none())
        for name, reading in self.ders.items():
            self.ders[name] = replace(reading, output_w=Sample.none(), limit_w=Sample.none())
        self.state = start(self.settings, durable, self.now_s)
        return self

    def kinds(self, since_s: float = 0.0) -> list[str]:
        """Kinds of all events so far."""
        return [kind for at_s, kind, _ in self.events if at_s >= since_s]

    def at_s(self, kind: str, since_s: float = 0.0) -> float:
        """When the first event of a kind happened."""
        return next(at_s for at_s, found, _ in self.events if found == kind and at_s >= since_s)

    def onset_s(self, above_w: float, since_s: float) -> float:
        """When true export first went above a power."""
        return next(at_s for at_s, export_w in self.truth if at_s >= since_s and export_w > above_w)

    def longest_excursion_s(self, above_w: float, since_s: float = 0.0) -> float:
        """The longest continuous time of true export above a power."""
        longest = run = 0.0
        for at_s, export_w in self.truth:
            run = run + DT_S if at_s >= since_s and export_w > above_w else 0.0
            longest = max(longest, run)
        return longest

    def _tick(self) -> None:
        self.now_s = round(self.now_s + DT_S, 6)
        self._contact()
        self._physics()
        new = self._meter()
        if self.agent_stopped:
            return
        self._poll()
        if new or self.now_s - self.scanned_s >= self.site.control.scan_s - 1e-9:
            self._scan()

    def _contact(self) -> None:
        output = self.site.trip_output[0]
        held = self.commanded_closed and self.now_s - self.fed_s < (output.watchdog_s or FOREVER)
        if held == self.closed or self.welded:
            self.contact_s = self.now_s
        elif self.now_s - self.contact_s >= output.actuation_s - 1e-9:
            self.closed = held

    def _physics(self) -> None:
        self.load_now_w = max(0.0, self.load_w + self.random.gauss(0, self.noise_w))
        for der in self.site.der:
            flight = self.flight[der.name]
            while flight and flight[0][0] <= self.now_s:
                self.cap_w[der.name] = flight.pop(0)[1]
            silent = self.agent_stopped or der.name in self.der_lost
            if not silent:
                self.contacted_s[der.name] = self.now_s
            elif der.reversion and self.now_s - self.contacted_s[der.name] >= der.reversion.timer_s:
                self.cap_w[der.name] = der.reversion.safe_w
            self.output_w[der.name] = self._output_w(der)
        self.truth.append((self.now_s, self.export_w))

    def _output_w(self, der: Der) -> float:
        if der.contact and not self.closed:
            return 0.0
        here = self.output_w[der.name]
        most = der.slope_w_per_s * DT_S
        return min(self.sun_w, here + max(-most, min(most, self.cap_w[der.name] - here)))

    def _meter(self) -> bool:
        meter = self.site.meter
        if self.now_s >= self.meter_next_s:
            self.meter_next_s += meter.period_s
            self.samples.append(self.now_s)
            if not self.drop_sample(self.now_s):
                self.meter_taken.append((self.now_s, self.meter_sign * self.export_w))
        if not self.meter_taken or self.meter_taken[0][0] + meter.latency_s > self.now_s:
            return False
        taken_s, export_w = self.meter_taken.pop(0)
        if self.meter_lost or self.agent_stopped:
            return False
        oldest_s = taken_s - meter.polling_s
        self.pcc = PccReading(
            Sample.good(export_w, oldest_s, self.now_s),
            Sample.good(self.v_pu, oldest_s, self.now_s),
            Sample.good(60.0, oldest_s, self.now_s),
            self.pcc.sequence + 1,
        )
        return True

    def _poll(self) -> None:
        for der in self.site.der:
            lost = der.name in self.der_lost
            reading = self.ders[der.name]
            if self.now_s >= self.polled_s[der.name]:
                self.polled_s[der.name] = max(self.polled_s[der.name] + der.poll_s, self.now_s)
                if not lost:
                    reading = DerReading(
                        der.name,
                        Sample.good(self.output_w[der.name], self.now_s - 0.01, self.now_s),
                        Sample.good(self.sent[der.name], self.now_s - 0.01, self.now_s),
                        refused=der.name in self.der_refuses,
                    )
            if lost and reading.output_w.fresh(self.now_s, der.lost_after_s) is None:
                reading = replace(reading, reachable=False)
            self.ders[der.name] = reading

    def image(self) -> Image:
        """What a scan may look at now."""
        if not any(override.blind for override in self.overrides):
            self.seen_pcc = self.pcc
        closed = Sample.none() if self.feedback_lost else Sample.good(float(self.closed), self.now_s)
        feedback = OutputReading(self.site.trip_output[0].name, closed)
        return Image(
            self.scan,
            self.seen_pcc,
            tuple(self.ders.values()),
            (feedback,),
            self.overrides,
            reset=self.reset,
        )

    def _scan(self) -> None:
        self.scan += 1
        self.scanned_s = self.now_s
        image = self.image()
        self.was_reset, self.reset = self.reset, False
        self.state, self.commands, self.reasons = step(image, self.settings, self.state, self.now_s)
        self.events += [(event.at_s, event.kind, event.detail) for event in self.reasons.events]
        for limit in self.commands.limits:
            self._write(limit.name, limit.limit_w)
        self.commanded_closed = all(output.closed for output in self.commands.outputs)
        if self.commanded_closed:
            self.fed_s = self.now_s
        if self.on_scan:
            self.on_scan(self)

    def _write(self, name: str, limit_w: float) -> None:
        if limit_w == self.sent[name] or name in self.der_lost | self.der_refuses:
            return
        self.sent[name] = limit_w
        if not self.writes_ignored:
            self.flight[name].append((self.now_s + WIRE_S + self.dead_s[name], limit_w))


def settled(**knobs: Any) -> Plant:
    """A demo plant that has entered service and regulates; `knobs` are attributes of the plant."""
    return copied(_settled(tuple(sorted(knobs.items()))))


def copied(plant: Plant) -> Plant:
    """A plant of its own in the same state."""
    twin = copy.copy(plant)
    for name, value in vars(plant).items():
        if isinstance(value, dict | list | set | random.Random):
            setattr(twin, name, copy.deepcopy(value) if name in ("flight", "random") else copy.copy(value))
    return twin


@functools.cache
def _settled(knobs: tuple[tuple[str, Any], ...]) -> Plant:
    plant = Plant(**dict(knobs)).run(20.0)
    assert plant.view.mode == "regulating", plant.view
    return plant
