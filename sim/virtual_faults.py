"""Faults of the wire in virtual time: what becomes of a request.

The same names as over Modbus. A request that is struck is asked again as often as the driver would; a time-out is
waited for, an exception is not.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass

from sim.files.fault import Fault, FaultKind

SPOILS = frozenset(
    {FaultKind.TORN, FaultKind.ZEROS, FaultKind.SENTINEL, FaultKind.FROZEN, FaultKind.MEASUREMENT_FROZEN}
)
"""The answer comes, and its contents are wrong."""

_WAITED_FOR = frozenset(
    {FaultKind.SILENCE, FaultKind.REBOOT, FaultKind.FOREIGN_ID, FaultKind.TRUNCATED, FaultKind.BIT_FLIP}
)
"""Nothing fit comes before the time-out."""

_AT_ONCE = frozenset({FaultKind.RESET, FaultKind.REPEATED_ID, FaultKind.MERGED})
"""The request fails as soon as the answer, or the end of the connection, is there."""

_LATE = frozenset({FaultKind.LATE, FaultKind.SLOW})
_UNHEARD = frozenset({FaultKind.SILENCE, FaultKind.RESET, FaultKind.REBOOT})
ON_THE_WIRE = SPOILS | _WAITED_FOR | _AT_ONCE | _LATE | {FaultKind.EXCEPTION}


@dataclass(frozen=True, slots=True)
class Reply:
    """How a request ends: `after_s` beyond the ordinary time, without an answer (`lost` says why) or spoilt.

    `reached`: the device got it, whatever became of its answer.
    """

    after_s: float = 0.0
    lost: str | None = None
    spoilt: FaultKind | None = None
    reached: bool = True


FINE = Reply()


@dataclass(frozen=True, slots=True)
class Requests:
    """How many requests the shipped driver makes for each thing it does."""

    identify: int
    look: int
    reversion: int
    write: int
    read_back: int


DRIVER_704 = Requests(identify=12, look=2, reversion=2, write=1, read_back=1)
"""`drivers.inverter_sunspec` on a unit of the 7xx models; counted by test over a socket, as the others are."""

DRIVER_123 = Requests(identify=10, look=2, reversion=0, write=2, read_back=1)
"""On a unit of the 1xx models: value and enable are two writes, and a reversion is refused without a request."""

METER_IDENTIFY = 5
"""`drivers.meter_sunspec`; a reading is one request."""


class VirtualWire:
    """The way to one device, with the patience of whoever asks."""

    def __init__(
        self, faults: Sequence[Fault], role: str, timeout_s: float, retries: int, draw: random.Random
    ) -> None:
        self._role = role
        self._faults = tuple(fault for fault in faults if fault.target == role)
        swaps = [fault for fault in faults if fault.kind is FaultKind.UNIT_SWAP]
        self._swaps = sorted(swaps, key=lambda fault: fault.at_s, reverse=True)
        self._on_the_wire = tuple(fault for fault in self._faults if fault.kind in ON_THE_WIRE)
        self._timeout_s = timeout_s
        self._attempts = 1 + retries
        self._draw = draw

    def ask(self, now_s: float) -> Reply:
        """What becomes of a request that is sent now."""
        if not self._on_the_wire:
            return FINE
        active = [fault for fault in self._on_the_wire if fault.at_s <= now_s < fault.until_s]
        if not active:
            return FINE
        waited_s, reason, reached = 0.0, "", False
        for _ in range(self._attempts):
            struck = next((fault for fault in active if self._strikes(fault)), None)
            if struck is None:
                return Reply(waited_s)
            if struck.kind in SPOILS:
                return Reply(waited_s, spoilt=struck.kind)
            if struck.kind is FaultKind.EXCEPTION:
                return Reply(waited_s, lost=f"exception {struck.code}", reached=False)
            if struck.kind in _LATE and (struck.delay_s or 0.0) < self._timeout_s:
                return Reply(waited_s + (struck.delay_s or 0.0))
            waited_s += 0.0 if struck.kind in _AT_ONCE else self._timeout_s
            reason = str(struck.kind)
            reached |= struck.kind not in _UNHEARD
        return Reply(waited_s, lost=reason, reached=reached)

    def series(self, now_s: float, requests: int) -> Reply:
        """What becomes of requests that follow one another: the first that gets lost ends them, spoilt is any."""
        if not self._on_the_wire:
            return FINE
        waited_s, spoilt = 0.0, None
        for _ in range(requests):
            reply = self.ask(now_s + waited_s)
            waited_s += reply.after_s
            spoilt = reply.spoilt or spoilt
            if reply.lost is not None:
                return Reply(waited_s, lost=reply.lost, reached=reply.reached)
        return FINE if waited_s == 0.0 and spoilt is None else Reply(waited_s, spoilt=spoilt)

    def answers(self, now_s: float) -> str:
        """The role of whoever answers: another one while addresses are swapped."""
        role = self._role
        for swap in self._swaps:
            pair = (swap.target or "", swap.swap_with or "")
            if role in pair and swap.at_s <= now_s < swap.until_s:
                role = pair[1 - pair.index(role)]
        return role

    def suffers(self, kind: FaultKind, now_s: float) -> Fault | None:
        """The fault of this kind that is there now."""
        for fault in self._faults:
            if fault.kind is kind and fault.at_s <= now_s < fault.until_s:
                return fault
        return None

    def _strikes(self, fault: Fault) -> bool:
        return fault.rate is None or self._draw.random() < fault.rate
