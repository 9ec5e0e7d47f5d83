"""The devices over real sockets, read and written by clients that are not ours."""

from __future__ import annotations

import asyncio
import shutil
import struct
import subprocess
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest
from hand_moved_site import HandMoved
from pymodbus.client import AsyncModbusTcpClient
from sunspec2.modbus.modbus import ModbusClientException

from sim.devices.assembly import coil_unit
from sim.files.script import ScriptEvent
from sim.simfile import DEMO, load_simfile
from sim.wire.station import Station
from sim.wire.tcp import PortInUseError, TcpPort

SUNS = (0x5375, 0x6E53)


@pytest.fixture
async def site() -> AsyncIterator[HandMoved]:
    moved = HandMoved()
    await moved.server.start()
    try:
        yield moved
    finally:
        await moved.server.stop()


def values(device: Any, model: int, *names: str) -> list[Any]:
    group = device.models[model][0]
    group.read()
    return [getattr(group, name).cvalue for name in names]


def write(device: Any, model: int, **changes: float) -> None:
    group = device.models[model][0]
    for name, value in changes.items():
        getattr(group, name).cvalue = value
    group.write()


async def modbus(site: HandMoved, role: str) -> AsyncModbusTcpClient:
    client = AsyncModbusTcpClient("127.0.0.1", port=site.port(role), timeout=0.3, retries=0)
    assert await client.connect()
    return client


@pytest.mark.parametrize(
    ("role", "chain"),
    [
        ("meter", [1, 203]),
        ("inverter-1", [1, 701, 702, 703, 704, 705, 706]),
        ("inverter-2", [1, 103, 120, 121, 123]),
    ],
)
async def test_pysunspec2_scans_the_chain_without_an_error(
    site: HandMoved, role: str, chain: list[int]
) -> None:
    def scanned(device: Any) -> tuple[int, list[int], list[str]]:
        models = device.model_list
        return device.base_addr, [each.model_id for each in models], [each.error_info for each in models]

    base, ids, errors = await site.client(role, scanned)
    assert base == 40_000
    assert ids == chain
    assert not any(errors)


async def test_sizes_are_those_of_the_standard(site: HandMoved) -> None:
    """Sizes with ID and L: 701 155, 702 52, 703 19, 704 67, 705 69, 706 42 (three sets, 4 and 2 points)."""
    sizes = await site.client("inverter-1", lambda device: [each.len + 2 for each in device.model_list])
    assert sizes == [68, 155, 52, 19, 67, 69, 42]


async def test_meter_shows_the_truth_of_its_last_sample(site: HandMoved) -> None:
    site.run(1.03)
    shown = site.plant.meter.shown
    names = ("W", "WphA", "WphB", "WphC", "PhV", "PPV", "Hz", "TotWhExp", "TotWhImp", "A")
    watts, *phases, phase_v, line_v, hz, exported, imported, amps = await site.client(
        "meter", lambda device: values(device, 203, *names)
    )
    assert watts == pytest.approx(shown.state.export_w, abs=5.1)
    assert watts < 0
    assert sum(phases) == pytest.approx(watts, abs=20)
    assert (phase_v, line_v) == pytest.approx(
        (shown.state.v_pu * 480 / 3**0.5, shown.state.v_pu * 480), abs=0.1
    )
    assert hz == pytest.approx(shown.state.hz, abs=0.006)
    assert exported is None
    assert imported == pytest.approx(shown.imported_wh, abs=0.06)
    assert amps == pytest.approx(abs(watts) / phase_v, rel=0.01)


async def test_energy_counters_move_with_power(site: HandMoved) -> None:
    def imported(device: Any) -> Any:
        return values(device, 203, "TotWhImp")[0]

    site.run(10.02)
    before = await site.client("meter", imported)
    site.run(10.0)
    after = await site.client("meter", imported)
    assert after - before == pytest.approx(25_000 * 10 / 3600, rel=0.01)


async def test_704_limits_and_reverts_to_its_safe_value(site: HandMoved) -> None:
    limits: dict[str, float] = {
        "WMaxLimPctEna": 1,
        "WMaxLimPct": 50.0,
        "WMaxLimPctRvrt": 10.0,
        "WMaxLimPctEnaRvrt": 1,
        "WMaxLimPctRvrtTms": 10,
    }
    await site.client("inverter-1", lambda device: write(device, 704, **limits))
    site.run(2.5)

    def look(device: Any) -> tuple[list[Any], list[Any]]:
        names = ("WMaxLimPctEna", "WMaxLimPct", "WMaxLimPctRvrtRem")
        return values(device, 704, *names), values(device, 701, "W", "InvSt", "ThrotSrc")

    assert await site.client("inverter-1", look) == ([1, 50.0, 8], [10_000, 4, 1])
    site.run(9.0)
    assert await site.client("inverter-1", look) == ([1, 10.0, 0], [2_000, 4, 1])


async def test_123_limits_and_fails_open(site: HandMoved) -> None:
    module = site.plant.coils[0]
    module.watchdog_s = 0.0
    module.write(closed=True)
    site.run(2.0)

    def look(device: Any) -> tuple[list[Any], list[Any]]:
        return values(device, 103, "W", "St"), values(device, 123, "WMaxLimPct", "WMaxLim_Ena")

    assert await site.client("inverter-2", look) == ([80_000, 4], [100.0, 0])
    change: dict[str, float] = {"WMaxLimPct": 25.0, "WMaxLimPct_RvrtTms": 5, "WMaxLim_Ena": 1}
    await site.client("inverter-2", lambda device: write(device, 123, **change))
    site.run(3.0)
    assert await site.client("inverter-2", look) == ([20_000, 5], [25.0, 1])
    site.run(5.0)
    assert await site.client("inverter-2", look) == ([80_000, 4], [25.0, 0])


async def test_123_conn_takes_it_off_the_grid(site: HandMoved) -> None:
    site.plant.coils[0].watchdog_s = 0.0
    site.plant.coils[0].write(closed=True)
    site.run(2.0)
    await site.client("inverter-2", lambda device: write(device, 123, Conn=0))
    site.run(0.01)
    assert site.plant.fleet.power_w[1] == 0.0
    assert await site.client("inverter-2", lambda device: values(device, 103, "W", "St")) == [0, 1]


async def test_703_points_are_written_and_its_delay_counts_down(site: HandMoved) -> None:
    def set_up(device: Any) -> list[Any]:
        write(device, 703, ES=0, ESVHi=105.0, ESVLo=91.7, ESHzHi=60.1, ESHzLo=59.5, ESDlyTms=8, ESRmpTms=4)
        return values(device, 703, "ES", "ESVHi", "ESVLo", "ESHzHi", "ESHzLo", "ESDlyTms", "ESRmpTms")

    assert await site.client("inverter-1", set_up) == [0, 105.0, 91.7, 60.1, 59.5, 8, 4]
    site.run(0.1)
    assert site.plant.fleet.power_w[0] == 0.0
    await site.client("inverter-1", lambda device: write(device, 703, ES=1))
    site.run(2.5)
    assert await site.client("inverter-1", lambda device: values(device, 703, "ESDlyRemTms")) == [6]
    assert await site.client("inverter-1", lambda device: values(device, 701, "InvSt", "W")) == [2, 0]
    site.run(5.5 + 4.1)
    assert site.plant.fleet.p_pu[0] == pytest.approx(1.0)


async def test_702_wmax_can_be_lowered_and_not_raised(site: HandMoved) -> None:
    ratings = await site.client(
        "inverter-1", lambda device: values(device, 702, "WMaxRtg", "WMax", "VAMaxRtg", "VarMaxInjRtg")
    )
    assert ratings == [20_000, 20_000, 22_000, 9_680]
    await site.client("inverter-1", lambda device: write(device, 702, WMax=15_000))
    site.run(1.0)
    assert site.plant.fleet.power_w[0] == pytest.approx(15_000)
    with pytest.raises(ModbusClientException):
        await site.client("inverter-1", lambda device: write(device, 702, WMax=21_000))


@pytest.mark.parametrize(
    ("role", "model", "name", "value"),
    [
        ("inverter-1", 702, "WMaxRtg", 1),
        ("inverter-1", 702, "VAMax", 1),
        ("inverter-1", 704, "WMaxLimPctRvrtRem", 1),
        ("inverter-1", 704, "WMaxLimPct_SF", 0),
        ("inverter-1", 704, "WMaxLimPct", 100.01),
        ("inverter-1", 704, "WMaxLimPctEna", 2),
        ("inverter-1", 704, "WSetEna", 1),
        ("inverter-1", 703, "ESDlyTms", 1001),
        ("inverter-1", 705, "AdptCrvRslt", 1),
        ("inverter-2", 120, "WRtg", 1),
        ("inverter-2", 123, "OutPFSet_RvrtTms", 1),
        ("inverter-2", 123, "VArPct_Mod", 3),
        ("meter", 203, "W", 0),
    ],
)
async def test_what_cannot_be_written_is_refused_and_stays(
    site: HandMoved, role: str, model: int, name: str, value: float
) -> None:
    def attempt(device: Any) -> None:
        before = values(device, model, name)
        getattr(device.models[model][0], name).cvalue = value
        with pytest.raises(ModbusClientException):
            getattr(device.models[model][0], name).write()
        assert values(device, model, name) == before

    await site.client(role, attempt)


async def test_a_sentinel_cannot_be_written(site: HandMoved) -> None:
    client = await modbus(site, "inverter-2")
    limit = 40_182 + 5
    answer = await client.write_register(limit, 0xFFFF)
    assert (answer.isError(), answer.exception_code) == (True, 3)
    assert (await client.read_holding_registers(limit, count=1)).registers == [10_000]
    client.close()


async def test_half_of_a_wide_point_can_be_written(site: HandMoved) -> None:
    """FC06 to the low word of 704 WMaxLimPctRvrtTms keeps the high one."""
    client = await modbus(site, "inverter-1")
    low_word = 40_296 + 19
    assert not (await client.write_register(low_word, 30)).isError()
    assert (await client.read_holding_registers(low_word - 1, count=2)).registers == [0, 30]
    client.close()


async def test_a_meter_can_be_import_positive() -> None:
    sim = load_simfile(DEMO)
    turned = sim.model_copy(update={"meter": sim.meter.model_copy(update={"sign": "import_positive"})})
    moved = HandMoved(turned)
    await moved.server.start()
    try:
        moved.run(1.0)
        watts, imported = await moved.client("meter", lambda device: values(device, 203, "W", "TotWhImp"))
    finally:
        await moved.server.stop()
    assert watts == pytest.approx(25_000, abs=300)
    assert imported > 0


async def test_absent_points_have_their_sentinels(site: HandMoved) -> None:
    absent = await site.client(
        "inverter-1", lambda device: values(device, 701, "TmpCab", "ThrotPct", "TotVarhInj", "MnAlrmInfo")
    )
    assert absent == [None, None, None, None]
    legacy = await site.client("inverter-2", lambda device: values(device, 123, "VArAvalPct", "Conn_WinTms"))
    assert legacy == [None, None]


def curve(device: Any, model: int, number: int) -> Any:
    device.models[model][0].read()
    return device.models[model][0].Crv[number - 1]


def adopt(number: int, points: list[tuple[float, float]], **settings: float) -> Callable[[Any], None]:
    def work(device: Any) -> None:
        stored = curve(device, 705, number)
        stored.ActPt.cvalue = len(points)
        for place, (volts, var) in zip(stored.Pt, points, strict=False):
            place.V.cvalue, place.Var.cvalue = volts, var
        for name, value in settings.items():
            getattr(stored, name).cvalue = value
        stored.write()
        write(device, 705, AdptCrvReq=number)

    return work


CURVE = [(94.0, 30.0), (97.0, 0.0), (103.0, 0.0), (106.0, -30.0)]


async def result(site: HandMoved) -> Any:
    return (await site.client("inverter-1", lambda device: values(device, 705, "AdptCrvRslt")))[0]


async def test_a_curve_is_adopted_after_a_moment(site: HandMoved) -> None:
    await site.client("inverter-1", adopt(2, CURVE, RspTms=1.0))
    assert await result(site) == 0
    site.run(0.25)
    assert await result(site) == 0
    site.run(0.1)
    assert await result(site) == 1

    def active(device: Any) -> tuple[list[tuple[float, float]], float, int]:
        shown = curve(device, 705, 1)
        points = [(place.V.cvalue, place.Var.cvalue) for place in shown.Pt]
        return points, shown.RspTms.cvalue, shown.ReadOnly.cvalue

    assert await site.client("inverter-1", active) == (CURVE, 1.0, 1)
    await site.client("inverter-1", lambda device: write(device, 705, Ena=1))
    site.plant.apply(ScriptEvent(at_s=0.0, v_pu=1.045))
    site.run(10.0)
    v_pu = site.plant.site.state.v_pu
    expected_pu = -0.3 * 1.1 * (v_pu - 1.03) / 0.03
    assert site.plant.fleet.q_pu[0] == pytest.approx(expected_pu, abs=1e-3)


@pytest.mark.parametrize(
    ("number", "points", "settings"),
    [
        (2, [(97.0, 30.0), (94.0, 0.0)], {}),
        (2, [(94.0, 30.0), (94.0, 0.0)], {}),
        (3, [(94.0, 101.0), (97.0, 0.0)], {}),
        (3, CURVE, {"ActPt": 1}),
        (3, CURVE, {"ActPt": 5}),
        (2, CURVE, {"DeptRef": 2}),
        (2, CURVE, {"Pri": 2}),
    ],
)
async def test_an_inconsistent_curve_fails_and_changes_nothing(
    site: HandMoved, number: int, points: list[tuple[float, float]], settings: dict[str, float]
) -> None:
    await site.client("inverter-1", adopt(number, points, **settings))
    site.run(0.35)
    assert await result(site) == 2
    shown = await site.client("inverter-1", lambda device: curve(device, 705, 1).Pt[0].V.cvalue)
    assert shown == 92.0


@pytest.mark.parametrize("number", [0, 4])
async def test_a_set_that_is_not_there_fails(site: HandMoved, number: int) -> None:
    await site.client("inverter-1", lambda device: write(device, 705, AdptCrvReq=number))
    site.run(0.35)
    assert await result(site) == 2


async def test_the_active_set_cannot_be_written(site: HandMoved) -> None:
    def attempt(device: Any) -> None:
        active = curve(device, 705, 1)
        active.Pt[0].V.cvalue = 90.0
        with pytest.raises(ModbusClientException):
            active.write()

    await site.client("inverter-1", attempt)


async def test_volt_watt_is_adopted_too(site: HandMoved) -> None:
    def work(device: Any) -> None:
        stored = curve(device, 706, 3)
        stored.Pt[0].V.cvalue, stored.Pt[1].V.cvalue, stored.Pt[1].W.cvalue = 103.0, 105.0, 50.0
        stored.RspTms.cvalue = 0.5
        stored.write()
        write(device, 706, AdptCrvReq=3)
        write(device, 706, Ena=1)

    await site.client("inverter-1", work)
    site.plant.apply(ScriptEvent(at_s=0.0, v_pu=1.08))
    site.run(5.0)
    assert site.plant.fleet.p_pu[0] == pytest.approx(0.5, abs=1e-3)


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


async def test_mbpoll_reads_the_devices(site: HandMoved) -> None:
    mbpoll = shutil.which("mbpoll")
    assert mbpoll, "mbpoll is not installed: `make setup` does it"

    def poll(*arguments: str) -> list[str]:
        command = [mbpoll, "-m", "tcp", "-0", "-1", "-q", *arguments, "127.0.0.1"]
        run = subprocess.run(command, capture_output=True, text=True, timeout=20, check=True)
        return [line.split()[-1] for line in run.stdout.splitlines() if line.startswith("[")]

    for role in ("meter", "inverter-1", "inverter-2"):
        port = str(site.port(role))
        shown = await asyncio.to_thread(poll, "-p", port, "-r", "40000", "-c", "4", "-t", "4:hex")
        assert shown == ["0x5375", "0x6E53", "0x0001", "0x0042"]
    port = str(site.port("diagnostic"))
    export = await asyncio.to_thread(poll, "-p", port, "-r", "0", "-c", "1", "-t", "4:float", "-B")
    assert float(export[0]) == pytest.approx(site.plant.site.state.export_w, rel=1e-4)


async def test_a_port_in_use_is_told_and_the_others_are_closed_again(site: HandMoved) -> None:
    taken = site.port("meter")
    unit = coil_unit(site.plant, 0, lambda: None)
    with pytest.raises(PortInUseError, match=f"port {taken} of 127.0.0.1 for again is in use"):
        await TcpPort(taken, [Station("again", 1, unit)]).start()
