"""One onset of power above pickup on a small plant in virtual time, against the shipped `step()` and freshness.

The limiter's writes reach nobody: what ends the export is the contact alone. Host load drops at a random phase of
meter, polls and scans; the meter loses, delays and repeats what it shows; a write of the contact may be lost, and
the agent may die while the element is timing.
"""

from __future__ import annotations

import copy
import math
import random
from dataclasses import dataclass

from edge.guard.settings import pickup_w
from edge.model.durable import NEW_SITE
from edge.model.freshness import MeterFreshness, MeterTiming
from edge.model.image import DerReading, Image, OutputReading
from edge.model.readings import MeterRaw
from edge.model.sample import Sample
from edge.model.site import ModbusCoil, Site
from edge.step import Settings, State, mode, start, step

DT_S = 0.005
WIRE_S = 0.005
"""A request and its answer, when nothing is wrong."""
SETTLE_S = 20.0
SHARE = 0.9
"""Of nameplate: what the sun allows, and the host load before the onset."""


@dataclass(frozen=True, slots=True)
class Trouble:
    """What goes wrong. `lost`, `late`, `repeated`: shares of answers lost or late, and of renewals that did not come.

    `dies_s`: the agent is gone so long after the onset. `deaf`: writes of the contact's opening are lost.
    `hidden_s`: for so long after the onset the meter skips every renewal, and no answer comes, from a period before
    the onset on: the first that does then shows what was measured before it, and nothing says how old that is.
    """

    lost: float = 0.0
    late: float = 0.0
    repeated: float = 0.0
    dies_s: float = math.inf
    deaf: bool = False
    hidden_s: float | None = None


@dataclass(frozen=True, slots=True)
class Ending:
    """How it ended. `cleared_s`: from true onset until the contact is open and export at or below the limit.

    `blind_s`: the longest that the guard had gone without a new sample, from the onset to the trip. `missed`:
    measurements that the meter skipped, or that were replaced before an answer brought them.
    """

    cleared_s: float | None
    target: str | None
    blind_s: float
    missed: int


class Plant:
    """One site: DERs at constant power, a host load, a meter, a contact, and the agent's scans."""

    def __init__(self, site: Site, seed: int) -> None:
        self.site, self.draw = site, random.Random(seed)
        (self.output,) = (each for each in site.trip_output if isinstance(each, ModbusCoil))
        self.settings = Settings.of(site)
        self.state: State = start(self.settings, NEW_SITE, 0.0)
        self.now_s = 0.0
        self.trouble = Trouble()
        self.alive_until_s = math.inf
        self.skips_until_s = self.mute_until_s = -math.inf
        self.obeys = True
        self.output_w = {der.name: 0.0 for der in site.der}
        self.load_w = SHARE * site.nameplate_w
        self.held_s = -math.inf
        self.told_s = 0.0
        self.closed = False
        self.released_s = 0.0
        draw = self.draw.uniform
        self.meter = MeterFreshness(MeterTiming.of(site))
        self.renewal_s = draw(0.0, site.meter.period_s)
        self.pending: list[tuple[float, float]] = []
        self.shown_w = 0.0
        self.counter = 0
        self.poll_s = draw(0.0, site.meter.polling_s)
        self.answers: list[tuple[float, float, float, int]] = []
        self.ders = {der.name: DerReading(der.name, Sample.none(), Sample.none()) for der in site.der}
        self.der_poll_s = {der.name: draw(0.0, der.poll_s) for der in site.der}
        self.scan_s = 0.0
        self.opens_s = math.inf
        self.blind_s = 0.0
        self.missed = 0
        self.taken = 0

    @property
    def export_w(self) -> float:
        """True export."""
        made_w = sum(self.output_w[der.name] for der in self.site.der if self.closed or der.contact is None)
        return made_w - self.load_w

    def run(self, seconds: float) -> None:
        """Advance."""
        for _ in range(round(seconds / DT_S)):
            self.tick()

    def tick(self) -> None:
        """One tick of physics, meter and agent."""
        self.now_s += DT_S
        now_s = self.now_s
        self._contact(now_s)
        self._renew(now_s)
        if now_s >= self.alive_until_s:
            return
        new = self._ask(now_s)
        for der in self.site.der:
            if now_s >= self.der_poll_s[der.name]:
                self.der_poll_s[der.name] += der.poll_s
                made_w = self.output_w[der.name] if self.closed or der.contact is None else 0.0
                held = Sample.good(0.0, now_s)
                self.ders[der.name] = DerReading(der.name, Sample.good(made_w, now_s - WIRE_S, now_s), held)
        if new or now_s - self.scan_s >= self.site.control.scan_s - 1e-9:
            self._scan(now_s)

    def _contact(self, now_s: float) -> None:
        """The module: opens when told, or when its watchdog has run out; moves after its actuation time."""
        output = self.output
        held = now_s - self.held_s < (output.watchdog_s or math.inf) and now_s < self.opens_s
        if held is self.closed:
            self.told_s = now_s
        elif now_s - self.told_s >= output.actuation_s - 1e-9:
            self.closed = held

    def _renew(self, now_s: float) -> None:
        """The meter measures once a period and shows it after its latency; sometimes it does not."""
        meter = self.site.meter
        if now_s >= self.renewal_s:
            self.renewal_s += meter.period_s
            if now_s >= self.skips_until_s and self.draw.random() >= self.trouble.repeated:
                late_s = meter.latency_s * self.draw.random()
                self.pending.append((now_s + late_s, self.export_w))
            else:
                self.missed += 1
        while self.pending and self.pending[0][0] <= now_s:
            self.shown_w = self.pending.pop(0)[1]
            self.counter += 1

    def _ask(self, now_s: float) -> bool:
        """The agent polls; one request at a time, an answer is lost, late or in time."""
        meter, new = self.site.meter, False
        if self.answers and self.answers[0][0] <= now_s:
            _, sent_s, export_w, counter = self.answers.pop(0)
            if counter >= 0:
                raw = MeterRaw(sent_s, now_s, export_w, (), self.site.site.nominal_v, 60.0, (1, counter))
                new = self.meter.take(raw)
                self.missed += max(0, counter - self.taken - 1)
                self.taken = counter
        if now_s >= self.poll_s and not self.answers:
            self.poll_s = max(self.poll_s + meter.polling_s, now_s)
            takes_s, counter = WIRE_S, self.counter
            if now_s < self.mute_until_s or self.draw.random() < self.trouble.lost:
                takes_s, counter = meter.transaction_s, -1
            elif self.draw.random() < self.trouble.late:
                takes_s = self.draw.uniform(WIRE_S, meter.transaction_s)
            self.answers.append((now_s + takes_s, now_s, self.shown_w, counter))
        return new

    def _scan(self, now_s: float) -> None:
        gap_s, self.scan_s = now_s - self.scan_s, now_s
        feedback = OutputReading(self.output.name, Sample.good(float(self.closed), now_s))
        image = Image(0, self.meter.reading, tuple(self.ders.values()), (feedback,))
        oldest_s = self.meter.reading.export_w.oldest_s
        was = self.state.durable.tripped
        self.state, commands, _ = step(image, self.settings, self.state, now_s)
        if not was:
            self.blind_s = max(self.blind_s, now_s - oldest_s)
        if self.obeys:
            for limit, der in zip(commands.limits, self.site.der, strict=True):
                self.output_w[der.name] = min(SHARE * der.nameplate_w, limit.limit_w)
        write_s = self.draw.uniform(WIRE_S, self.output.timeout_s)
        if commands.outputs[0].closed:
            self.opens_s = math.inf
            if gap_s <= 2 * self.site.control.scan_s + 1e-9:
                self.held_s = now_s
        elif self.opens_s == math.inf and not self.trouble.deaf:
            self.opens_s = now_s + write_s


def in_service(site: Site, seed: int) -> Plant:
    """A plant that has entered service; its phases are drawn by `seed`."""
    plant = Plant(site, seed)
    plant.run(SETTLE_S)
    assert plant.closed, site
    assert mode(plant.state) == "regulating", plant.state
    return plant


def twin(plant: Plant, seed: int) -> Plant:
    """A plant of its own in the same state, with draws of its own."""
    other = copy.copy(plant)
    other.draw = random.Random(seed)
    other.meter = copy.copy(plant.meter)
    for name in ("pending", "answers", "ders", "der_poll_s"):
        setattr(other, name, copy.copy(getattr(plant, name)))
    return other


def onset(plant: Plant, trouble: Trouble, lasts_s: float = math.inf) -> Ending:
    """Export rises above the limit now, for `lasts_s`; followed until it has cleared, or for long enough not to."""
    site = plant.site
    above_w = max(site.limit_w, pickup_w(site, site.guard.element[0]))
    before_w = plant.load_w
    plant.trouble = trouble
    if trouble.hidden_s is not None:
        _hide(plant, trouble.hidden_s)
    plant.blind_s, plant.missed, plant.obeys = 0.0, 0, False
    begun_s = plant.now_s
    plant.alive_until_s = begun_s + trouble.dies_s
    plant.load_w -= (above_w - plant.export_w) + plant.draw.uniform(1.0, 0.2 * site.nameplate_w)
    cleared_s = None
    while plant.now_s - begun_s < min(lasts_s, 1e9) + 3.0 and plant.now_s - begun_s < 6.0:
        plant.tick()
        if plant.now_s - begun_s >= lasts_s:
            plant.load_w = before_w
        elif not plant.closed and plant.export_w <= site.limit_w:
            cleared_s = plant.now_s - begun_s
            break
    plant.missed += max(0, plant.counter - plant.taken - 1)
    return Ending(cleared_s, plant.state.durable.target, plant.blind_s, plant.missed)


def _hide(plant: Plant, hidden_s: float) -> None:
    """One last renewal is seen by nobody; the meter stays with it, and answers again before it renews."""
    meter = plant.site.meter
    plant.mute_until_s = math.inf
    plant.run(meter.period_s + meter.latency_s)
    plant.mute_until_s = plant.now_s + hidden_s
    plant.skips_until_s = plant.mute_until_s + meter.transaction_s + 2 * meter.polling_s
