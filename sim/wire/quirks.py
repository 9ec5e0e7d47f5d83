"""The quirks of a device's wire (`sim/quirks.py`), each as one disturbance."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence

from sim.devices.unit import ModbusRefusal, Refusal
from sim.quirks import Quirk
from sim.wire.disturbance import Disturbance, Handler, Reply, Unanswered
from sim.wire.pdu import Request

Clock = Callable[[], float]

MINIMUM_POLL_S = 0.1
"""Requests closer than this are too soon for a device that has a minimum poll interval."""

ZEROS_WITHIN_S = 0.5
"""The same registers read again within this are zeros on a device that cannot follow."""

FIRST_ANSWER_S = 0.5
"""What the first answer on a connection takes on a device that is slow to begin."""

_SINGLE, _MULTIPLE = 6, 16


def wire_quirks(quirks: Collection[Quirk], clock: Clock) -> list[Disturbance]:
    """Those of the quirks that are the wire's; one connection only is the port's own."""
    made: dict[Quirk, Callable[[], Disturbance]] = {
        Quirk.FC06_ONLY: lambda: function_refused(_MULTIPLE),
        Quirk.FC16_ONLY: lambda: function_refused(_SINGLE),
        Quirk.MINIMUM_POLL_INTERVAL: lambda: minimum_poll_interval(clock),
        Quirk.ZEROS_WHEN_ASKED_TOO_FAST: lambda: zeros_when_asked_too_fast(clock),
        Quirk.FIRST_ANSWER_SLOW: first_answer_slow,
        Quirk.TRANSACTION_ID_NOT_ECHOED: transaction_id_not_echoed,
    }
    return [made[quirk]() for quirk in quirks if quirk in made]


def function_refused(function_code: int) -> Disturbance:
    """One function is unknown to the device."""

    def refuse(request: Request, inner: Handler) -> Sequence[int]:
        if request.function_code == function_code:
            raise ModbusRefusal(Refusal.ILLEGAL_FUNCTION)
        return inner(request)

    return Disturbance(answer=refuse)


def minimum_poll_interval(clock: Clock) -> Disturbance:
    """A request too soon after the one before gets no answer."""
    last_s = float("-inf")

    def pace(request: Request, inner: Handler) -> Sequence[int]:
        nonlocal last_s
        before_s, last_s = last_s, clock()
        if last_s - before_s < MINIMUM_POLL_S:
            raise Unanswered
        return inner(request)

    return Disturbance(answer=pace)


def zeros_when_asked_too_fast(clock: Clock) -> Disturbance:
    """The same registers read again too soon are zeros."""
    last_s: dict[Request, float] = {}

    def blank(request: Request, inner: Handler) -> Sequence[int]:
        values = inner(request)
        if not request.reads_registers:
            return values
        before_s, last_s[request] = last_s.get(request, float("-inf")), clock()
        return [0] * len(values) if last_s[request] - before_s < ZEROS_WITHIN_S else values

    return Disturbance(answer=blank)


def first_answer_slow() -> Disturbance:
    """The first answer on a connection takes its time."""

    def wait(reply: Reply) -> None:
        reply.after_s += FIRST_ANSWER_S * reply.first

    return Disturbance(reply=wait)


def transaction_id_not_echoed() -> Disturbance:
    """Every answer has the transaction id 0."""

    def forget(reply: Reply) -> None:
        reply.transaction_id = 0

    return Disturbance(reply=forget)
