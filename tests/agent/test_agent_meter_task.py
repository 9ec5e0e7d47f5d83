"""The task of a meter: whether it is there, which one it is, and whether it is as quick as declared."""

from __future__ import annotations

import asyncio
import time
from dataclasses import replace

import pytest
from agent_site import demo_site
from scripted_devices import IDENTITY
from task_bench import running, until

from drivers.errors import Timeout
from edge.agent.meter_task import MeterTask
from edge.agent.tell import Happening
from edge.model.readings import Identity, MeterRaw


class SwappableMeter:
    """A meter that keeps to the protocol, falls silent on demand, and may come back as another one."""

    def __init__(self) -> None:
        self.silent = False
        self.identity = IDENTITY

    async def identify(self) -> Identity:
        return self.identity

    async def read(self) -> MeterRaw:
        await asyncio.sleep(0.01)
        if self.silent:
            raise Timeout("no answer")
        now_s = time.monotonic()
        return MeterRaw(now_s, now_s, 1_000.0, (), 277.0, 60.0, (int(now_s * 1e6),))


async def test_a_meter_that_was_swapped_or_whose_task_died_is_not_taken_for_the_old_one(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("edge.agent.meter_task._LOST_AFTER_S", 0.1)
    device, told = SwappableMeter(), list[Happening]()
    task = MeterTask(demo_site(), device, told.append, lambda: None)
    async with running(task.run):
        await until(lambda: task.reachable)
        device.silent = True
        await until(lambda: not task.reachable)
        device.silent, device.identity = False, replace(IDENTITY, serial="SN2")
        await until(lambda: task.reachable)
    assert task.identity == device.identity
    assert [happening.kind for happening in told] == ["device-loss", "device-return"]
    task.forget()
    assert not task.reachable


class SlowMeter(SwappableMeter):
    """A meter that renews its registers every 0.8 s, by a clock of its own."""

    own_s = 100.0

    async def read(self) -> MeterRaw:
        await asyncio.sleep(0.0)
        self.own_s += 0.8
        return MeterRaw(self.own_s, self.own_s, 1_000.0, (), 277.0, 60.0, (int(self.own_s * 10),))


async def test_a_meter_slower_than_declared_is_an_alarm_and_one_only() -> None:
    site, told = demo_site(), list[Happening]()
    quick = site.model_copy(update={"meter": site.meter.model_copy(update={"poll_s": 0.001})})
    device = SlowMeter()
    async with running(MeterTask(quick, device, told.append, lambda: None).run):
        await until(lambda: device.own_s > 100.0 + 0.8 * 60)
    assert [(happening.kind, happening.device) for happening in told] == [("alarm", "meter")]
    assert "a sample is 0.8" in told[0].detail or "a sample is 1.6" in told[0].detail
