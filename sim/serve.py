"""A site served in real time: its devices over Modbus TCP on loopback and RTU on pseudo-terminals."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import signal
import sys
import time
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

from sim.control import Control
from sim.devices.assembly import coil_unit, diagnostic_unit, inverter_unit, meter_unit
from sim.devices.unit import Unit
from sim.files.device import Served
from sim.files.fault import Fault
from sim.live import LivePlant
from sim.plant import Plant
from sim.simfile import SimFile
from sim.truthlog import TruthLog
from sim.wire.injector import Injector
from sim.wire.places import Wire, places
from sim.wire.quirks import wire_quirks
from sim.wire.station import Station

_FLUSH_STEPS = 5
"""Rows of truth between flushes, so that a reader is never more than 0.1 s behind."""


class SimServer:
    """The devices of a sim file over one plant, with `faults` that come and go by the plant's time.

    `port_base` moves the lowest port there, the others with it; 0 takes free ones. `seed` draws random faults.
    `unserved` is told to whoever starts it: what belongs to the site's scenario and no device can show.
    """

    def __init__(
        self,
        sim: SimFile,
        truth: Path | None = None,
        port_base: int | None = None,
        clock: Callable[[], float] = time.monotonic,
        faults: Sequence[Fault] = (),
        seed: int = 1,
        unserved: Sequence[str] = (),
    ) -> None:
        self.sim = sim
        self._unserved = list(unserved)
        self._log = TruthLog(truth, len(sim.inverter)) if truth else None
        self.plant = Plant(sim)
        self.live = LivePlant(self.plant, self._log.write if self._log else None, clock)
        shift = 0 if port_base is None else port_base - min(sim.ports(), default=0)
        self.servers = places(
            [(served, self._station(role, served, unit)) for role, served, unit in self._devices()],
            sim.line,
            lambda port: 0 if port_base == 0 else port + shift,
        )
        self.injector = Injector(self.plant, self.servers, faults, seed)
        self.live.before_step = self.injector.step
        self.control = Control(self.live, self.injector)

    async def start(self) -> None:
        """Open every port and line, then let time begin.

        Raises:
            PortInUseError: When one cannot be had; those already open are closed again.
        """
        try:
            for wire in self._wires():
                await wire.start()
        except BaseException:
            await self.stop()
            raise
        self.live.start()

    async def stop(self) -> None:
        """Close every port and line, and the truth log."""
        for wire in self._wires():
            await wire.stop()
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
        """What the readiness line says; `unserved` is what no device can show."""
        units = [
            {"role": place.role, "uri": place.uri, "unit_id": place.unit_id}
            for place in self.servers.values()
        ]
        diagnostic = units.pop()
        line = {
            "pid": os.getpid(),
            "devices": units,
            "diagnostic": {"uri": diagnostic["uri"], "unit_id": diagnostic["unit_id"]},
        }
        return line | ({"unserved": self._unserved} if self._unserved else {})

    def describe(self) -> str:
        """The devices for a person."""
        width = max(14, *(len(role) + 2 for role in self.servers))
        lines = [f"{place.role:<{width}}{place.uri}" for place in self.servers.values()]
        lines += [f"not served, the gateway's own: {told}" for told in self._unserved]
        return "\n".join([f"{self.sim.name}, until interrupted:", *lines, ""])

    def _wires(self) -> list[Wire]:
        return list(dict.fromkeys(place.wire for place in self.servers.values()))

    def _devices(self) -> Iterator[tuple[str, Served, Unit]]:
        """Every device with its role, the diagnostic unit last."""
        sim, plant, advance = self.sim, self.plant, self.live.advance
        yield "meter", sim.meter, meter_unit(plant, advance)
        for index, inverter in enumerate(sim.inverter):
            yield inverter.role, inverter, inverter_unit(plant, index, advance)
        for index, coil in enumerate(sim.coil):
            yield coil.role, coil, coil_unit(plant, index, advance)
        yield "diagnostic", sim.diagnostic, diagnostic_unit(plant, advance)

    def _station(self, role: str, served: Served, unit: Unit) -> Station:
        return Station(role, served.unit_id, unit, wire_quirks(served.quirks, self.live.clock))


@contextlib.asynccontextmanager
async def serving(
    sim: SimFile, truth: Path | None = None, port_base: int | None = None, faults: Sequence[Fault] = ()
) -> AsyncIterator[SimServer]:
    """A running server of `sim`, for the length of the context."""
    server = SimServer(sim, truth, port_base, faults=faults)
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
