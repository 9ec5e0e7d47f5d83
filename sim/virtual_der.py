"""The agent's side of one DER in virtual time: polled, told its limit, read back, met again after each loss.

As the shipped task does it: the latest command wins, the first write after meeting a device never loosens what it
holds, an acknowledgement proves nothing before the limit was read back, and the limit is re-asserted and looked at
again. Each action is asked of the wire request by request, as many as the shipped driver makes; what no fault
strikes takes no time.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace

from edge.model.band import STEP, Band
from edge.model.freshness import DerFreshness, der_grid
from edge.model.image import DerReading
from edge.model.readings import DerRaw
from edge.model.refusal import Refusal
from edge.model.sample import Sample
from edge.model.site import Der
from sim.files.fault import FaultKind
from sim.plant import Plant
from sim.virtual_faults import DRIVER_123, DRIVER_704, FINE, Reply, VirtualWire
from sim.virtual_limit import registers
from sim.virtual_meter import TRANSACTION_S

_RETRY_S = 0.25
_REWRITE_S = 0.5
_TORN_COUNTS = 65_536
_EPS = 1e-9

Tell = Callable[[str, str], None]
Wrote = Callable[[str, float], None]


class VirtualDer:
    """Owns one device's limit. `due_s`: nothing happens before; `wrote` is told each limit that is sent."""

    def __init__(
        self,
        der: Der,
        plant: Plant,
        wire: VirtualWire,
        *,
        nominal_v: float,
        reassert_s: float,
        first_s: float,
        tell: Tell,
        wrote: Wrote,
    ) -> None:
        self.der = der
        self.due_s = 0.0
        self._limits = registers(der, plant, wire)
        self._requests = DRIVER_704 if self._limits.can_revert else DRIVER_123
        self._plant = plant
        self._wire = wire
        self._nominal_v = nominal_v
        self._reassert_s = reassert_s
        self._tell = tell
        self._wrote = wrote
        self._freshness = DerFreshness(der)
        self._limit_w, self._floor_w = Sample.none(), Sample.none()
        self._soc_pu = Sample.none()
        self._v_pu, self._f_hz = Sample.none(), Sample.none()
        self._known = False
        self.tried = False
        self._refusal = Refusal(der.nameplate_w)
        self._reversion_fails = False
        self._said_lost = False
        self._wanted: Band | None = None
        self._written: Band | None = None
        self._held: Band | None = None
        self._asked: Band | None = None
        self._answered_s = first_s
        self._poll_s = first_s
        self._reassert_due_s = 0.0
        self._write_after_s = 0.0
        self._coming: tuple[float, Callable[[float], None]] | None = None
        self._last: DerRaw | None = None
        self._reading: DerReading | None = None

    def reading(self, now_s: float) -> DerReading:
        """The DER as last seen."""
        reachable = not (self._said_lost or now_s - self._answered_s > self.der.lost_after_s)
        if self._reading is None or self._reading.reachable != reachable:
            self._reading = DerReading(
                name=self.der.name,
                output_w=self._freshness.output_w,
                limit_w=self._limit_w,
                reachable=reachable,
                refused=self._refusal.active or self._reversion_fails,
                v_pu=self._v_pu,
                f_hz=self._f_hz,
                floor_w=self._floor_w,
                soc_pu=self._soc_pu,
            )
        return self._reading

    def command(self, limit_w: float, now_s: float, floor_w: float = 0.0) -> None:
        """The latest command; it is written at once when nothing stands against it."""
        self._wanted = Band.commanded(limit_w, floor_w, self.der)
        if self._coming is None and self._known and now_s >= self._write_due_s() - _EPS:
            self._write(now_s)
            self._plan()

    def tick(self, now_s: float) -> None:
        """Do what is due: the end of an exchange, meeting the device, a write, a poll."""
        self._finish(now_s)
        if self._coming is None and self._known and now_s >= self._write_due_s() - _EPS:
            self._write(now_s)
        if self._coming is None and now_s >= self._poll_s - _EPS:
            (self._poll if self._known else self._meet)(now_s)
        self._plan()

    def _plan(self) -> None:
        if self._coming is not None:
            self.due_s = self._coming[0]
            return
        self.due_s = min(self._poll_s, self._write_due_s()) if self._known else self._poll_s

    def _write_due_s(self) -> float:
        """When the next write may go; a limit below the last one asked for waits for no pause after a failure."""
        if self._wanted is None:
            return math.inf
        if self._wanted.tightens(self._asked):
            return 0.0
        changed = self._wanted != self._written
        return self._write_after_s if changed else max(self._write_after_s, self._reassert_due_s)

    def _exchange(
        self, reply: Reply, now_s: float, done: Callable[[float], None], *, writes: bool = False
    ) -> None:
        """End an exchange: at once, or when its answer comes or is given up."""

        def end(end_s: float) -> None:
            self._reading = None
            if reply.lost is None and not (writes and reply.spoilt is FaultKind.SENTINEL):
                done(end_s)
            else:
                self._missed(reply.lost or "what it answers is not implemented", end_s, writes=writes)

        if reply is FINE:
            end(now_s)
            return
        self._coming = (now_s + reply.after_s, end)
        self._finish(now_s)

    def _finish(self, now_s: float) -> None:
        if self._coming is not None and now_s >= self._coming[0] - _EPS:
            end = self._coming[1]
            self._coming = None
            end(now_s)

    def _meet(self, now_s: float) -> None:
        """First contact, and again after each loss: who it is, what it holds, and its reversion."""
        needs = self._requests
        reply = self._wire.series(now_s, needs.identify + needs.look)

        def seen(end_s: float) -> None:
            self._held = self._read_limit(reply, end_s)
            self._revert(end_s, met)

        def met(end_s: float) -> None:
            self._known, self._written, self._poll_s = True, None, end_s
            self._answered(end_s)

        self._exchange(reply, now_s, seen)

    def _poll(self, now_s: float) -> None:
        self._poll_s = max(self._poll_s + self.der.poll_s, now_s)
        reply = self._wire.ask(now_s)
        answer = self._answer(reply, now_s)

        def polled(end_s: float) -> None:
            taken = replace(answer, received_s=end_s)
            if taken.soc_pu is not None:
                self._soc_pu = Sample.good(taken.soc_pu, taken.request_sent_s, end_s)
            if self._freshness.take(taken):
                self._v_pu, self._f_hz = der_grid(taken, self._nominal_v)
            self._answered(end_s)

        self._exchange(reply, now_s, polled)

    def _answer(self, reply: Reply, now_s: float) -> DerRaw:
        """What the registers hold as the request arrives."""
        sent_s = now_s - TRANSACTION_S
        if reply.spoilt in (FaultKind.FROZEN, FaultKind.MEASUREMENT_FROZEN) and self._last is not None:
            return replace(self._last, request_sent_s=sent_s, received_s=now_s)
        if reply.spoilt in (FaultKind.ZEROS, FaultKind.SENTINEL):
            return DerRaw(sent_s, now_s, None, None, None, (0, 0, 0))
        output_w = round(float(self._plant.fleet.power_w[self._limits.unit(now_s)]))
        if reply.spoilt is FaultKind.TORN:
            output_w += _TORN_COUNTS
        state = self._plant.site.state
        v_v = state.v_pu * self._nominal_v
        raw = (output_w, round(v_v * 10), round(state.hz * 100))
        soc_pu = float(self._plant.fleet.soc_pu[self._limits.unit(now_s)])
        shown_pu = None if math.isnan(soc_pu) else soc_pu
        self._last = DerRaw(sent_s, now_s, float(output_w), v_v, state.hz, raw, shown_pu)
        return self._last

    def _write(self, now_s: float) -> None:
        wanted = self._wanted
        if wanted is None:
            return
        if wanted != self._written:
            self._send(wanted, now_s)
            return
        reply = self._wire.series(now_s, self._requests.look)

        def looked(end_s: float) -> None:
            self._look_for_drift(reply, wanted, end_s)
            if self._reversion_fails:
                self._revert(end_s, lambda set_s: self._send(wanted, set_s), writes=True)
            else:
                self._send(wanted, end_s)

        self._exchange(reply, now_s, looked, writes=True)

    def _send(self, wanted: Band, now_s: float) -> None:
        # The first write after meeting a device never loosens what it holds.
        band = wanted.within(self._held)
        self._wrote(self.der.name, band.limit_w)
        # Until it is verified nothing is known: an acknowledgement that gets lost leaves either limit in force.
        self._asked, self._written = band, None
        reply = self._wire.series(now_s, self._requests.write)
        taken = self._limits.write(reply, band, now_s)

        def acknowledged(ack_s: float) -> None:
            read_back = self._wire.series(ack_s, self._requests.read_back)

            def verified(end_s: float) -> None:
                self._reassert_due_s = end_s + self._reassert_s
                self._take_result(read_back, band, now_s, end_s, taken=taken)
                self._answered(end_s)

            self._exchange(read_back, ack_s, verified, writes=True)

        self._exchange(reply, now_s, acknowledged, writes=True)

    def _take_result(self, reply: Reply, band: Band, sent_s: float, now_s: float, *, taken: bool) -> None:
        found = None
        if taken:
            found = self._limits.read(reply, now_s)
            self._hold(found, sent_s, now_s + TRANSACTION_S)
            if not found.differs(band, STEP / 2 * self.der.nameplate_w):
                self._written, self._held = band, None
                if self._refusal.taken(now_s, band):
                    self._tell("device-return", f"{self.der.name}: takes its limit again")
                return
        self._write_after_s = now_s + _REWRITE_S
        if self._refusal.refused(now_s, found):
            why = "reads back another" if taken else "refused"
            self._tell(
                "write-unverified", f"{self.der.name}: a limit of {band.limit_w:.0f} W is not in it: {why}"
            )

    def _look_for_drift(self, reply: Reply, wanted: Band, now_s: float) -> None:
        before = Band(self._limit_w.otherwise(wanted.limit_w), self._floor_w.otherwise(wanted.floor_w))
        found = self._read_limit(reply, now_s)
        if found.differs(before, STEP * self.der.nameplate_w):
            said = f"{self.der.name}: its limit drifted from {before.limit_w:.0f} W to {found.limit_w:.0f} W"
            self._tell("write-unverified", said)

    def _read_limit(self, reply: Reply, now_s: float) -> Band:
        held = self._limits.read(reply, now_s)
        self._hold(held, now_s, now_s)
        return held

    def _hold(self, band: Band, oldest_s: float, newest_s: float) -> None:
        self._limit_w = Sample.good(band.limit_w, oldest_s, newest_s)
        if self.der.kind == "storage":
            self._floor_w = Sample.good(band.floor_w, oldest_s, newest_s)

    def _revert(self, now_s: float, done: Callable[[float], None], *, writes: bool = False) -> None:
        """Set the reversion of the site file, where it has one, and go on."""
        if self.der.reversion is None:
            done(now_s)
            return
        reply = self._wire.series(now_s, self._requests.reversion)

        def verified(end_s: float) -> None:
            held = self._limits.set_reversion(reply, end_s)
            if not held and not self._reversion_fails:
                self._tell("write-unverified", f"{self.der.name}: its reversion is not in the device")
            self._reversion_fails = not held
            done(end_s)

        self._exchange(reply, now_s, verified, writes=writes)

    def _answered(self, now_s: float) -> None:
        self._answered_s, self.tried = now_s, True
        if self._said_lost:
            self._said_lost = False
            self._tell("device-return", f"{self.der.name}: answers again")

    def _missed(self, reason: str, now_s: float, *, writes: bool) -> None:
        if writes:
            self._write_after_s = now_s + _RETRY_S
        self._poll_s = max(self._poll_s, now_s + min(_RETRY_S, self.der.poll_s))
        first, self.tried = not self.tried, True
        if not self._said_lost and (first or now_s - self._answered_s > self.der.lost_after_s):
            self._said_lost, self._known = True, False
            self._tell("device-loss", f"{self.der.name}: does not answer: {reason}")
