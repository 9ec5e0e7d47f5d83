"""A Modbus device on loopback that costs next to nothing: a register image behind a protocol that cuts frames."""

from __future__ import annotations

import asyncio
import struct
import time
from collections.abc import Callable
from dataclasses import dataclass

from sim.devices.sunspec import BASE

_HEADER = struct.Struct(">HHHBB")
_READ_REGISTERS, _READ_COILS, _READ_INPUTS = 3, 1, 2
_WRITE_COIL, _WRITE_REGISTERS = 5, 16

Stamp = Callable[[float], None]


@dataclass
class Device:
    """One device: its registers from `base` on, and what happens at each frame."""

    words: bytearray
    base: int = BASE
    answered: Stamp | None = None
    written: Stamp | None = None
    port: int = 0
    coil: bool = False

    def at(self, address: int) -> int:
        """Offset in bytes of a register."""
        return 2 * (address - self.base)

    def word(self, address: int) -> int:
        """One register, unsigned."""
        return int.from_bytes(self.words[self.at(address) : self.at(address) + 2], "big")

    def put(self, address: int, value: int) -> None:
        """Set one register, signed or not."""
        self.words[self.at(address) : self.at(address) + 2] = (value & 0xFFFF).to_bytes(2, "big")

    def answer(self, unit: int, frame: bytes) -> bytes:
        """The PDU's answer, unit id and function code included."""
        code = frame[0]
        first, count = struct.unpack_from(">HH", frame, 1)
        if code == _READ_REGISTERS:
            data = bytes(self.words[self.at(first) : self.at(first + count)])
            return (
                bytes((unit, code, len(data))) + data
                if len(data) == 2 * count
                else bytes((unit, code | 0x80, 2))
            )
        if code == _WRITE_REGISTERS:
            self.words[self.at(first) : self.at(first + count)] = frame[6:]
            return bytes((unit,)) + frame[:5]
        if code == _WRITE_COIL:
            self.coil = count == 0xFF00
            return bytes((unit,)) + frame
        if code in {_READ_COILS, _READ_INPUTS}:
            return bytes((unit, code, 1, self.coil))
        return bytes((unit, code | 0x80, 1))


class Connection(asyncio.Protocol):
    """Cuts Modbus TCP frames and answers each; stamps are taken as a frame arrives and as one is sent."""

    def __init__(self, device: Device) -> None:
        self._device = device
        self._transport: asyncio.Transport | None = None
        self._rest = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the transport for the answers."""
        if isinstance(transport, asyncio.Transport):
            self._transport = transport

    def data_received(self, data: bytes) -> None:
        """Answer every frame that is complete."""
        arrived_s = time.monotonic()
        self._rest += data
        while len(self._rest) > _HEADER.size and self._transport is not None:
            number, _, length, unit, code = _HEADER.unpack_from(self._rest)
            if len(self._rest) < 6 + length:
                return
            frame, self._rest = self._rest[7 : 6 + length], self._rest[6 + length :]
            answer = self._device.answer(unit, frame)
            # Before it is sent: sending may wake the reader in this very process's place.
            sent_s = time.monotonic()
            self._transport.write(struct.pack(">HHH", number, 0, len(answer)) + answer)
            if code == _READ_REGISTERS and self._device.answered:
                self._device.answered(sent_s)
            if code == _WRITE_REGISTERS and self._device.written:
                self._device.written(arrived_s)
