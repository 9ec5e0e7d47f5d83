"""Sites whose devices share a serial line or a TCP port, read by clients that are not ours and by our drivers."""

from __future__ import annotations

import asyncio
import json
import shutil
import subprocess
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from hand_moved_site import HandMoved
from pydantic import ValidationError
from pymodbus.client import AsyncModbusTcpClient
from sunspec2.modbus.client import SunSpecModbusClientDeviceRTU

from drivers.bus import Buses
from drivers.inverter_sunspec import SunSpecInverter
from drivers.meter_sunspec import SunSpecMeter
from drivers.uri import ModbusUri
from sim.serve import SimServer
from sim.simfile import SimFile

BAUD = 115_200


def site(**changes: Any) -> SimFile:
    """A meter and two inverters on one line, a trip module on TCP."""
    tables: dict[str, Any] = {
        "name": "one line",
        "grid": {"nominal_v": 480.0},
        "load": {"base_w": 45_000.0},
        "line": [{"name": "bus", "baud": BAUD}],
        "meter": {"line": "bus", "unit_id": 10, "period_s": 0.2},
        "inverter": [
            {"role": "inverter-1", "models": "der", "line": "bus", "unit_id": 11, "nameplate_w": 20e3},
            {"role": "inverter-2", "models": "legacy", "line": "bus", "unit_id": 12, "nameplate_w": 80e3},
        ],
        "coil": [{"role": "coil", "port": 2000, "opens": ["inverter-2"]}],
        "diagnostic": {"port": 2000, "unit_id": 2},
    }
    return SimFile.model_validate_json(json.dumps(tables | changes))


@asynccontextmanager
async def served(sim: SimFile) -> AsyncIterator[HandMoved]:
    async with HandMoved(sim) as moved:
        moved.run(2.0)
        yield moved


def device(server: SimServer) -> str:
    return urlsplit(server.servers["meter"].uri).path


async def test_pysunspec2_scans_every_unit_on_the_line() -> None:
    def scan(path: str, unit_id: int) -> tuple[list[int], Any]:
        client = SunSpecModbusClientDeviceRTU(slave_id=unit_id, name=path, baudrate=BAUD, timeout=2)
        try:
            client.scan()
            model = client.models[{10: 203, 11: 701, 12: 103}[unit_id]][0]
            model.read()
            return [each.model_id for each in client.model_list], model.W.cvalue
        finally:
            client.close()

    async with served(site()) as moved:
        path = device(moved.server)
        for unit_id, chain in (
            (10, [1, 203]),
            (11, [1, 701, 702, 703, 704, 705, 706]),
            (12, [1, 103, 120, 121, 123]),
        ):
            models, watts = await asyncio.to_thread(scan, path, unit_id)
            assert models == chain
            if unit_id == 10:
                assert watts == pytest.approx(moved.plant.meter.shown.state.export_w, abs=5.1)


async def test_mbpoll_reads_the_line() -> None:
    mbpoll = shutil.which("mbpoll")
    assert mbpoll, "mbpoll is not installed: `make setup` does it"
    async with served(site()) as moved:
        for unit_id in ("10", "11", "12"):
            command = [mbpoll, "-m", "rtu", "-b", str(BAUD), "-P", "none", "-a", unit_id, "-0", "-1", "-q"]
            command += ["-r", "40000", "-c", "2", "-t", "4:hex", device(moved.server)]
            run = await asyncio.to_thread(
                subprocess.run, command, capture_output=True, text=True, timeout=20, check=True
            )
            shown = [line.split()[-1] for line in run.stdout.splitlines() if line.startswith("[")]
            assert shown == ["0x5375", "0x6E53"]


async def test_our_drivers_share_the_line() -> None:
    async with served(site()) as moved:
        uri = ModbusUri.parse(moved.server.servers["meter"].uri)
        buses = Buses()
        meter = SunSpecMeter(buses.open(uri, timeout_s=1, retries=0), 10, "export_positive")
        inverters = [
            SunSpecInverter(buses.open(uri.with_unit(unit), timeout_s=1, retries=0), unit)
            for unit in (11, 12)
        ]
        await asyncio.gather(meter.identify(), *(inverter.identify() for inverter in inverters))
        reading, one, two = await asyncio.gather(
            meter.read(), inverters[0].write_limit(5_000), inverters[1].write_limit(8_000)
        )
        assert reading.export_w == pytest.approx(moved.plant.meter.shown.state.export_w, abs=5.1)
        assert one.verified
        assert two.verified
        assert moved.plant.fleet.limit.command_pu().tolist() == pytest.approx([0.25, 0.1])
        buses.close()


async def test_a_port_may_be_shared_by_unit_ids() -> None:
    async with served(site()) as moved:
        client = AsyncModbusTcpClient("127.0.0.1", port=moved.port("coil"), timeout=1, retries=0)
        await client.connect()
        assert moved.port("coil") == moved.port("diagnostic")
        assert not (await client.read_coils(0, count=1, device_id=1)).isError()
        assert not (await client.read_holding_registers(0, count=2, device_id=2)).isError()
        assert (await client.read_coils(0, count=1, device_id=9)).exception_code == 11
        client.close()


async def test_the_readiness_line_has_the_stable_path(tmp_path: Path) -> None:
    path = tmp_path / "bus"
    async with served(site(line=[{"name": "bus", "baud": 9600, "parity": "E", "path": str(path)}])) as moved:
        uris = {each["role"]: each["uri"] for each in moved.server.ready()["devices"]}
        assert uris["inverter-1"] == f"rtu://{path}?baud=9600&parity=N&stopbits=1&unit=11"
        assert path.is_symlink()
    assert not path.exists()


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"meter": {"period_s": 0.2}}, "either port or line"),
        ({"meter": {"period_s": 0.2, "port": 1, "line": "bus"}}, "either port or line"),
        ({"meter": {"period_s": 0.2, "line": "other"}}, "no line called other"),
        ({"meter": {"period_s": 0.2, "line": "bus", "unit_id": 11}}, "a unit id of its own there"),
        ({"line": [{"name": "bus"}, {"name": "bus"}]}, "every line must be given once"),
        ({"line": [{"name": "bus", "baud": 9601}]}, "9600"),
    ],
)
def test_lines_that_make_no_sense_are_refused(changes: dict[str, Any], said: str) -> None:
    with pytest.raises(ValidationError, match=said):
        site(**changes)
