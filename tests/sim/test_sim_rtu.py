"""RTU lines on real pseudo-terminals: CRC, character times, gaps, several units, clients that are not ours."""

from __future__ import annotations

import asyncio
import shutil
import subprocess
import time
from pathlib import Path

import pytest
from pymodbus.client import AsyncModbusSerialClient
from wire_bench import Bank, opened, read_pdu, rtu, rtu_frame, station, words_pdu

from drivers.uri import ModbusUri
from sim.files.line import LineFile
from sim.wire.rtu import RtuLine
from sim.wire.tcp import PortInUseError


async def test_an_answer_has_the_unit_of_its_request_and_a_crc() -> None:
    async with rtu(station(unit_id=7), station(unit_id=8, bank=Bank())) as line, opened(line) as master:
        for unit_id in (7, 8):
            heard = await master.ask(rtu_frame(read_pdu(), unit_id), 9)
            assert heard == rtu_frame(words_pdu(1000, 1001), unit_id)


async def test_exceptions_have_a_crc_too() -> None:
    async with rtu(station()) as line, opened(line) as master:
        assert await master.ask(rtu_frame(read_pdu(1)), 5) == rtu_frame(b"\x83\x02")


@pytest.mark.parametrize(
    "nonsense",
    [
        rtu_frame(read_pdu(), 9),
        rtu_frame(read_pdu())[:-1] + b"\0",
        rtu_frame(read_pdu())[:-1],
        b"\x01",
        b"\xff" * 30,
    ],
)
async def test_what_is_not_for_a_unit_here_gets_no_answer_and_does_no_harm(nonsense: bytes) -> None:
    async with rtu(station()) as line, opened(line) as master:
        assert await master.ask(nonsense, 1, within_s=0.05) == b""
        assert await master.ask(rtu_frame(read_pdu()), 9) == rtu_frame(words_pdu(1000, 1001))


async def test_a_frame_may_come_in_pieces_within_its_time() -> None:
    frame = rtu_frame(read_pdu())
    async with rtu(station(), baud=1200) as line, opened(line) as master:
        assert await master.ask(frame[:3], 1, within_s=0.01) == b""
        assert await master.ask(frame[3:], 9, within_s=1.0) == rtu_frame(words_pdu(1000, 1001))


@pytest.mark.parametrize(
    ("line", "char_s", "gap_s"),
    [
        ({"baud": 9600}, 10 / 9600, 35 / 9600),
        ({"baud": 9600, "parity": "E"}, 11 / 9600, 38.5 / 9600),
        ({"baud": 19_200, "stopbits": 2}, 11 / 19_200, 38.5 / 19_200),
        ({"baud": 38_400}, 10 / 38_400, 0.00175),
    ],
)
def test_characters_and_gaps_take_what_the_standard_says(
    line: dict[str, object], char_s: float, gap_s: float
) -> None:
    file = LineFile.model_validate({"name": "bus", **line})
    assert (file.char_s, file.gap_s) == pytest.approx((char_s, gap_s))


@pytest.mark.live
@pytest.mark.parametrize(("baud", "chars"), [(9600, 8 + 3.5 + 25), (1200, 8 + 3.5 + 25)])
async def test_an_answer_takes_the_time_of_its_characters(baud: int, chars: float) -> None:
    async with rtu(station(), baud=baud, turnaround_s=0.0) as line, opened(line) as master:
        took_s = []
        for _ in range(3):
            started_s = time.monotonic()
            assert len(await master.ask(rtu_frame(read_pdu(count=10)), 25, within_s=2.0)) == 25
            took_s.append(time.monotonic() - started_s)
            await asyncio.sleep(line.file.gap_s)
        # A busy machine makes one longer, never shorter.
        assert chars * 10 / baud <= min(took_s) < chars * 10 / baud + 0.05


async def test_a_master_at_another_baud_rate_is_not_understood() -> None:
    async with rtu(station()) as line:
        async with opened(line, baud=9600) as master:
            assert await master.ask(rtu_frame(read_pdu()), 1, within_s=0.1) == b""
        async with opened(line) as master:
            assert len(await master.ask(rtu_frame(read_pdu()), 9)) == 9


async def test_the_uri_is_one_that_our_own_drivers_take() -> None:
    async with rtu(station(unit_id=3), baud=19_200, parity="E") as line:
        uri = ModbusUri.parse(line.uri(line.stations[3]))
        assert (uri.device, uri.baud, uri.parity, uri.unit) == (line.device, 19_200, "E", 3)


async def test_a_link_is_made_replaced_and_taken_away(tmp_path: Path) -> None:
    path = tmp_path / "bus"
    path.symlink_to("/dev/null")
    async with rtu(station(), path=str(path)) as line:
        assert line.device == str(path)
        assert path.readlink().parent == Path("/dev/pts")
        async with opened(line) as master:
            assert len(await master.ask(rtu_frame(read_pdu()), 9)) == 9
    assert not path.is_symlink()


async def test_a_file_in_the_place_of_the_link_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "bus"
    path.write_text("mine")
    line = RtuLine(LineFile(name="bus", path=str(path)), [station()])
    with pytest.raises(PortInUseError, match=r"bus for line bus cannot be made: File exists"):
        await line.start()
    await line.stop()
    assert path.read_text() == "mine"


async def test_pymodbus_reads_and_writes() -> None:
    bank = Bank()
    async with rtu(station(bank=bank)) as line:
        client = AsyncModbusSerialClient(line.device, baudrate=115_200, timeout=1, retries=0)
        assert await client.connect()
        assert (await client.write_registers(104, [7, 8], device_id=1)).count == 2
        assert (await client.read_holding_registers(104, count=2, device_id=1)).registers == [7, 8]
        assert (await client.read_coils(0, count=3, device_id=1)).bits[:3] == [True, False, False]
        client.close()


async def test_mbpoll_reads_over_the_line() -> None:
    mbpoll = shutil.which("mbpoll")
    assert mbpoll, "mbpoll is not installed: `make setup` does it"
    async with rtu(station(unit_id=5), baud=19_200, parity="E") as line:
        command = [mbpoll, "-m", "rtu", "-b", "19200", "-P", "even", "-a", "5", "-0", "-1", "-q"]
        command += ["-r", "100", "-c", "3", "-t", "4", line.device]
        run = await asyncio.to_thread(
            subprocess.run, command, capture_output=True, text=True, timeout=20, check=True
        )
    assert [item.split()[-1] for item in run.stdout.splitlines() if item.startswith("[")] == [
        "1000",
        "1001",
        "1002",
    ]
