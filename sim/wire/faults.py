"""The faults of a device's wire (`sim/files/fault.py`), each as one disturbance."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from random import Random

from sim.devices.sunspec import SunSpecMap
from sim.devices.unit import ModbusRefusal, Refusal, Unit
from sim.files.fault import Fault, FaultKind
from sim.wire.disturbance import Disturbance, Dropped, Handler, Reply, Unanswered, sometimes
from sim.wire.pdu import Request

SENTINEL = 0x8000
"""What a device without SunSpec types shows for nothing (SolarEdge meters, solaredge-modbus-multi#636)."""

_UNIT_IDS = 247
_TRANSACTION_IDS = 0x10000
_TCP_HEAD = (
    9  # header, function code and byte count: lengths and ids stay right when only what follows is wrong
)


def wire_fault(fault: Fault, random: Random, unit: Unit) -> Disturbance | None:
    """The fault of this unit as a disturbance; None for one that is not the wire's."""
    if fault.kind is FaultKind.SENTINEL:
        return sentinel(fault, random, unit)
    if fault.kind is FaultKind.MEASUREMENT_FROZEN:
        return measurement_frozen(unit)
    make = FAULTS.get(fault.kind)
    return make(fault, random) if make else None


def silence(fault: Fault, random: Random) -> Disturbance:
    """Requests get lost."""

    def lose(_request: Request, _inner: Handler) -> Sequence[int]:
        raise Unanswered

    return Disturbance(answer=lose, strikes=sometimes(fault.rate, random))


def reset(_fault: Fault, _random: Random) -> Disturbance:
    """A request resets the connection."""

    def drop(_request: Request, _inner: Handler) -> Sequence[int]:
        raise Dropped

    return Disturbance(answer=drop)


def late(fault: Fault, random: Random) -> Disturbance:
    """An answer comes `delay_s` late, while requests after it may already have been answered."""

    def delay(reply: Reply) -> None:
        reply.after_s += fault.delay_s or 0.0

    return Disturbance(reply=delay, strikes=sometimes(fault.rate, random))


def slow(fault: Fault, random: Random, clock: Callable[[], float] = time.monotonic) -> Disturbance:
    """An answer takes `delay_s`. What is asked meanwhile waits until it is out; on a serial line it is lost."""
    strikes = sometimes(fault.rate, random)
    free_s = 0.0

    def queue(reply: Reply) -> None:
        nonlocal free_s
        now_s = clock()
        if reply.serial and now_s < free_s:
            raise Unanswered
        free_s = max(now_s, free_s) + (fault.delay_s or 0.0) * strikes()
        reply.after_s += free_s - now_s

    return Disturbance(reply=queue)


def foreign_id(fault: Fault, random: Random) -> Disturbance:
    """An answer has an id that nobody asked with: a transaction id, on a serial line a unit id."""

    def misname(reply: Reply) -> None:
        if reply.serial:
            reply.unit_id = (reply.unit_id - 1 + random.randrange(1, _UNIT_IDS)) % _UNIT_IDS + 1
        else:
            reply.transaction_id += random.randrange(1, _TRANSACTION_IDS)
            reply.transaction_id %= _TRANSACTION_IDS

    return Disturbance(reply=misname, strikes=sometimes(fault.rate, random))


def repeated_id(fault: Fault, random: Random) -> Disturbance:
    """An answer comes twice, so that its id, on a serial line its bare content, meets the next request."""

    def repeat(frames: list[bytes], _reply: Reply) -> list[bytes]:
        return [frame for frame in frames for _ in range(2)]

    return Disturbance(frames=repeat, strikes=sometimes(fault.rate, random))


def exception(fault: Fault, random: Random) -> Disturbance:
    """A request is answered with an exception and has no effect."""
    code = Refusal(fault.code or Refusal.DEVICE_FAILURE)

    def refuse(_request: Request, _inner: Handler) -> Sequence[int]:
        raise ModbusRefusal(code)

    return Disturbance(answer=refuse, strikes=sometimes(fault.rate, random))


def truncated(fault: Fault, random: Random) -> Disturbance:
    """The end of an answer is missing."""

    def cut(frames: list[bytes], _reply: Reply) -> list[bytes]:
        return [frame[: random.randrange(1, len(frame))] for frame in frames]

    return Disturbance(frames=cut, strikes=sometimes(fault.rate, random))


def merged(fault: Fault, random: Random) -> Disturbance:
    """The answer before this one comes again, with this one behind it in the same breath."""
    before = b""

    def merge(frames: list[bytes], _reply: Reply) -> list[bytes]:
        nonlocal before
        out, before = [before + frames[0], *frames[1:]], frames[-1]
        return out

    return Disturbance(frames=merge, strikes=sometimes(fault.rate, random))


def bit_flip(fault: Fault, random: Random) -> Disturbance:
    """One bit is wrong: on a serial line the CRC tells; on TCP it is in the content, and nothing tells."""

    def flip(frames: list[bytes], reply: Reply) -> list[bytes]:
        head = 0 if reply.serial else _TCP_HEAD
        return [_flipped(frame, min(head, len(frame) - 1), random) for frame in frames]

    return Disturbance(frames=flip, strikes=sometimes(fault.rate, random))


def _flipped(frame: bytes, head: int, random: Random) -> bytes:
    bits = 8 * (len(frame) - head)
    return (int.from_bytes(frame, "big") ^ 1 << random.randrange(bits)).to_bytes(len(frame), "big")


def torn(fault: Fault, random: Random) -> Disturbance:
    """Every second register is from the answer before: of a 32-bit value one half is new and one is old."""
    seen: dict[tuple[int, int], int] = {}

    def tear(request: Request, inner: Handler) -> Sequence[int]:
        values = inner(request)
        if not request.reads_registers:
            return values
        places = _places(request)
        old = [seen.get(place, value) for place, value in zip(places, values, strict=True)]
        seen.update(zip(places, values, strict=True))
        return [pair[index % 2] for index, pair in enumerate(zip(old, values, strict=True))]

    return Disturbance(answer=tear, strikes=sometimes(fault.rate, random))


def zeros(fault: Fault, random: Random) -> Disturbance:
    """What is read is zero."""

    def blank(request: Request, inner: Handler) -> Sequence[int]:
        return [0] * len(inner(request))

    return Disturbance(answer=blank, strikes=sometimes(fault.rate, random))


def sentinel(fault: Fault, random: Random, unit: Unit) -> Disturbance:
    """Points that are read are 'not implemented', in their own types where the unit is SunSpec."""

    def blank(request: Request, inner: Handler) -> Sequence[int]:
        values = inner(request)
        if not request.reads_registers:
            return values
        if isinstance(unit, SunSpecMap):
            return unit.absent(values, request.address)
        return [SENTINEL] * len(values)

    return Disturbance(answer=blank, strikes=sometimes(fault.rate, random))


def frozen(_fault: Fault, _random: Random) -> Disturbance:
    """Each register and bit reads as it did the first time; writes still work."""
    seen: dict[tuple[int, int], int] = {}

    def freeze(request: Request, inner: Handler) -> Sequence[int]:
        values = inner(request)
        if request.values is not None:
            return values
        return [seen.setdefault(place, value) for place, value in zip(_places(request), values, strict=True)]

    return Disturbance(answer=freeze)


def measurement_frozen(unit: Unit) -> Disturbance:
    """Points that nobody can write read as they did the first time, as from a card whose inverter is gone.

    A unit without SunSpec types does not say which they are: nothing of it is frozen.
    """
    seen: dict[int, int] = {}

    def freeze(request: Request, inner: Handler) -> Sequence[int]:
        values = list(inner(request))
        if request.reads_registers and isinstance(unit, SunSpecMap):
            for address in unit.measured(request.address, len(values)):
                offset = address - request.address
                values[offset] = seen.setdefault(address, values[offset])
        return values

    return Disturbance(answer=freeze)


def write_refused(_fault: Fault, _random: Random) -> Disturbance:
    """Writes are answered with a device failure, as where control from outside is off (Kostal, evcc#12444)."""

    def refuse(request: Request, inner: Handler) -> Sequence[int]:
        if request.values is not None:
            raise ModbusRefusal(Refusal.DEVICE_FAILURE)
        return inner(request)

    return Disturbance(answer=refuse)


def write_ignored(_fault: Fault, _random: Random) -> Disturbance:
    """Writes are acknowledged and forgotten."""

    def forget(request: Request, inner: Handler) -> Sequence[int]:
        return inner(request) if request.values is None else ()

    return Disturbance(answer=forget)


def _places(request: Request) -> list[tuple[int, int]]:
    return [(request.function_code, request.address + index) for index in range(request.count)]


FAULTS: dict[FaultKind, Callable[[Fault, Random], Disturbance]] = {
    FaultKind.SILENCE: silence,
    FaultKind.REBOOT: silence,
    FaultKind.RESET: reset,
    FaultKind.LATE: late,
    FaultKind.SLOW: slow,
    FaultKind.FOREIGN_ID: foreign_id,
    FaultKind.REPEATED_ID: repeated_id,
    FaultKind.EXCEPTION: exception,
    FaultKind.TRUNCATED: truncated,
    FaultKind.MERGED: merged,
    FaultKind.BIT_FLIP: bit_flip,
    FaultKind.TORN: torn,
    FaultKind.ZEROS: zeros,
    FaultKind.FROZEN: frozen,
    FaultKind.WRITE_REFUSED: write_refused,
    FaultKind.WRITE_IGNORED: write_ignored,
}
"""Those of the wire that need nothing of the unit; a restart is silence here, and what it does to the device is `sim/plant_faults.py`'s."""
