"""One simulated device behind its own Modbus TCP port on loopback."""

from __future__ import annotations

import asyncio
from typing import cast

from pymodbus.pdu import ModbusPDU
from pymodbus.server import ModbusTcpServer
from pymodbus.simulator import SimDevice

HOST = "127.0.0.1"


class PortInUseError(Exception):
    """A port that somebody else listens on, or that may not be used."""


class DeviceServer:
    """Serves one unit. While `silent` it accepts connections and requests and answers nothing.

    Requests to other unit ids are dropped, as a device that does not feel addressed would.
    """

    def __init__(self, role: str, device: SimDevice, port: int) -> None:
        self.role = role
        self.unit_id = device.id
        self.port = port
        self.silent = False
        self._device = device
        self._server: ModbusTcpServer | None = None

    @property
    def uri(self) -> str:
        """Where the device is reached."""
        return f"tcp://{HOST}:{self.port}?unit={self.unit_id}"

    async def start(self) -> None:
        """Listen; port 0 takes a free one.

        Raises:
            PortInUseError: When the port cannot be had.
        """
        server = ModbusTcpServer(self._device, address=(HOST, self.port), trace_pdu=self._trace)
        try:
            await server.serve_forever(background=True)
        except RuntimeError as error:
            raise PortInUseError(
                f"port {self.port} of {HOST} for {self.role} is in use or not allowed"
            ) from error
        self._server = server
        listener = cast("asyncio.Server", server.transport)
        self.port = listener.sockets[0].getsockname()[1]

    async def stop(self) -> None:
        """Close the port and every connection."""
        if self._server:
            await self._server.shutdown()  # type: ignore[no-untyped-call] # pymodbus leaves it without types
            self._server = None

    def _trace(self, sending: bool, pdu: ModbusPDU) -> ModbusPDU:
        """Pymodbus' hook; a request for which it returns None is dropped without an answer."""
        if not sending and (self.silent or pdu.dev_id != self.unit_id):
            return None  # type: ignore[return-value] # pymodbus drops it, its annotation does not say so
        return pdu
