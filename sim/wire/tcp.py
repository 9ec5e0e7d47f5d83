"""A Modbus TCP port on loopback: one unit, or several behind it as behind a gateway."""

from __future__ import annotations

import asyncio
import socket
import struct
from collections.abc import Sequence

from pymodbus.framer.socket import FramerSocket
from pymodbus.pdu import DecodePDU

from sim.devices.unit import Refusal
from sim.wire.disturbance import Dropped, Reply, Unanswered
from sim.wire.pdu import refused
from sim.wire.station import Station

HOST = "127.0.0.1"

_HEADER_BYTES = 7
_FRAMER = FramerSocket(DecodePDU(is_server=True))
_ACCEPTING_TURNS = 3
"""Turns of the loop until a connection that is being accepted is made; asyncio loses one whose server closes before."""

_RESET_ON_CLOSE = struct.pack("ii", 1, 0)


class PortInUseError(Exception):
    """A port, or the path of a serial line, that somebody else has or that may not be used."""


class TcpPort:
    """Serves the stations on `port`; 0 takes a free one.

    A unit id that nobody has gets no answer, as from a device that does not feel addressed; where several units
    stand behind the port it is a gateway's exception. With `one_connection` a second client is reset at once.
    """

    def __init__(self, port: int, stations: Sequence[Station], *, one_connection: bool = False) -> None:
        self.port = port
        self.stations = {station.unit_id: station for station in stations}
        self.connections: set[_Connection] = set()
        self._one_connection = one_connection
        self._server: asyncio.Server | None = None

    def uri(self, station: Station) -> str:
        """Where the station is reached."""
        return f"tcp://{HOST}:{self.port}?unit={station.unit_id}"

    async def start(self) -> None:
        """Listen.

        Raises:
            PortInUseError: When the port cannot be had.
        """
        try:
            self._server = await asyncio.get_running_loop().create_server(
                lambda: _Connection(self), HOST, self.port
            )
        except OSError as error:
            roles = ", ".join(station.role for station in self.stations.values())
            raise PortInUseError(
                f"port {self.port} of {HOST} for {roles} is in use or not allowed"
            ) from error
        self.port = self._server.sockets[0].getsockname()[1]

    async def stop(self) -> None:
        """Close the port and every connection."""
        if self._server is None:
            return
        for _ in range(_ACCEPTING_TURNS):
            await asyncio.sleep(0)
        self._server.close()
        for connection in tuple(self.connections):
            connection.close()
        await self._server.wait_closed()
        self._server = None
        await asyncio.sleep(0)  # connections are gone a turn of the loop after they are closed

    def reset(self) -> None:
        """Reset every connection."""
        for connection in tuple(self.connections):
            connection.reset()

    def opened(self, connection: _Connection) -> None:
        """A client has connected."""
        if self._server is None or (self._one_connection and self.connections):
            connection.reset()
            return
        self.connections.add(connection)

    def answer(
        self, unit_id: int, transaction_id: int, pdu: bytes, *, first: bool
    ) -> tuple[list[bytes], float]:
        """The frames that answer a PDU, and how much later than at once they go out, in s.

        Raises:
            Unanswered: There is no answer.
        """
        station = self.stations.get(unit_id)
        if station is None:
            return [self._nobody(unit_id, transaction_id, pdu)], 0.0
        reply = station.reply(pdu, transaction_id, first=first)
        return station.frames(_framed(reply), reply), reply.after_s

    def _nobody(self, unit_id: int, transaction_id: int, pdu: bytes) -> bytes:
        if len(self.stations) == 1:
            raise Unanswered
        return _framed(Reply(unit_id, transaction_id, refused(pdu, Refusal.GATEWAY_NO_ANSWER)))


class _Connection(asyncio.Protocol):
    """One client."""

    def __init__(self, port: TcpPort) -> None:
        self._port = port
        self._transport: asyncio.Transport | None = None
        self._received = b""
        self._first = True

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        self._port.opened(self)

    def connection_lost(self, _exc: Exception | None) -> None:
        self._transport = None
        self._port.connections.discard(self)

    def data_received(self, data: bytes) -> None:
        self._received += data
        while self._transport is not None:
            used, unit_id, transaction_id, pdu = _FRAMER.decode(self._received)
            self._received = self._received[used:]
            if not pdu:
                return
            self._answer(unit_id, transaction_id, pdu)

    def close(self) -> None:
        if self._transport is not None:
            self._transport.abort()

    def reset(self) -> None:
        if self._transport is not None:
            wire: socket.socket = self._transport.get_extra_info("socket")
            wire.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET_ON_CLOSE)
            self._transport.abort()
            self._transport = None

    def _answer(self, unit_id: int, transaction_id: int, pdu: bytes) -> None:
        try:
            frames, after_s = self._port.answer(unit_id, transaction_id, pdu, first=self._first)
        except Dropped:
            self.reset()
            return
        except Unanswered:
            return
        self._first = False
        if after_s > 0:
            asyncio.get_running_loop().call_later(after_s, self._send, frames)
        else:
            self._send(frames)

    def _send(self, frames: list[bytes]) -> None:
        if self._transport is not None:
            for frame in frames:
                self._transport.write(frame)


def _framed(reply: Reply) -> bytes:
    return _FRAMER.encode(reply.pdu, reply.unit_id, reply.transaction_id)
