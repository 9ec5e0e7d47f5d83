"""Our own drivers on a bad wire: never another request's data, and well again once the fault is over."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from random import Random
from typing import Any

import pytest
from wire_bench import FIRST, WORDS, Bank, fault, rtu, station, tcp

from drivers.bus import Bus
from drivers.errors import BadData, DriverError, Timeout
from drivers.lost import KEPT
from drivers.uri import ModbusUri
from sim.wire.station import Station

NEEDS: dict[str, dict[str, Any]] = {
    "late": {"delay_s": 0.06},
    "slow": {"delay_s": 0.06},
    "exception": {"code": 6},
}
NEVER_WRONG = (
    "silence",
    "reset",
    "late",
    "slow",
    "foreign-id",
    "repeated-id",
    "exception",
    "truncated",
    "merged",
)
TIMEOUT_S = 0.05


@asynccontextmanager
async def bus_to(wire: str, at: Station) -> AsyncIterator[Bus]:
    async with tcp(at) if wire == "tcp" else rtu(at) as served:
        bus = Bus(ModbusUri.parse(served.uri(at)), timeout_s=TIMEOUT_S)
        try:
            yield bus
        finally:
            bus.close()


async def read(bus: Bus, address: int, count: int) -> bool:
    """Whether an answer came; one that does is the right one."""
    try:
        found = await bus.read(1, address, count)
    except DriverError:
        return False
    assert list(found.words) == [900 + address + index for index in range(count)]
    return True


@pytest.mark.parametrize("rate", [None, 0.3])
@pytest.mark.parametrize("kind", NEVER_WRONG)
@pytest.mark.parametrize("wire", ["tcp", "rtu"])
async def test_no_answer_is_ever_that_of_another_request(wire: str, kind: str, rate: float | None) -> None:
    if kind == "reset" and rate:
        pytest.skip("a reset has no rate")
    draw = Random(5)
    rated: dict[str, Any] = {"rate": rate} if rate else {}
    at = station(fault(kind, **NEEDS.get(kind, {}), **rated))
    async with bus_to(wire, at) as bus:
        answered = 0
        for _ in range(14 if rate else 6):
            count = draw.choice((1, 2, 2, 2, 5))
            answered += await read(bus, draw.randrange(FIRST, FIRST + WORDS - count - KEPT), count)
            if (wire, kind) == ("rtu", "repeated-id"):
                # Without ids nobody can tell a copy that comes behind the next request; polls leave a pause.
                await asyncio.sleep(0.01)
        at.faults.clear()
        await asyncio.sleep(0.1)
        assert any([await read(bus, 104, 2) for _ in range(3)])
        if rate:
            assert answered > 2


async def test_on_a_line_a_read_asks_for_another_length_while_an_answer_is_owed() -> None:
    at = station(fault("late", delay_s=0.06))
    async with bus_to("rtu", at) as bus:
        with pytest.raises(Timeout):
            await bus.read(1, 100, 2)
        with pytest.raises(BadData, match="with 2 registers"):
            await bus.read(1, 104, 2)
        at.faults.clear()
        await asyncio.sleep(0.1)
        assert list((await bus.read(1, 104, 2)).words) == [1004, 1005]


async def test_a_device_that_takes_no_longer_reads_is_asked_as_before() -> None:
    at = station(fault("silence"))
    async with bus_to("rtu", at) as bus:
        with pytest.raises(Timeout):
            await bus.read(1, 118, 2)
        at.faults.clear()
        with pytest.raises(BadData, match="with more behind them"):
            await bus.read(1, 118, 2)
        assert list((await bus.read(1, 118, 2)).words) == [1018, 1019]


@pytest.mark.parametrize("wire", ["tcp", "rtu"])
async def test_a_late_answer_to_a_read_is_no_acknowledgement_of_a_write(wire: str) -> None:
    bank = Bank()
    at = station(fault("late", delay_s=0.06), bank=bank)
    async with bus_to(wire, at) as bus:
        with pytest.raises(Timeout):
            await bus.read(1, 100, 2)
        with pytest.raises(DriverError):
            await bus.write(1, 100, [7, 8])
        at.faults.clear()
        await asyncio.sleep(0.1)
        await bus.write(1, 102, [9])
    assert bank.words[2] == 9


async def test_a_late_acknowledgement_of_another_write_is_not_taken() -> None:
    at = station(fault("late", delay_s=0.06))
    async with bus_to("rtu", at) as bus:
        with pytest.raises(Timeout):
            await bus.write(1, 100, [7])
        at.faults.clear()
        at.faults.append(fault("silence"))
        with pytest.raises(BadData, match="address 100"):
            await bus.write(1, 104, [7])


async def test_a_frame_with_more_behind_it_is_none() -> None:
    at = station(fault("merged"))
    async with bus_to("rtu", at) as bus:
        assert list((await bus.read(1, 100, 2)).words) == [1000, 1001]
        with pytest.raises(BadData, match="without a pause"):
            await bus.read(1, 104, 2)


@pytest.mark.parametrize("kind", ["truncated", "bit-flip"])
async def test_a_broken_frame_on_a_line_is_bad_data(kind: str) -> None:
    at = station(fault(kind))
    async with bus_to("rtu", at) as bus:
        with pytest.raises(BadData):
            await bus.read(1, 100, 5)
