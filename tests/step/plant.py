"""A small plant in virtual time, independent of sim/: it answers the pure step and keeps the truth."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass, field

from edge.model.durable import NEW_SITE, Durable
from edge.model.image import DerReading, Image, OutputReading, Override, PccReading
from edge.model.sample import Quality, Sample
from edge.model.site import Site
from edge.model.strict_toml import load
from edge.step import Settings, State, start, step, view

DT_S = 0.01
SITE_FILE = "sim/sites/demo.site.toml"


def demo_site(**swaps: str) -> Site:
    """The demo site with pieces of its text swapped."""
    with open(SITE_FILE, encoding="utf-8") as file:  # noqa: PTH123
        text = file.read()
    for old, new in swaps.items():
        text = text.replace(old, new)
    return load(Site, text, SITE_FILE)


def swapped(*pairs: tuple[str, str]) -> Site:
    """The demo site with each (old, new) replaced once; the old text must be there."""
    with open(SITE_FILE, encoding="utf-8") as file:  # noqa: PTH123
        text = file.read()
    for old, new in pairs:
        assert old in text, old
        text = text.replace(old, new, 1)
    return load(Site, text, SITE_FILE)


@dataclass
class Plant:
    """Two inverters, a meter and a contact, stepped every 10 ms; every knob is a plain attribute."""

    site: Site
    seed: int = 1
    durable: Durable = NEW_SITE
    load_w: float = 45_000.0
    noise_w: float = 0.0
    sun_w: float = float("inf")
    meter_lost: bool = False
    writes_ignored: bool = False
    der_lost: set[str] = field(default_factory=set)
    agent_stopped: bool = False
    drop_sample: Callable[[float], bool] = lambda _now_s: False
    overrides: tuple[Override, ...] = ()
    reset: bool = False
    v_pu: float = 1.0

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
        self.closed = False
        self.fed_s = float("-inf")
        self.pcc = PccReading(Sample.none(), Sample.none(), Sample.none())
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
        self.events: list[tuple[float, str, str]] = []
        self.sums: list[tuple[float, float]] = []

    @property
    def export_w(self) -> float:
        """True export."""
        return sum(self.output_w.values()) - self.load_now_w

    def run(self, seconds: float) -> Plant:
        """Advance."""
        for _ in range(round(seconds / DT_S)):
            self._tick()
        return self

    def kinds(self) -> list[str]:
        """Kinds of all events so far."""
        return [kind for _, kind, _ in self.events]

    def longest_excursion_s(self, above_w: float, since_s: float = 0.0) -> float:
        """The longest continuous time of true export above a power."""
        longest = run = 0.0
        for at_s, export_w in self.truth:
            run = run + DT_S if at_s >= since_s and export_w > above_w else 0.0
            longest = max(longest, run)
        return longest

    def _tick(self) -> None:
        self.now_s = round(self.now_s + DT_S, 6)
        self._physics()
        new = self._meter()
        self._poll()
        if not self.agent_stopped and (new or self.now_s - self.scanned_s >= self.site.control.scan_s - 1e-9):
            self._scan()

    def _physics(self) -> None:
        self.load_now_w = max(0.0, self.load_w + self.random.gauss(0, self.noise_w))
        watchdog_s = self.site.trip_output[0].watchdog_s or float("inf")
        closed = self.closed and self.now_s - self.fed_s < watchdog_s
        for der in self.site.der:
            flight = self.flight[der.name]
            while flight and flight[0][0] <= self.now_s:
                self.cap_w[der.name] = flight.pop(0)[1]
            here = self.output_w[der.name]
            want = min(self.cap_w[der.name], self.sun_w, der.nameplate_w)
            most = der.slope_w_per_s * DT_S
            here += max(-most, min(most, want - here))
            self.output_w[der.name] = 0.0 if der.contact and not closed else here
        self.truth.append((self.now_s, self.export_w))

    def _meter(self) -> bool:
        meter = self.site.meter
        if self.now_s >= self.meter_next_s:
            self.meter_next_s += meter.period_s
            if not self.drop_sample(self.now_s):
                self.meter_taken.append((self.now_s, self.export_w))
        if self.meter_lost or not self.meter_taken or self.meter_taken[0][0] + meter.latency_s > self.now_s:
            return False
        taken_s, export_w = self.meter_taken.pop(0)
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
            if self.now_s >= self.polled_s[der.name]:
                self.polled_s[der.name] += der.poll_s
                if not lost:
                    self.ders[der.name] = DerReading(
                        der.name,
                        Sample.good(self.output_w[der.name], self.now_s - 0.01, self.now_s),
                        Sample.good(self.sent[der.name], self.now_s - 0.01, self.now_s),
                    )
            reading = self.ders[der.name]
            if lost and reading.output_w.fresh(self.now_s, der.lost_after_s) is None:
                self.ders[der.name] = DerReading(der.name, reading.output_w, reading.limit_w, reachable=False)

    def _scan(self) -> None:
        self.scan += 1
        self.scanned_s = self.now_s
        blind = any(override.blind for override in self.overrides)
        pcc = PccReading(*(Sample.none(Quality.STALE),) * 3, sequence=self.pcc.sequence) if blind else self.pcc
        feedback = OutputReading("coil-2", Sample.good(float(self.closed), self.now_s))
        image = Image(
            self.scan, pcc, tuple(self.ders.values()), (feedback,), self.overrides, reset=self.reset
        )
        self.reset = False
        self.state, commands, reasons = step(image, self.settings, self.state, self.now_s)
        self.events += [(event.at_s, event.kind, event.detail) for event in reasons.events]
        self.sums.append((self.now_s, sum(limit.limit_w for limit in commands.limits)))
        self.reasons = reasons
        self.commands = commands
        for limit in commands.limits:
            if limit.limit_w != self.sent[limit.name] and limit.name not in self.der_lost:
                self.sent[limit.name] = limit.limit_w
                if not self.writes_ignored:
                    dead_s = next(der.dead_time_s for der in self.site.der if der.name == limit.name)
                    self.flight[limit.name].append((self.now_s + 0.02 + dead_s, limit.limit_w))
        self.closed = all(output.closed for output in commands.outputs)
        if self.closed:
            self.fed_s = self.now_s

    def view(self) -> object:
        """What status shows."""
        return view(self.state, self.settings, self.now_s)
