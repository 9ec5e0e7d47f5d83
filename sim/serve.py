"""A sim file served in real time: one Modbus TCP port for each device, all on loopback."""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
import os
import signal
import sys
import time
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

from pymodbus.simulator import SimDevice

from sim.control import Control
from sim.devices.der import der_models
from sim.devices.legacy import legacy_models
from sim.devices.meter import meter_models
from sim.devices.plain import coil_device, diagnostic_device
from sim.devices.server import DeviceServer
from sim.devices.sunspec import SunSpecMap
from sim.live import LivePlant
from sim.plant import Plant
from sim.simfile import SimFile
from sim.truthlog import TruthLog

_FLUSH_STEPS = 5
"""Rows of truth between flushes, so that a reader is never more than 0.1 s behind."""


class SimServer:
    """The devices of a sim file over one plant; `port_base` moves the lowest port there, 0 takes free ones."""

    def __init__(
        self,
        sim: SimFile,
        truth: Path | None = None,
        port_base: int | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.sim = sim
        self._log = TruthLog(truth, len(sim.inverter)) if truth else None
        self.plant = Plant(sim)
        self.live = LivePlant(self.plant, self._log.write if self._log else None, clock)
        self._shift = 0 if port_base is None else port_base - min(sim.ports())
        self._free_ports = port_base == 0
        self.servers = {server.role: server for server in self._servers()}
        self.control = Control(self.live, self.servers)

    async def start(self) -> None:
        """Open every port, then let time begin.

        Raises:
            PortInUseError: When a port cannot be had; those already open are closed again.
        """
        try:
            for server in self.servers.values():
                await server.start()
        except BaseException:
            await self.stop()
            raise
        self.live.start()

    async def stop(self) -> None:
        """Close every port and the truth log."""
        for server in self.servers.values():
            await server.stop()
        if self._log:
            self._log.close()

    async def run(self, stop: asyncio.Event) -> None:
        """Keep the physics up with the clock until `stop`.

        Raises:
            OSError: When the truth log cannot be written.
        """
        period_s, turns = self.plant.dt_s, 0
        while not stop.is_set():
            self.live.advance()
            turns += 1
            if self._log and turns % _FLUSH_STEPS == 0:
                self._log.flush()
            await asyncio.sleep(period_s)

    def ready(self) -> dict[str, Any]:
        """What the readiness line says."""
        units = [
            {"role": server.role, "uri": server.uri, "unit_id": server.unit_id}
            for server in self.servers.values()
        ]
        diagnostic = units.pop()
        return {
            "pid": os.getpid(),
            "devices": units,
            "diagnostic": {"uri": diagnostic["uri"], "unit_id": diagnostic["unit_id"]},
        }

    def describe(self) -> str:
        """The devices for a person."""
        lines = [f"{server.role:<14}{server.uri}" for server in self.servers.values()]
        return "\n".join([f"{self.sim.name}, until interrupted:", *lines, ""])

    def _servers(self) -> list[DeviceServer]:
        sim, plant, advance = self.sim, self.plant, self.live.advance
        meter = SunSpecMap(meter_models(plant), advance).device(sim.meter.unit_id)
        servers = [self._server("meter", meter, sim.meter.port)]
        for index, unit in enumerate(sim.inverter):
            models = der_models(plant, index) if unit.models == "der" else legacy_models(plant, index)
            device = SunSpecMap(models, advance).device(unit.unit_id)
            servers.append(self._server(unit.role, device, unit.port))
        for coil, module in zip(sim.coil, plant.coils, strict=True):
            servers.append(self._server(coil.role, coil_device(module, coil.unit_id, advance), coil.port))
        diagnostic = diagnostic_device(plant, sim.diagnostic.unit_id, advance)
        return [*servers, self._server("diagnostic", diagnostic, sim.diagnostic.port)]

    def _server(self, role: str, device: SimDevice, port: int) -> DeviceServer:
        return DeviceServer(role, device, 0 if self._free_ports else port + self._shift)


@contextlib.asynccontextmanager
async def serving(
    sim: SimFile, truth: Path | None = None, port_base: int | None = None
) -> AsyncIterator[SimServer]:
    """A running server of `sim`, for the length of the context."""
    server = SimServer(sim, truth, port_base)
    await server.start()
    stop = asyncio.Event()
    physics = asyncio.create_task(server.run(stop))
    try:
        yield server
    finally:
        stop.set()
        await physics
        await server.stop()


async def serve_until_signal(server: SimServer, *, as_json: bool, control: bool) -> None:
    """Serve until SIGINT or SIGTERM, or, with `control`, until standard input ends.

    Once every port is open that is printed, with `as_json` as one line of JSON.

    Raises:
        PortInUseError: When a port cannot be had.
        OSError: When the truth log cannot be written.
    """
    logging.getLogger("pymodbus").setLevel(logging.CRITICAL)
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop.set)
    await server.start()
    sys.stdout.write(json.dumps(server.ready()) + "\n" if as_json else server.describe())
    sys.stdout.flush()
    orders = asyncio.create_task(_orders(server.control, stop)) if control else None
    try:
        await server.run(stop)
    finally:
        if orders:
            orders.cancel()
        await server.stop()


async def _orders(control: Control, stop: asyncio.Event) -> None:
    """Carry out the lines of standard input; its end stops the server, so that none is left behind."""
    reader = asyncio.StreamReader()
    await asyncio.get_running_loop().connect_read_pipe(
        lambda: asyncio.StreamReaderProtocol(reader), sys.stdin
    )
    async for line in reader:
        sys.stdout.write(control.reply(line.decode(errors="replace")) + "\n")
        sys.stdout.flush()
    stop.set()
