"""Requests in virtual time: as many as the shipped driver makes, and what it costs when some are struck."""

from __future__ import annotations

import random
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest
from hand_moved_site import HandMoved

from drivers.bus import Bus
from drivers.inverter_sunspec import SunSpecInverter
from drivers.meter_sunspec import SunSpecMeter
from drivers.uri import ModbusUri
from sim.closed_loop import ClosedLoop
from sim.files.ask import Ask
from sim.files.fault import Fault, FaultKind
from sim.scenario import load_scenario
from sim.virtual_faults import DRIVER_123, DRIVER_704, FINE, METER_IDENTIFY, Reply, Requests, VirtualWire

FIVE = load_scenario("load-drop").varied()
SIM = FIVE.sim.model_copy(update={"script": ()})

Count = Callable[[Awaitable[Any]], Awaitable[int]]


def fault(kind: str, target: str = "inverter-1", at_s: float = 10.0, **more: float) -> Fault:
    return Fault.model_validate({"kind": FaultKind(kind), "target": target, "at_s": at_s, **more})


def wire(*faults: Fault, retries: int = 1) -> VirtualWire:
    return VirtualWire(faults, "inverter-1", 0.3, retries, random.Random(1))


@asynccontextmanager
async def counted(role: str) -> AsyncIterator[tuple[Bus, Count]]:
    """A bus to a device of the site over a socket, and how many requests something makes of it."""
    moved = HandMoved(SIM)
    await moved.server.start()
    bus = Bus(ModbusUri.parse(f"tcp://127.0.0.1:{moved.port(role)}?unit=1"), timeout_s=2.0)
    exchange, asked = bus.line.exchange, []

    async def counting(*given: Any, **named: Any) -> Any:
        asked.append(1)
        return await exchange(*given, **named)

    bus.line.exchange = counting  # type: ignore[method-assign] # every request passes here

    async def count(work: Awaitable[Any]) -> int:
        asked.clear()
        await work
        return len(asked)

    try:
        yield bus, count
    finally:
        bus.close()
        await moved.server.stop()


@pytest.mark.parametrize(("role", "needs"), [("inverter-1", DRIVER_704), ("inverter-2", DRIVER_123)])
async def test_an_inverter_is_asked_as_often_as_the_shipped_driver_asks(role: str, needs: Requests) -> None:
    async with counted(role) as (bus, count):
        inverter = SunSpecInverter(bus, 1)
        for watts in (9_000.0, 8_000.0):  # met for the first time, and again after a loss
            found = Requests(
                identify=await count(inverter.identify()),
                look=await count(inverter.read_limit()),
                reversion=await count(inverter.set_reversion(5_000.0, 10)),
                write=await count(inverter.write_limit(watts)) - needs.read_back,
                read_back=needs.read_back,
            )
            assert found == needs
            assert await count(inverter.write_limit(watts - 500.0)) == needs.write + needs.read_back
            assert await count(inverter.measure()) == 1


async def test_a_meter_is_asked_as_often_as_the_shipped_driver_asks() -> None:
    async with counted("meter") as (bus, count):
        meter = SunSpecMeter(bus, 1, "export_positive")
        for _ in range(2):
            assert await count(meter.identify()) == METER_IDENTIFY
            assert await count(meter.read()) == 1


def test_late_answers_add_up_request_by_request() -> None:
    line = wire(fault("late", delay_s=0.2))
    assert line.series(9.0, 16) is FINE
    assert line.series(10.0, 4).after_s == pytest.approx(0.8)
    assert line.series(10.0, 0) is FINE
    over = wire(fault("late", delay_s=0.2, for_s=0.5))
    assert over.series(10.0, 16).after_s == pytest.approx(0.6), "the fault ends among the requests"


def test_the_first_request_that_is_lost_ends_the_others() -> None:
    assert wire(fault("silence")).series(10.0, 16) == Reply(0.6, lost="silence", reached=False)
    assert wire(fault("zeros")).series(10.0, 3) == Reply(spoilt=FaultKind.ZEROS)


def test_a_share_of_the_requests_strikes_a_long_exchange_more_often() -> None:
    line = wire(fault("silence", rate=0.3), retries=0)
    lost = [sum(line.series(10.0, many).lost is not None for _ in range(2_000)) / 2_000 for many in (1, 4)]
    assert lost[0] == pytest.approx(0.3, abs=0.04)
    assert lost[1] == pytest.approx(1 - 0.7**4, abs=0.04)


def test_a_limit_is_not_sent_when_the_look_before_it_got_no_answer() -> None:
    steady = Ask(at_s=15.0, limit_w=5_000.0)
    struck = fault("exception", at_s=20.0, code=6)
    made = ClosedLoop(SIM, FIVE.site_file, seed=1, faults=[struck], asks=[steady])
    made.run(26.0)
    assert any(one.der == "inverter-1" and one.at_s < 20.0 for one in made.written)
    assert not any(one.der == "inverter-1" and 20.0 <= one.at_s < 22.0 for one in made.written)
    assert any(one.der == "inverter-2" and 20.0 <= one.at_s < 26.0 for one in made.written)


@pytest.mark.parametrize("target", ["meter", "inverter-1", "coil-1"])
def test_the_first_request_without_an_answer_is_a_loss_at_once(target: str) -> None:
    made = ClosedLoop(SIM, FIVE.site_file, seed=1, faults=[fault("silence", target, at_s=0.0)])
    made.run(1.2)
    assert [event.kind for event in made.events if event.at_s < 1.2].count("device-loss") == 1


def test_the_first_scan_waits_until_every_device_was_tried_but_not_for_ever() -> None:
    scans: list[float] = []
    slow = fault("late", at_s=0.0, delay_s=0.25)
    ClosedLoop(
        SIM, FIVE.site_file, seed=1, faults=[slow], on_scan=lambda _image, now_s: scans.append(now_s)
    ).run(6.0)
    meets_s = 0.25 * (DRIVER_704.identify + DRIVER_704.look)
    assert meets_s <= scans[0] <= meets_s + 0.6
    scans.clear()
    slow = fault("late", at_s=0.0, delay_s=0.55)
    patient = load_scenario("load-drop").varied(agent={"der": [{"name": "*", "timeout_s": 0.6}]})
    ClosedLoop(
        SIM, patient.site_file, seed=1, faults=[slow], on_scan=lambda _image, now_s: scans.append(now_s)
    ).run(6.0)
    assert scans[0] == pytest.approx(5.02, abs=0.03)


@pytest.mark.parametrize(("sign", "factor"), [("export_positive", 1.0), ("import_positive", -1.0)])
def test_the_meter_gives_each_phase_its_own_power_with_its_sign(sign: str, factor: float) -> None:
    varied = load_scenario("load-drop").varied(
        plant={"load": {"share": [0.6, 0.3, 0.1]}, "meter": {"sign": sign}},
        agent={"meter": {"sign": "export_positive"}},
    )
    made = ClosedLoop(varied.sim.model_copy(update={"script": ()}), varied.site_file, seed=1)
    made.run(15.0)
    shown = made._meter._answer(FINE, 15.0)
    assert shown.export_w is not None
    phases_w = [factor * (phase_w or 0.0) for phase_w in shown.phase_export_w]
    assert sum(phases_w) == pytest.approx(factor * shown.export_w, abs=30.0)
    assert phases_w[0] < phases_w[2] - 5_000.0, "the most loaded phase exports the least"
