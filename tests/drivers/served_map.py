"""Register maps served by a real Modbus server, for the tests of drivers and of the maps of real devices."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager

from pymodbus.server import ModbusTcpServer
from pymodbus.simulator import DataType, SimData, SimDevice
from pymodbus.simulator.simdevice import SimAction

from drivers.uri import ModbusUri


def runs(registers: Mapping[int, int]) -> list[SimData]:
    """Registers as blocks; what lies between them answers exception 2."""
    blocks: list[tuple[int, list[int]]] = []
    for address in sorted(registers):
        if not blocks or address != blocks[-1][0] + len(blocks[-1][1]):
            blocks.append((address, []))
        blocks[-1][1].append(registers[address])
    return [SimData(start, values=words, datatype=DataType.REGISTERS) for start, words in blocks]


def device(unit: int, registers: Mapping[int, int], action: SimAction | None = None) -> SimDevice:
    """A device with one set of registers."""
    return SimDevice(unit, runs(registers), action=action)


@asynccontextmanager
async def serve(*devices: SimDevice) -> AsyncIterator[ModbusUri]:
    """Serve devices on a free port of loopback; the URI names the first one's unit."""
    server = ModbusTcpServer(list(devices), address=("127.0.0.1", 0))
    await server.serve_forever(background=True)
    listener = server.transport
    assert listener is not None
    port = listener.sockets[0].getsockname()[1]  # type: ignore[attr-defined]  # an asyncio.Server
    try:
        yield ModbusUri(host="127.0.0.1", port=port, unit=devices[0].id)
    finally:
        await server.shutdown()  # type: ignore[no-untyped-call]  # pymodbus leaves it unannotated


def chain(*models: Sequence[int], base: int = 40000, end: Sequence[int] = (0xFFFF, 0)) -> dict[int, int]:
    """Registers of a chain: the marker, the models (ID and L included) and the end."""
    words = [0x5375, 0x6E53]
    for model in models:
        words += model
    words += end
    return {base + index: word for index, word in enumerate(words)}
