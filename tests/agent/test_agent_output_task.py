"""The task of a trip output: a contact is closed only when it is fed, and stays open once it was."""

from __future__ import annotations

import asyncio
import time

import pytest
from agent_site import demo_site
from scripted_devices import ScriptedCoil
from task_bench import running, until

from edge.agent.output_task import OutputTask
from edge.agent.tell import Happening


class Coil:
    """One output task over a scripted coil."""

    def __init__(self, device: ScriptedCoil) -> None:
        self.told: list[Happening] = []
        output = demo_site().trip_output[0]
        self.task = OutputTask(output, device, 0.2, 0.2, self.told.append)


async def test_the_contact_is_opened_at_the_start_and_closed_only_when_fed() -> None:
    device = ScriptedCoil()
    device.closed = True
    coil = Coil(device)
    async with running(coil.task.run):
        await until(lambda: device.calls[:1] == ["open"])
        await until(lambda: "read" in device.calls)
        assert "hold" not in device.calls
        coil.task.hold()
        await until(lambda: device.closed)
        await asyncio.sleep(0.3)
        assert device.calls.count("hold") == 1, "one hold for each feed"
        assert device.not_after_s is not None
        assert device.not_after_s < time.monotonic(), "the line must not send it after its scan's time"


async def test_the_watchdog_is_read_before_the_first_hold() -> None:
    device = ScriptedCoil()
    coil = Coil(device)
    async with running(coil.task.run):
        coil.task.hold()
        await until(lambda: device.closed)
    assert device.calls.index("watchdog") < device.calls.index("hold")


@pytest.mark.parametrize("watchdog_s", [None, 0.6, 30.0])
async def test_a_watchdog_that_does_not_fit_is_never_closed(watchdog_s: float | None) -> None:
    device = ScriptedCoil(watchdog_s)
    coil = Coil(device)
    async with running(coil.task.run):
        for _ in range(5):
            coil.task.hold()
            await asyncio.sleep(0.02)
    assert "hold" not in device.calls
    assert [happening.kind for happening in coil.told] == ["alarm"]


async def test_open_goes_ahead_and_drops_a_hold_that_waits() -> None:
    device = ScriptedCoil()
    coil = Coil(device)
    async with running(coil.task.run):
        coil.task.hold()
        await until(lambda: device.closed)
        device.calls.clear()
        coil.task.hold()
        coil.task.open()
        await until(lambda: not device.closed)
        await asyncio.sleep(0.05)
    assert device.calls[0] == "open"
    assert "hold" not in device.calls


async def test_a_hold_that_could_not_be_written_is_not_written_late() -> None:
    device = ScriptedCoil()
    coil = Coil(device)
    async with running(coil.task.run):
        await until(lambda: "read" in device.calls)
        device.silent = True
        coil.task.hold()
        await asyncio.sleep(0.4)
        device.silent = False
        await asyncio.sleep(0.3)
        assert "hold" not in device.calls
        assert coil.task.reading().closed.otherwise(-1.0) == 0.0


async def held(coil: Coil, for_s: float) -> None:
    """What scans in service do: feed every 0.1 s."""
    end_s = time.monotonic() + for_s
    while time.monotonic() < end_s:
        coil.task.hold()
        await asyncio.sleep(0.1)


def shows(coil: Coil) -> float:
    return coil.task.reading().closed.otherwise(-1.0)


async def test_a_contact_that_its_watchdog_opened_is_not_closed_again_until_it_was_commanded_open() -> None:
    device = ScriptedCoil()
    coil = Coil(device)
    async with running(coil.task.run):
        await held(coil, 0.5)
        assert shows(coil) == 1.0
        device.silent = True
        await held(coil, 0.9)
        device.silent = False
        device.calls.clear()
        before_s = time.monotonic()
        await held(coil, 0.5)
        assert "hold" not in device.calls
        assert coil.task.reading().closed.since(before_s) == 0.0, "the guard must see that it fell open"
        coil.task.open()
        await until(lambda: "open" in device.calls)
        await held(coil, 0.4)
        assert "hold" in device.calls
        assert shows(coil) == 1.0


async def test_scans_that_feed_nothing_for_longer_than_the_watchdog_count_as_open() -> None:
    device = ScriptedCoil()
    coil = Coil(device)
    async with running(coil.task.run):
        await held(coil, 0.3)
        await asyncio.sleep(0.6)
        device.calls.clear()
        await held(coil, 0.3)
        assert "hold" not in device.calls
        assert shows(coil) == 0.0


async def test_a_contact_that_could_not_be_closed_when_it_was_due_is_not_closed_later() -> None:
    device = ScriptedCoil()
    coil = Coil(device)
    async with running(coil.task.run):
        await until(lambda: "read" in device.calls)
        device.silent = True
        await held(coil, 0.7)
        device.silent = False
        await held(coil, 0.4)
        assert "hold" not in device.calls
        assert shows(coil) == 0.0


class LateCoil(ScriptedCoil):
    """Its answer to a hold takes `takes_s`: the module may have taken it at any time until then."""

    takes_s = 0.0

    async def hold(self, not_after_s: float | None = None) -> None:
        await super().hold(not_after_s)
        await asyncio.sleep(self.takes_s)


async def test_a_hold_that_is_answered_after_the_watchdog_has_run_out_closes_nothing_again() -> None:
    """It may have reached a contact that had opened."""
    device = LateCoil()
    coil = Coil(device)
    async with running(coil.task.run):
        await held(coil, 0.3)
        device.takes_s = 0.3
        await asyncio.sleep(0.3)  # 0.1 s of the watchdog's 0.5 s are left
        coil.task.hold()
        await asyncio.sleep(0.32)
        assert shows(coil) == 0.0
        device.takes_s = 0.0
        device.calls.clear()
        await held(coil, 0.3)
        assert "hold" not in device.calls
        assert shows(coil) == 0.0


async def test_a_watchdog_shorter_than_declared_is_the_one_that_counts() -> None:
    device = ScriptedCoil(0.2)
    coil = Coil(device)
    async with running(coil.task.run):
        await held(coil, 0.3)
        await asyncio.sleep(0.3)
        assert shows(coil) == 0.0


async def test_feeding_in_time_never_shows_open() -> None:
    device = ScriptedCoil()
    coil = Coil(device)
    async with running(coil.task.run):
        await held(coil, 0.3)
        for _ in range(8):
            await asyncio.sleep(0.2)
            coil.task.hold()
            assert shows(coil) == 1.0


async def test_a_watchdog_that_is_gone_opens_the_contact(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("edge.agent.output_task._PROVE_EVERY_S", 0.1)
    monkeypatch.setattr("edge.agent.output_task._PROVE_AGAIN_S", 0.05)
    device = ScriptedCoil()
    coil = Coil(device)
    async with running(coil.task.run):
        await held(coil, 0.5)
        assert shows(coil) == 1.0
        device.watchdog_s = None  # the module restarted with its defaults
        await held(coil, 0.5)
        assert shows(coil) == 0.0
        assert [happening.kind for happening in coil.told] == ["alarm"]
        coil.task.open()
        device.calls.clear()
        await held(coil, 0.3)
        assert "hold" not in device.calls
        device.watchdog_s = 0.5
        coil.task.open()
        await held(coil, 0.3)
        assert "hold" in device.calls


async def test_one_failed_reading_of_the_watchdog_opens_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("edge.agent.output_task._PROVE_EVERY_S", 0.1)
    monkeypatch.setattr("edge.agent.output_task._PROVE_AGAIN_S", 0.05)
    device = ScriptedCoil()
    coil = Coil(device)
    async with running(coil.task.run):
        await held(coil, 0.3)
        reads = device.calls.count("watchdog")
        device.watchdog_s = None
        async with asyncio.timeout(1.0):
            while device.calls.count("watchdog") == reads:
                await held(coil, 0.01)
        device.watchdog_s = 0.5
        await held(coil, 0.4)
        assert shows(coil) == 1.0
    assert coil.told == []
