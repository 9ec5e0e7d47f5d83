"""Our own drivers on a bad wire: never another request's data, and well again once the fault is over."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from random import Random
from typing import Any

import pytest
from hand_moved_site import HandMoved
from wire_bench import FIRST, WORDS, Bank, fault, rtu, station, tcp

from drivers.bus import Bus
from drivers.errors import BadData, DriverError, Timeout
from drivers.inverter_sunspec import SunSpecInverter
from drivers.lost import KEPT
from drivers.meter_sunspec import SunSpecMeter
from drivers.protocol import Outcome
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
MOST = 60


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


async def well_again(bus: Bus) -> bool:
    """Whether an answer comes in the end; a busy machine makes the first ones late."""
    for _ in range(MOST):
        await asyncio.sleep(0.03)
        if await read(bus, 104, 2):
            return True
    return False


@pytest.mark.parametrize(
    ("kind", "rate"),
    [(kind, rate) for kind in NEVER_WRONG for rate in (None, 0.3) if kind != "reset" or rate is None],
)
@pytest.mark.parametrize("wire", ["tcp", "rtu"])
async def test_no_answer_is_ever_that_of_another_request(wire: str, kind: str, rate: float | None) -> None:
    draw = Random(5)
    rated: dict[str, Any] = {"rate": rate} if rate else {}
    at = station(fault(kind, **NEEDS.get(kind, {}), **rated))
    async with bus_to(wire, at) as bus:
        answered = tried = 0
        while tried < (8 if rate else 4) or (rate and not answered and tried < MOST):
            tried += 1
            count = draw.choice((1, 2, 2, 2, 5))
            answered += await read(bus, draw.randrange(FIRST, FIRST + WORDS - count - KEPT), count)
            if (wire, kind) == ("rtu", "repeated-id"):
                # Without ids nobody can tell a copy that comes behind the next request; polls leave a pause.
                await asyncio.sleep(0.01)
        at.faults.clear()
        assert await well_again(bus)
        assert answered or not rate


@pytest.mark.parametrize("kind", ["late", "slow"])
@pytest.mark.parametrize("retries", [0, 1])
async def test_a_device_that_becomes_late_is_not_misunderstood_either(kind: str, retries: int) -> None:
    at = station()
    async with bus_to("rtu", at) as bus:
        bus.retries = retries
        assert await well_again(bus)
        at.faults.append(fault(kind, delay_s=0.06))
        for index in range(8):
            await read(bus, 100 + index, 2)
        at.faults.clear()
        assert await well_again(bus)


async def test_on_a_line_a_read_asks_for_another_length_while_an_answer_is_owed() -> None:
    at = station(fault("late", delay_s=0.06))
    async with bus_to("rtu", at) as bus:
        with pytest.raises(Timeout):
            await bus.read(1, 100, 2)
        with pytest.raises(Timeout):
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
        with pytest.raises(Timeout):
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


class SunSpecSite:
    """The demo's meter and first inverter under a fault, read by our drivers as the agent reads them."""

    def __init__(self, moved: HandMoved, role: str) -> None:
        self.moved = moved
        self.uri = ModbusUri.parse(moved.server.servers[role].uri)
        self.bus = Bus(self.uri, timeout_s=0.2)

    async def order(self, **order: Any) -> None:
        said = self.moved.server.control.handle(json.dumps(order))
        assert "event" in said, said


@asynccontextmanager
async def demo(role: str) -> AsyncIterator[SunSpecSite]:
    async with HandMoved() as moved:
        moved.run(1.0)
        yield SunSpecSite(moved, role)


async def shown(meter: SunSpecMeter) -> float | None:
    try:
        return (await meter.read()).export_w
    except DriverError:
        return None


@pytest.mark.parametrize("kind", ["zeros", "sentinel", "exception", "silence"])
async def test_a_meter_that_shows_nothing_real_is_never_believed(kind: str) -> None:
    async with demo("meter") as site:
        meter = SunSpecMeter(site.bus, 1, "export_positive")
        await meter.identify()
        assert (await meter.read()).export_w is not None
        await site.order(fault=kind, role="meter", **NEEDS.get(kind, {}))
        assert await shown(meter) is None
        await site.order(fault="clear")
        assert (await meter.read()).export_w == pytest.approx(
            site.moved.plant.meter.shown.state.export_w, abs=5.1
        )
        site.bus.close()


@pytest.mark.parametrize("kind", ["write-refused", "write-ignored", "frozen"])
async def test_a_limit_that_did_not_arrive_is_never_called_verified(kind: str) -> None:
    async with demo("inverter-1") as site:
        inverter = SunSpecInverter(site.bus, 1)
        await inverter.identify()
        assert (await inverter.write_limit(9_000)).verified
        await site.order(fault=kind, role="inverter-1")
        if kind == "frozen":
            await inverter.read_limit()
        result = await inverter.write_limit(4_000)
        assert result.outcome is (Outcome.REFUSED if kind == "write-refused" else Outcome.MISMATCH)
        await site.order(fault="clear")
        assert (await inverter.write_limit(4_000)).verified
        site.bus.close()


async def test_swapped_units_are_found_out() -> None:
    async with demo("inverter-1") as site:
        inverter = SunSpecInverter(site.bus, 1)
        before = await inverter.identify()
        await inverter.measure()
        await site.order(fault="unit-swap", role="inverter-1", swap_with="inverter-2")
        with pytest.raises(DriverError):
            await inverter.measure()
        assert (await SunSpecInverter(site.bus, 1).identify()).serial != before.serial
        site.bus.close()


async def test_a_late_input_is_not_taken_for_a_coil() -> None:
    at = station(fault("late", delay_s=0.06))
    async with bus_to("rtu", at) as bus:
        with pytest.raises(Timeout):
            await bus.read_input(1, 0)
        with pytest.raises(Timeout):
            await bus.read_coil(1, 0)
