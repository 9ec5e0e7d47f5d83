"""The same drivers over a serial line: two units on one pseudo-terminal pair, one of them dead."""

from __future__ import annotations

import asyncio
import os
import tty
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from pymodbus.framer import FramerType
from pymodbus.server import ModbusSerialServer
from served_map import chain, common, device, model

from drivers.bus import Buses
from drivers.errors import Timeout, Unreachable
from drivers.inverter_sunspec import SunSpecInverter
from drivers.meter_sunspec import SunSpecMeter
from drivers.uri import ModbusUri

METER = chain(common(SN="7"), model(203, {"W": -330, "W_SF": 1}))
CONTROL = {"WMaxLimPct": 100, "WMaxLim_Ena": 0, "WMaxLimPct_SF": 0}
INVERTER = chain(common(SN="8"), model(121, {"WMax": 2000, "WMax_SF": 1}), model(123, CONTROL))


@asynccontextmanager
async def serial_line() -> AsyncIterator[tuple[str, str]]:
    """Two serial ports joined by a null modem: two pseudo-terminals, bytes carried between their far ends."""
    ends = [os.openpty(), os.openpty()]
    loop = asyncio.get_running_loop()
    for far, near in ends:
        tty.setraw(near)
        os.set_blocking(far, False)
    (one, _), (two, _) = ends
    loop.add_reader(one, lambda: os.write(two, os.read(one, 4096)))
    loop.add_reader(two, lambda: os.write(one, os.read(two, 4096)))
    try:
        yield os.ttyname(ends[0][1]), os.ttyname(ends[1][1])
    finally:
        for far, near in ends:
            loop.remove_reader(far)
            os.close(far)
            os.close(near)


@asynccontextmanager
async def served() -> AsyncIterator[ModbusUri]:
    async with serial_line() as (ours, theirs):
        server = ModbusSerialServer(
            [device(7, METER), device(8, INVERTER)],
            framer=FramerType.RTU,
            port=theirs,
            baudrate=115200,
            ignore_missing_devices=True,
        )
        await server.serve_forever(background=True)
        try:
            yield ModbusUri.parse(f"rtu://{ours}?baud=115200&unit=7")
        finally:
            await server.shutdown()  # type: ignore[no-untyped-call]  # pymodbus leaves it unannotated


async def test_meter_and_inverter_share_a_serial_line() -> None:
    async with served() as uri:
        buses = Buses()
        meter = SunSpecMeter(buses.open(uri, timeout_s=1, retries=0), 7, "export_positive")
        inverter = SunSpecInverter(buses.open(uri.with_unit(8), timeout_s=1, retries=0), 8)
        who = await asyncio.gather(meter.identify(), inverter.identify())
        assert [one.serial for one in who] == ["7", "8"]
        readings = await asyncio.gather(meter.read(), inverter.write_limit(5000), meter.read())
        assert (readings[0].export_w, readings[1].verified, readings[2].export_w) == (-3300, True, -3300)
        buses.close()


@pytest.mark.parametrize("parity", ["E", "O"])
async def test_a_serial_port_that_has_no_parity_is_unreachable(parity: str) -> None:
    async with serial_line() as (port, _):
        uri = ModbusUri.parse(f"rtu://{port}?parity={parity}")
        bus = Buses().open(uri, timeout_s=1, retries=0)
        with pytest.raises(
            Unreachable, match=r"does not take this baud rate, parity .* \(Invalid argument\)"
        ):
            await bus.read(1, 0, 1)


async def test_a_serial_port_that_is_not_there_is_unreachable() -> None:
    buses = Buses()
    bus = buses.open(ModbusUri.parse("rtu:///dev/no-such-port"), timeout_s=1, retries=0)
    with pytest.raises(Unreachable, match="serial port cannot be opened"):
        await bus.read(1, 0, 1)


async def test_a_line_is_good_again_after_a_time_out() -> None:
    async with serial_line() as (ours, theirs):
        uri = ModbusUri.parse(f"rtu://{ours}?baud=115200&unit=7")
        buses = Buses()
        bus = buses.open(uri, timeout_s=0.1, retries=0)
        with pytest.raises(Timeout):
            await bus.read(7, 40000, 2)
        server = ModbusSerialServer(device(7, METER), framer=FramerType.RTU, port=theirs, baudrate=115200)
        await server.serve_forever(background=True)
        await asyncio.sleep(0.1)
        patient = buses.open(uri, timeout_s=1, retries=1)
        assert list((await patient.read(7, 40000, 2)).words) == [0x5375, 0x6E53]
        buses.close()
        await server.shutdown()  # type: ignore[no-untyped-call]  # pymodbus leaves it unannotated
