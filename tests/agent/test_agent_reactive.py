"""Reactive power of a DER: told when it changes, again before it is forgotten, and let go of without a command."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from agent_site import demo_site
from scripted_devices import ScriptedCoil, ScriptedInverter

from drivers.errors import Timeout
from drivers.protocol import Outcome, WriteResult
from edge.agent.devices import SiteDevices
from edge.agent.plant import Plant
from edge.agent.reactive_task import ReactiveTask
from edge.agent.tell import Happening
from edge.model.commands import Commands


class Scripted:
    """Takes reactive power; `fails` names what goes wrong."""

    def __init__(self) -> None:
        self.written: list[float] = []
        self.fails = ""

    async def write_var(self, var: float) -> WriteResult:
        if self.fails == "silent":
            raise Timeout("no answer")
        self.written.append(var)
        if self.fails == "refuses":
            return WriteResult(Outcome.REFUSED, {"var": var}, {}, "illegal value")
        return WriteResult(Outcome.VERIFIED, {"var": var}, {"var": var})


@asynccontextmanager
async def task(
    device: Scripted, told: list[Happening], reassert_s: float = 60.0
) -> AsyncIterator[ReactiveTask]:
    made = ReactiveTask(demo_site().der[0], device, reassert_s, told.append, gap_s=0.02)
    running = asyncio.create_task(made.run())
    await asyncio.sleep(0)
    try:
        yield made
        assert not running.done()
    finally:
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)


async def test_it_is_written_when_it_moved_by_a_hundredth_of_the_rating() -> None:
    device = Scripted()
    async with task(device, []) as made:
        for var in (1_000.0, 1_199.0, 1_200.0, 1_001.0, 1_000.0):
            made.command(var)
            await asyncio.sleep(0.06)
    assert device.written == [1_000.0, 1_200.0, 1_000.0]


async def test_it_is_said_again_and_let_go_of() -> None:
    device = Scripted()
    async with task(device, [], reassert_s=0.02) as made:
        await asyncio.sleep(0.1)
        assert device.written == []
        made.command(500.0)
        await asyncio.sleep(0.3)
        assert len(device.written) >= 3
        made.command(None)
        await asyncio.sleep(0.1)
        after = len(device.written)
        await asyncio.sleep(0.2)
        assert len(device.written) == after
        made.command(500.0)
        await asyncio.sleep(0.1)
        assert len(device.written) > after


async def test_what_was_not_taken_is_tried_again_at_the_next_command() -> None:
    device = Scripted()
    device.fails = "refuses"
    async with task(device, []) as made:
        made.command(1_000.0)
        await asyncio.sleep(0.1)
        device.fails = ""
        made.command(1_001.0)
        await asyncio.sleep(0.1)
    assert device.written == [1_000.0, 1_001.0]


@pytest.mark.parametrize("fails", ["silent", "refuses"])
async def test_trouble_is_told_once_and_its_end_too(fails: str) -> None:
    device, told = Scripted(), list[Happening]()
    device.fails = fails
    async with task(device, told, reassert_s=0.02) as made:
        made.command(500.0)
        await asyncio.sleep(0.2)
        device.fails = ""
        await asyncio.sleep(0.2)
    assert [one.kind for one in told] == ["write-unverified", "device-return"]
    assert told[0].device == "inverter-1"
    assert device.written[-1] == 500.0


async def test_the_last_commands_of_a_site_let_go_of_it() -> None:
    site = demo_site()
    first = site.der[0].model_copy(update={"gateway_functions": ("volt_var",)})
    site = site.model_copy(update={"der": (first, site.der[1])})
    devices, device = SiteDevices(site), Scripted()
    devices.ders = {"inverter-1": ScriptedInverter(20_000.0), "inverter-2": ScriptedInverter(80_000.0)}
    devices.outputs = {"coil-2": ScriptedCoil()}
    devices.reactive = {"inverter-1": device}
    plant = Plant(site, devices, list[Happening]().append, lambda: None)
    done, _ = await plant.settle(Commands((), ()))
    assert device.written == [0.0]
    assert done == ["the reactive power of inverter-1"]


async def test_at_the_end_it_is_let_go_of() -> None:
    device = Scripted()
    made = ReactiveTask(demo_site().der[0], device, 60.0, list[Happening]().append)
    assert await made.settle()
    assert device.written == [0.0]
    device.fails = "refuses"
    assert not await made.settle()
    device.fails = "silent"
    assert not await made.settle()
