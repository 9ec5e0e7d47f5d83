"""CPU time of one meter read: ours, and pysunspec2's own client reading the same model of the same server.

The server is `dergate sim serve` in a process of its own; what counts is the CPU time of the reading process (user
and system) over some hundred reads. Ours is read twice: what the agent polls (the points that control needs, scaled
and checked, in one request), and the whole model decoded as `dergate read` does, which is what pysunspec2 does.
"""

from __future__ import annotations

import asyncio
import tempfile
import time
from collections.abc import Awaitable, Callable
from pathlib import Path

from sunspec2.modbus.client import SunSpecModbusClientDeviceTCP

from benchmarks.calibration import timed
from benchmarks.processes import simulator
from benchmarks.registry import UnmeasuredError
from benchmarks.rows import Row
from drivers.bus import Bus
from drivers.meter_sunspec import SunSpecMeter
from drivers.sunspec.device import SunSpecDevice
from drivers.uri import ModbusUri
from sim.simfile import DEMO

MODEL = 203

_READS = 400
_WARM = 20


def measure() -> list[Row]:
    """Ours, theirs, and the multiples."""
    with tempfile.TemporaryDirectory() as name, simulator(DEMO, Path(name)) as uris:
        uri = ModbusUri.parse(uris["meter"])
        theirs_us = pysunspec2_us(uri)
        poll_us = asyncio.run(_ours_us(uri, _poll))
        model_us = asyncio.run(_ours_us(uri, _whole))
    said = f"pysunspec2 {theirs_us:.0f} us"
    return [
        Row("meter poll, CPU", poll_us, "us", said, poll_us / theirs_us),
        Row(f"model {MODEL} read whole, CPU", model_us, "us", said, model_us / theirs_us),
        timed(f"pysunspec2, model {MODEL} read, CPU", theirs_us, "us"),
    ]


def pysunspec2_us(uri: ModbusUri, reads: int = _READS) -> float:
    """CPU time in us of one read by pysunspec2's client.

    Raises:
        UnmeasuredError: Its scan did not find the model.
    """
    device = SunSpecModbusClientDeviceTCP(slave_id=uri.unit_or_1, ipaddr=uri.host, ipport=uri.port, timeout=5)
    device.scan()
    try:
        if MODEL not in device.models:
            raise UnmeasuredError(f"pysunspec2 found no model {MODEL} on the simulated meter")
        model = device.models[MODEL][0]
        for _ in range(_WARM):
            model.read()
        begun_s = time.process_time()
        for _ in range(reads):
            model.read()
            if model.W.cvalue is None:
                raise UnmeasuredError("pysunspec2 read no power")
        return 1e6 * (time.process_time() - begun_s) / reads
    finally:
        device.disconnect()


async def _ours_us(uri: ModbusUri, reader: Callable[[Bus, int], Callable[[], Awaitable[object]]]) -> float:
    bus = Bus(uri, timeout_s=5.0)
    read = reader(bus, uri.unit_or_1)
    try:
        for _ in range(_WARM):
            await read()
        begun_s = time.process_time()
        for _ in range(_READS):
            await read()
        return 1e6 * (time.process_time() - begun_s) / _READS
    finally:
        bus.close()


def _poll(bus: Bus, unit: int) -> Callable[[], Awaitable[object]]:
    return SunSpecMeter(bus, unit, "export_positive").read


def _whole(bus: Bus, unit: int) -> Callable[[], Awaitable[object]]:
    device = SunSpecDevice(bus, unit)
    return lambda: device.read_model(MODEL)
