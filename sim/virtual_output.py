"""The agent's side of a trip output in virtual time: opened at once, held by complete scans, its watchdog proved."""

from __future__ import annotations

import math
from collections.abc import Callable

from edge.model.image import OutputReading
from edge.model.sample import Sample
from edge.model.site import ModbusCoil, TripOutput
from sim.virtual_faults import VirtualWire
from sim.virtual_meter import TRANSACTION_S
from sim.virtual_switch import Switch

FEEDBACK_S = 0.2
_REOPEN_S = 1.0
_RETRY_S = 0.1
_LOST_AFTER_S = 2.0
_EPS = 1e-9

Tell = Callable[[str, str], None]


class VirtualOutput:
    """One trip output. A hold that fails is dropped: the next scan brings another.

    A contact that was not held for as long as its watchdog has opened by itself; it shows open from then on, and is
    held again only after it was commanded open.
    """

    def __init__(
        self, output: TripOutput, switch: Switch, wire: VirtualWire, first_s: float, tell: Tell
    ) -> None:
        self.output = output
        self.due_s = first_s
        self._switch = switch
        self._wire = wire
        self._tell = tell
        self._closed = Sample.none()
        self._reading = OutputReading(output.name, self._closed)
        self._commanded_closed = False
        self._held_s = -math.inf
        self._feedback_s = first_s
        self._open_s = 0.0
        self._busy_s = -math.inf
        self._answered_s = first_s
        self.tried = False
        self._said_lost = False
        self._fits = _fits(output, switch)
        if not self._fits:
            tell("alarm", f"{output.name}: its watchdog is {switch.watchdog_s:g} s; it is not closed")
        self._watchdog_s = output.watchdog_s if self._fits and output.watchdog_s else math.inf

    def reading(self, now_s: float) -> OutputReading:
        """The contact's feedback."""
        if self._lapsed(now_s):
            return OutputReading(self.output.name, Sample.good(0.0, now_s))
        return self._reading

    def command(self, now_s: float, *, closed: bool, feed: bool) -> None:
        """Open, or hold once if the scan was complete and on time (`feed`)."""
        if not closed:
            if self._commanded_closed:
                self._open_s = now_s
            self._commanded_closed = False
            self.due_s = min(self.due_s, max(self._open_s, self._busy_s))
            return
        if not feed or not self._fits or now_s < self._busy_s:
            return
        if not self._commanded_closed:
            self._commanded_closed, self._held_s = True, now_s
        if not self._lapsed(now_s) and self._request(now_s):
            self._switch.write(closed=True)
            self._held_s = now_s

    def tick(self, now_s: float) -> None:
        """Do what is due: open, again every second, and read the feedback."""
        if not self._commanded_closed and now_s >= self._open_s - _EPS and self._request(now_s):
            self._switch.write(closed=False)
            self._open_s = now_s + _REOPEN_S
        if now_s >= self._feedback_s - _EPS and now_s >= self._busy_s and self._request(now_s):
            self._feedback_s = max(self._feedback_s + FEEDBACK_S, now_s)
            self._read(now_s)
        due_s = self._feedback_s if self._commanded_closed else min(self._feedback_s, self._open_s)
        self.due_s = max(due_s, self._busy_s)

    def _read(self, now_s: float) -> None:
        if self.output.has_feedback:
            self._closed = Sample.good(float(self._switch.contact_closed), now_s - TRANSACTION_S, now_s)
            self._reading = OutputReading(self.output.name, self._closed)

    def _request(self, now_s: float) -> bool:
        """Whether a request sent now is answered; one that is not keeps the wire busy."""
        reply = self._wire.ask(now_s)
        if reply.lost is None and reply.spoilt is None:
            self._answered_s, self.tried = now_s, True
            if self._said_lost:
                self._said_lost = False
                self._tell("device-return", f"{self.output.name}: answers again")
            return True
        self._busy_s = now_s + reply.after_s + _RETRY_S
        first, self.tried = not self.tried, True
        if not self._said_lost and (first or now_s - self._answered_s > _LOST_AFTER_S):
            self._said_lost = True
            reason = reply.lost or reply.spoilt
            self._tell("device-loss", f"{self.output.name}: does not answer: {reason}")
        return False

    def _lapsed(self, now_s: float) -> bool:
        return self._commanded_closed and now_s - self._held_s > self._watchdog_s


def _fits(output: TripOutput, switch: Switch) -> bool:
    """Whether the module's own watchdog is the one that the budgets were computed with."""
    if not isinstance(output, ModbusCoil) or output.watchdog_s is None or output.watchdog_register is None:
        return True
    return 0 < switch.watchdog_s <= output.watchdog_s + 0.001
