"""A plant behind real sockets whose time the test moves: no wall clock in between."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from typing import Any, Self, TypeVar

from pymodbus.client import AsyncModbusTcpClient
from sunspec2.modbus.client import SunSpecModbusClientDeviceTCP

from sim.files.fault import Fault
from sim.serve import SimServer
from sim.simfile import DEMO, SimFile, load_simfile

T = TypeVar("T")


class HandMoved:
    """The demo site, its ports open inside `async with`; `run(seconds)` is all that lets time pass."""

    def __init__(self, sim: SimFile | None = None, faults: Sequence[Fault] = ()) -> None:
        self.now_s = 0.0
        self.server = SimServer(
            sim or load_simfile(DEMO), port_base=0, clock=lambda: self.now_s, faults=faults
        )
        self.plant = self.server.plant

    async def __aenter__(self) -> Self:
        await self.server.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.server.stop()

    def run(self, seconds: float) -> None:
        self.now_s += seconds
        self.server.live.advance()

    def port(self, role: str) -> int:
        port = self.server.servers[role].port
        assert port is not None, f"{role} is on a serial line"
        return port

    async def client(self, role: str, use: Callable[[Any], T]) -> T:
        """Let pysunspec2's own client, which blocks, scan and be used in a thread."""
        port = self.port(role)

        def work() -> T:
            device = SunSpecModbusClientDeviceTCP(slave_id=1, ipaddr="127.0.0.1", ipport=port, timeout=5)
            try:
                device.scan(connect=True)
                device.connect()
                return use(device)
            finally:
                device.disconnect()

        return await asyncio.to_thread(work)


def values(device: Any, model: int, *names: str) -> list[Any]:
    """Points of a model as a scanned device shows them, read anew."""
    group = device.models[model][0]
    group.read()
    return [getattr(group, name).cvalue for name in names]


def write(device: Any, model: int, **changes: float) -> None:
    """Change points of a model and write the whole of it."""
    group = device.models[model][0]
    for name, value in changes.items():
        getattr(group, name).cvalue = value
    group.write()


async def modbus(site: HandMoved, role: str) -> AsyncModbusTcpClient:
    """A client of registers only."""
    client = AsyncModbusTcpClient("127.0.0.1", port=site.port(role), timeout=0.3, retries=0)
    assert await client.connect()
    return client
