"""The devices over real sockets, read and written by clients that are not ours."""

from __future__ import annotations

import asyncio
import shutil
import subprocess
from collections.abc import AsyncIterator
from typing import Any

import pytest
from hand_moved_site import HandMoved, modbus, values, write
from sunspec2.modbus.modbus import ModbusClientException

from sim.simfile import DEMO, load_simfile


@pytest.fixture
async def site() -> AsyncIterator[HandMoved]:
    async with HandMoved() as moved:
        yield moved


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
    async with HandMoved(turned) as moved:
        moved.run(1.0)
        watts, imported = await moved.client("meter", lambda device: values(device, 203, "W", "TotWhImp"))
    assert watts == pytest.approx(25_000, abs=300)
    assert imported > 0


async def test_absent_points_have_their_sentinels(site: HandMoved) -> None:
    absent = await site.client(
        "inverter-1", lambda device: values(device, 701, "TmpCab", "ThrotPct", "TotVarhInj", "MnAlrmInfo")
    )
    assert absent == [None, None, None, None]
    legacy = await site.client("inverter-2", lambda device: values(device, 123, "VArAvalPct", "Conn_WinTms"))
    assert legacy == [None, None]


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
