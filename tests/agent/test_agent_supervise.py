"""A task that dies is told of, forgotten and started again."""

from __future__ import annotations

import asyncio
import time

import pytest
from scripted_devices import ScriptedInverter
from task_bench import Site, running, until

from edge.agent.supervise import keep_alive
from edge.agent.tell import Happening


async def test_a_task_that_dies_again_and_again_is_not_reachable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("edge.agent.supervise._PAUSE_S", 0.01)
    site = Site(ScriptedInverter(20_000.0))
    assert site.task.reading(time.monotonic()).reachable, "the grace of a start"

    async def defect() -> None:
        raise ZeroDivisionError("a defect")

    told: list[Happening] = []
    async with running(lambda: keep_alive("inverter-1", defect, site.task.forget, told.append)):
        await until(lambda: bool(told))
        assert not site.task.reading(time.monotonic()).reachable


async def test_a_task_that_dies_is_forgotten_told_and_started_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("edge.agent.supervise._PAUSE_S", 0.01)
    device = ScriptedInverter(20_000.0)
    site = Site(device)

    async def defect() -> None:
        await until(lambda: device.polls > 0)
        raise ZeroDivisionError("a defect")

    runs = [lambda: asyncio.sleep(60), defect]

    async def next_run() -> None:
        await runs.pop()()

    told: list[Happening] = []
    async with running(site.task.run):
        await until(lambda: device.polls > 0)
    async with running(lambda: keep_alive("inverter-1", next_run, site.task.forget, told.append)):
        await until(lambda: bool(told))
    reading = site.task.reading(time.monotonic())
    assert reading.output_w.otherwise(-1.0) == -1.0
    assert "a defect" in told[0].detail
