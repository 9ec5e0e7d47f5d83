"""A unit with known registers behind real ports, and raw clients that see every byte."""

from __future__ import annotations

import asyncio
import struct
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from random import Random
from typing import Any

import serial

from sim.devices.unit import ModbusRefusal, Refusal
from sim.files.fault import Fault, FaultKind
from sim.files.line import LineFile
from sim.wire.disturbance import Disturbance
from sim.wire.faults import wire_fault
from sim.wire.rtu import RtuLine
from sim.wire.station import Station
from sim.wire.tcp import TcpPort

FIRST = 100
WORDS = 20


class Bank:
    """Registers 100 to 119 and bits 0 to 15; register 100 + i holds 1000 + i."""

    def __init__(self) -> None:
        self.words = [1000 + index for index in range(WORDS)]
        self.bits = [index % 3 == 0 for index in range(16)]
        self.asked = 0
        self.written: list[tuple[int, int, tuple[int, ...]]] = []

    def read(self, function_code: int, address: int, count: int) -> list[int]:
        self.asked += 1
        if function_code in (1, 2):
            return [int(bit) for bit in self.bits[address : address + count]]
        if not FIRST <= address <= address + count <= FIRST + WORDS:
            raise ModbusRefusal(Refusal.ILLEGAL_ADDRESS)
        return self.words[address - FIRST : address - FIRST + count]

    def write(self, function_code: int, address: int, values: Sequence[int]) -> None:
        self.written.append((function_code, address, tuple(values)))
        if function_code in (6, 16):
            self.words[address - FIRST : address - FIRST + len(values)] = values


def station(*disturbances: Disturbance, unit_id: int = 1, bank: Bank | None = None) -> Station:
    made = Station("bank", unit_id, bank or Bank())
    made.faults += disturbances
    return made


def fault(kind: FaultKind | str, seed: int = 1, **given: Any) -> Disturbance:
    """A fault that is there all the time."""
    made = wire_fault(
        Fault.model_validate({"kind": FaultKind(kind), "target": "bank", "at_s": 0.0, **given}),
        Random(seed),
        Bank(),
    )
    assert made is not None
    return made


@asynccontextmanager
async def tcp(*stations: Station, one_connection: bool = False) -> AsyncIterator[TcpPort]:
    port = TcpPort(0, stations, one_connection=one_connection)
    await port.start()
    try:
        yield port
    finally:
        await port.stop()


@asynccontextmanager
async def rtu(*stations: Station, **line: Any) -> AsyncIterator[RtuLine]:
    made = RtuLine(LineFile.model_validate({"name": "bus", "baud": 115_200, **line}), stations)
    await made.start()
    try:
        yield made
    finally:
        await made.stop()


def read_pdu(address: int = FIRST, count: int = 2, function_code: int = 3) -> bytes:
    return struct.pack(">BHH", function_code, address, count)


def words_pdu(*words: int) -> bytes:
    return struct.pack(f">BB{len(words)}H", 3, 2 * len(words), *words)


def tcp_frame(pdu: bytes, transaction_id: int = 7, unit_id: int = 1) -> bytes:
    return struct.pack(">HHHB", transaction_id, 0, len(pdu) + 1, unit_id) + pdu


def crc(data: bytes) -> bytes:
    """CRC-16 of Modbus, bit by bit (serial line 6.2.2); low byte first."""
    value = 0xFFFF
    for byte in data:
        value ^= byte
        for _ in range(8):
            value = value >> 1 ^ 0xA001 if value & 1 else value >> 1
    return value.to_bytes(2, "little")


def rtu_frame(pdu: bytes, unit_id: int = 1) -> bytes:
    data = bytes((unit_id,)) + pdu
    return data + crc(data)


class TcpClient:
    """Sends bytes and returns what comes within a time."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer

    async def ask(self, data: bytes, within_s: float = 0.3, size: int | None = None) -> bytes:
        """What comes back: `size` bytes, or whatever there is when the time is over."""
        self._writer.write(data)
        return await self.hear(within_s, size)

    async def hear(self, within_s: float = 0.3, size: int | None = None) -> bytes:
        heard = b""
        try:
            async with asyncio.timeout(within_s):
                while size is None or len(heard) < size:
                    data = await self._reader.read(4096)
                    if not data:
                        return heard
                    heard += data
        except TimeoutError:
            pass
        return heard

    def at_end(self) -> bool:
        return self._reader.at_eof()


@asynccontextmanager
async def connected(port: TcpPort) -> AsyncIterator[TcpClient]:
    reader, writer = await asyncio.open_connection("127.0.0.1", port.port)
    try:
        yield TcpClient(reader, writer)
    finally:
        writer.transport.abort()


class SerialClient:
    """The master's end of a serial line."""

    def __init__(self, port: serial.Serial) -> None:
        self.port = port
        self._loop = asyncio.get_running_loop()

    async def ask(self, data: bytes, size: int, within_s: float = 0.5) -> bytes:
        self.port.write(data)
        return await self.hear(size, within_s)

    async def hear(self, size: int, within_s: float = 0.5) -> bytes:
        heard = b""
        end_s = self._loop.time() + within_s
        while len(heard) < size and self._loop.time() < end_s:
            await asyncio.sleep(0.002)
            heard += self.port.read(self.port.in_waiting)
        return heard


@asynccontextmanager
async def opened(line: RtuLine, baud: int | None = None) -> AsyncIterator[SerialClient]:
    with serial.Serial(line.device, baud or line.file.baud, timeout=0) as port:
        yield SerialClient(port)
