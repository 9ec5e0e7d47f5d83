"""The agent's side of the PCC meter in virtual time: polled as the shipped task does, judged by the shipped freshness."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from edge.guard.slipping import Slipping
from edge.model.freshness import MeterFreshness, MeterTiming
from edge.model.image import PccReading
from edge.model.readings import MeterRaw
from edge.model.site import Site
from sim.files.fault import FaultKind
from sim.meter import MeterReading
from sim.plant import Plant
from sim.virtual_faults import METER_IDENTIFY, Reply, VirtualWire

TRANSACTION_S = 0.004
"""From a request until its answer; less than a step of the physics."""

_LOST_AFTER_S = 2.0
_LOST_POLL_S = 0.25
_TORN_COUNTS = 65_536
_EPS = 1e-9

Tell = Callable[[str, str], None]


class VirtualMeter:
    """One meter. `due_s`: nothing happens before. `reading` is the PCC as last measured."""

    def __init__(self, plant: Plant, site: Site, wire: VirtualWire, first_s: float, tell: Tell) -> None:
        self.due_s = first_s
        self._plant = plant
        self._wire = wire
        self._tell = tell
        self._polling_s = site.meter.polling_s
        self._nominal_v = site.site.nominal_v
        self._count_w = site.meter.count_w
        self._sign = 1.0 if site.meter.sign == plant.sim.meter.sign else -1.0
        self._freshness = MeterFreshness(MeterTiming.of(site))
        self._slipping = Slipping(site)
        self._poll_s = first_s
        self._answered_s = first_s
        self._known = False
        self.tried = False
        self._said_lost = False
        self._coming: Callable[[float], bool] | None = None
        self._shown: MeterReading | None = None
        self._values = (0.0, 0.0, 0.0)
        self._phase_w: tuple[float, ...] = ()
        self._var = 0.0
        self._phase_var: tuple[float, ...] = ()
        self._raw: tuple[int, ...] = ()

    @property
    def reading(self) -> PccReading:
        """The point of common coupling, as last measured."""
        return self._freshness.reading

    def tick(self, now_s: float) -> bool:
        """Do what is due; True when `reading` is a new measurement."""
        if self._coming is not None:
            end = self._coming
            self._coming = None
            return end(now_s)
        if self._known and not self._said_lost:
            return self._read(now_s)
        # After a loss it may be another device.
        return self._exchange(self._wire.series(now_s, METER_IDENTIFY), now_s, self._identified)

    def _identified(self, now_s: float) -> bool:
        self._known = True
        return self._read(now_s)

    def _read(self, now_s: float) -> bool:
        reply = self._wire.ask(now_s)
        answer = self._answer(reply, now_s)
        return self._exchange(reply, now_s, lambda end_s: self._take(answer, end_s))

    def _exchange(self, reply: Reply, now_s: float, done: Callable[[float], bool]) -> bool:
        """End an exchange: at once, or when its answer comes or is given up."""

        def end(end_s: float) -> bool:
            if reply.lost is None:
                return done(end_s)
            self._missed(reply.lost, end_s)
            return False

        if reply.after_s <= _EPS:
            return end(now_s)
        self._coming, self.due_s = end, now_s + reply.after_s
        return False

    def _take(self, answer: MeterRaw, now_s: float) -> bool:
        self._answered_s, self.tried = now_s, True
        if self._said_lost:
            self._said_lost = False
            self._tell("device-return", "the PCC meter answers again")
        self._next(now_s)
        if answer.received_s < now_s:
            answer = replace(answer, received_s=now_s)
        if not self._freshness.take(answer):
            return False
        slips = self._slipping.take(self._freshness.reading.export_w)
        if slips is not None:
            self._tell("alarm", slips)
        return True

    def _missed(self, reason: str, now_s: float) -> None:
        first, self.tried = not self.tried, True
        if not self._said_lost and (first or now_s - self._answered_s > _LOST_AFTER_S):
            self._said_lost = True
            self._tell("device-loss", f"the PCC meter does not answer: {reason}")
        self._next(now_s)

    def _next(self, now_s: float) -> None:
        gap_s = max(self._polling_s, _LOST_POLL_S) if self._said_lost else self._polling_s
        self._poll_s = max(self._poll_s + gap_s, now_s)
        self.due_s = self._poll_s

    def _answer(self, reply: Reply, now_s: float) -> MeterRaw:
        """What the registers hold as the request arrives; a transaction that ends now began a little earlier."""
        sent_s = now_s - TRANSACTION_S
        if reply.spoilt is None:
            self._look()
            return self._raw_answer(sent_s, now_s)
        if reply.spoilt is FaultKind.ZEROS:
            return MeterRaw(sent_s, now_s, 0.0, (0.0,) * 3, 0.0, 0.0, (0,) * 3, 0.0, (0.0,) * 3)
        if reply.spoilt is FaultKind.SENTINEL:
            return MeterRaw(sent_s, now_s, None, (None,) * 3, None, None, (0x8000, 0xFFFF, 0xFFFF))
        if reply.spoilt is not FaultKind.FROZEN or not self._raw:
            self._look()
        if reply.spoilt is not FaultKind.TORN:
            return self._raw_answer(sent_s, now_s)
        torn_w = self._values[0] + _TORN_COUNTS * self._count_w
        raw = (self._raw[0] + _TORN_COUNTS, *self._raw[1:])
        return replace(self._raw_answer(sent_s, now_s), export_w=torn_w, raw=raw)

    def _raw_answer(self, sent_s: float, now_s: float) -> MeterRaw:
        """The registers as they are."""
        export_w, v_v, f_hz = self._values
        return MeterRaw(
            sent_s, now_s, export_w, self._phase_w, v_v, f_hz, self._raw, self._var, self._phase_var
        )

    def _look(self) -> None:
        """Registers are renewed only when the meter published."""
        shown = self._plant.meter.shown
        if shown is self._shown:
            return
        self._shown = shown
        state = shown.state
        counts = round(self._sign * state.export_w / self._count_w)
        v_v, f_hz = state.v_pu * self._nominal_v, state.hz
        self._values = (counts * self._count_w, v_v, f_hz)
        phases = [round(self._sign * phase_w / self._count_w) for phase_w in state.phase_w]
        self._phase_w = tuple(phase * self._count_w for phase in phases)
        self._var = self._counted(state.export_var)
        self._phase_var = tuple([self._counted(var) for var in state.phase_var])
        self._raw = (counts, *phases, round(v_v * 10), round(f_hz * 100))

    def _counted(self, var: float) -> float:
        """A reactive power as the registers hold it, with the sign of the site."""
        return round(self._sign * var / self._count_w) * self._count_w
