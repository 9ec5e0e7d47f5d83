"""Reactive power of a DER: told when it changes, again before it is forgotten, and let go of without a command."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from agent_site import demo_site

from drivers.errors import Timeout
from drivers.protocol import Outcome, WriteResult
from edge.agent import reactive_task
from edge.agent.reactive_task import ReactiveTask
from edge.agent.tell import Happening


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
    made = ReactiveTask(demo_site().der[0], device, reassert_s, told.append)
    running = asyncio.create_task(made.run())
    await asyncio.sleep(0)
    try:
        yield made
        assert not running.done()
    finally:
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reactive_task, "GAP_S", 0.02)


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


async def test_at_the_end_it_is_let_go_of() -> None:
    device = Scripted()
    made = ReactiveTask(demo_site().der[0], device, 60.0, list[Happening]().append)
    assert await made.settle()
    assert device.written == [0.0]
    device.fails = "refuses"
    assert not await made.settle()
    device.fails = "silent"
    assert not await made.settle()
