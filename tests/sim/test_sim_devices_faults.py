"""Faults and orders as the devices show them to clients, and what is no SunSpec: the coil, the truth, the port."""

from __future__ import annotations

import struct
from collections.abc import AsyncIterator

import pytest
from hand_moved_site import HandMoved, modbus, values, write

from sim.devices.assembly import coil_unit
from sim.wire.station import Station
from sim.wire.tcp import PortInUseError, TcpPort

SUNS = (0x5375, 0x6E53)


@pytest.fixture
async def site() -> AsyncIterator[HandMoved]:
    async with HandMoved() as moved:
        yield moved


async def test_the_coil_holds_while_it_is_written_and_opens_by_itself(site: HandMoved) -> None:
    client = await modbus(site, "coil-2")

    async def look() -> tuple[bool, bool]:
        coil = await client.read_coils(0, count=1)
        contact = await client.read_discrete_inputs(0, count=1)
        return coil.bits[0], contact.bits[0]

    assert await look() == (False, False)
    assert not (await client.write_coil(0, value=True)).isError()
    assert await look() == (True, False)
    site.run(0.05)
    assert await look() == (True, True)
    site.run(0.44)
    await client.write_coils(0, [True])
    site.run(0.49)
    assert await look() == (True, True)
    site.run(0.01)
    assert await look() == (False, True)
    site.run(0.05)
    assert await look() == (False, False)
    assert (await client.read_input_registers(0, count=1)).registers == [1]
    assert (await client.read_holding_registers(0, count=1)).registers == [500]
    assert not (await client.write_register(0, 2000)).isError()
    assert (await client.read_holding_registers(0, count=1)).registers == [2000]
    await client.write_coil(0, value=True)
    site.run(1.9)
    assert await look() == (True, True)
    assert (await client.write_coil(3, value=True)).isError()
    client.close()


async def test_the_diagnostic_unit_tells_the_truth(site: HandMoved) -> None:
    site.plant.coils[0].write(closed=True)
    site.run(0.4)
    client = await modbus(site, "diagnostic")
    registers = (await client.read_holding_registers(0, count=10)).registers
    export_w, one_w, two_w, closed, _, load_w = struct.unpack(">fffHHf", struct.pack(">10H", *registers))
    truth = site.plant.site
    assert (export_w, load_w) == pytest.approx((truth.state.export_w, truth.host_load_w))
    assert (one_w, two_w, closed) == pytest.approx((*site.plant.fleet.power_w, 1))
    assert two_w > 0
    assert (await client.write_register(0, 1)).isError()
    client.close()


async def test_silence_is_accepting_and_not_answering_and_other_units_are_ignored(site: HandMoved) -> None:
    client = await modbus(site, "meter")
    assert (await client.read_holding_registers(40_000, count=2)).registers == list(SUNS)
    with pytest.raises(Exception, match="No response"):
        await client.read_holding_registers(40_000, count=2, device_id=2)
    assert "event" in site.server.control.handle('{"fault": "meter-loss"}')
    other = await modbus(site, "meter")
    for silent in (client, other):
        with pytest.raises(Exception, match="No response"):
            await silent.read_holding_registers(40_000, count=2)
    site.server.control.handle('{"fault": "clear"}')
    assert (await client.read_holding_registers(40_000, count=2)).registers == list(SUNS)
    client.close()
    other.close()


async def test_a_lost_inverter_reverts_by_itself(site: HandMoved) -> None:
    limits: dict[str, float] = {"WMaxLimPct": 90.0, "WMaxLimPctRvrt": 20.0, "WMaxLimPctEnaRvrt": 1}
    await site.client(
        "inverter-1", lambda device: write(device, 704, WMaxLimPctEna=1, WMaxLimPctRvrtTms=10, **limits)
    )
    site.server.control.handle('{"fault": "inverter-loss"}')
    site.run(9.0)
    assert site.plant.fleet.power_w[0] == pytest.approx(18_000)
    site.run(3.0)
    assert site.plant.fleet.power_w[0] == pytest.approx(4_000)


async def test_ignored_writes_read_back_and_do_nothing(site: HandMoved) -> None:
    site.server.control.handle('{"fault": "write-ignored"}')
    await site.client("inverter-1", lambda device: write(device, 704, WMaxLimPctEna=1, WMaxLimPct=5.0))
    site.run(3.0)
    shown = await site.client("inverter-1", lambda device: values(device, 704, "WMaxLimPct", "WMaxLimPctEna"))
    assert shown == [5.0, 1]
    assert site.plant.fleet.power_w[0] == pytest.approx(20_000)
    site.server.control.handle('{"fault": "clear"}')
    site.run(3.0)
    assert site.plant.fleet.power_w[0] == pytest.approx(1_000)


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ('{"fault": "earthquake"}', "there are meter-loss"),
        ("{}", "exactly one"),
        ('{"load_w": 1.0, "load_step_w": 1.0}', "exactly one"),
        ("nonsense", "an order is one line of JSON"),
        ('{"fault": "inverter-loss", "role": "inverter-9"}', "no device is called 'inverter-9'"),
    ],
)
async def test_orders_that_make_no_sense_are_told(site: HandMoved, line: str, said: str) -> None:
    assert said in site.server.control.handle(line)["error"]


async def test_load_orders_and_script_hold(site: HandMoved) -> None:
    handle = site.server.control.handle
    assert handle('{"script": "hold"}') == {"event": "script hold", "t_s": pytest.approx(0.01)}
    site.run(30.0)
    assert site.plant.site.load_w == 45_000
    assert handle('{"load_step_w": -36000}') == {"event": "load step -36000 W", "t_s": pytest.approx(30.01)}
    assert site.plant.site.load_w == 9_000
    handle('{"load_w": 50000}')
    assert site.plant.site.load_w == 50_000
    handle('{"script": "run"}')
    site.run(20.01)
    assert site.plant.site.load_w == 14_000


async def test_a_port_in_use_is_told_and_the_others_are_closed_again(site: HandMoved) -> None:
    taken = site.port("meter")
    unit = coil_unit(site.plant, 0, lambda: None)
    with pytest.raises(PortInUseError, match=f"port {taken} of 127.0.0.1 for again is in use"):
        await TcpPort(taken, [Station("again", 1, unit)]).start()
