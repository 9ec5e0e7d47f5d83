"""One unit at its place on the wire: what answers a PDU, with everything that stands in between."""

from __future__ import annotations

from collections.abc import Sequence

from sim.devices.unit import ModbusRefusal, Unit
from sim.wire.disturbance import Disturbance, Handler, Reply
from sim.wire.pdu import Request, answered, decoded, refused


class Station:
    """The unit of a role under its unit id.

    `quirks` are its own and stay; `faults` come and go, the youngest one nearest to the client.
    """

    def __init__(self, role: str, unit_id: int, unit: Unit, quirks: Sequence[Disturbance] = ()) -> None:
        self.role = role
        self.unit_id = unit_id
        self.unit = unit
        self.quirks = tuple(quirks)
        self.faults: list[Disturbance] = []

    def reply(
        self, pdu: bytes, transaction_id: int = 0, *, serial: bool = False, first: bool = False
    ) -> Reply:
        """The answer to a PDU; it is on a serial line, or the first one on its connection.

        Raises:
            Unanswered: There is none.
        """
        try:
            said = answered(pdu, self._handler()(decoded(pdu)))
        except ModbusRefusal as refusal:
            said = refused(pdu, refusal.code)
        reply = Reply(self.unit_id, transaction_id, said, serial=serial, first=first)
        for each in self._disturbances():
            each.on_reply(reply)
        return reply

    def frames(self, frame: bytes, reply: Reply) -> list[bytes]:
        """The frames that really go out in place of the one for `reply`."""
        frames = [frame]
        for each in self._disturbances():
            frames = each.on_frames(frames, reply)
        return frames

    def _disturbances(self) -> tuple[Disturbance, ...]:
        """From the unit outwards."""
        return (*self.quirks, *self.faults)

    def _handler(self) -> Handler:
        handler: Handler = self._ask_unit
        for each in self._disturbances():
            handler = each.around(handler)
        return handler

    def _ask_unit(self, request: Request) -> Sequence[int]:
        if request.values is None:
            return self.unit.read(request.function_code, request.address, request.count)
        self.unit.write(request.function_code, request.address, request.values)
        return ()
