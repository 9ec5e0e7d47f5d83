"""The task of a DER: the latest command wins, nothing loosens at a start, what is not taken is told."""

from __future__ import annotations

import asyncio
import time
from dataclasses import replace

import pytest
from scripted_devices import ScriptedInverter
from task_bench import Site, running, until


async def test_the_first_write_never_loosens_what_the_device_holds() -> None:
    device = ScriptedInverter(limit_w=3_000.0)
    site = Site(device)
    site.task.command(12_000.0)
    async with running(site.task.run):
        await until(lambda: device.limit_w == 12_000.0)
    assert device.written == [3_000.0, 12_000.0]
    assert device.reversions == 1


async def test_reversion_is_set_before_the_first_limit() -> None:
    device = ScriptedInverter()
    site = Site(device)
    async with running(site.task.run):
        await until(lambda: device.polls > 0)
        assert (device.reversions, device.written) == (1, [])
        assert site.task.reading(time.monotonic()).limit_w.otherwise(0.0) == 20_000.0


async def test_the_latest_command_wins() -> None:
    device = ScriptedInverter(20_000.0)
    device.takes_s = 0.02
    site = Site(device)
    async with running(site.task.run):
        await until(lambda: device.polls > 0)
        for limit_w in range(10_000, 100, -1_000):
            site.task.command(float(limit_w))
        await until(lambda: device.limit_w == 1_000.0)
    assert device.written[-1] == 1_000.0
    assert len(device.written) <= 2


async def test_a_limit_is_rounded_down_and_written_only_when_it_differs() -> None:
    device = ScriptedInverter(20_000.0)
    site = Site(device)
    async with running(site.task.run):
        site.task.command(9_999.0)
        await until(lambda: len(device.written) == 1)
        for limit_w in (9_985.0, 9_990.0, 9_999.9):
            site.task.command(limit_w)
        await asyncio.sleep(0.05)
        assert device.written == [pytest.approx(9_980.0)]
        site.task.command(9_979.0)
        await until(lambda: len(device.written) == 2)
    assert device.written[1] == pytest.approx(9_960.0)


async def test_a_pending_write_goes_before_the_next_poll() -> None:
    device = ScriptedInverter(20_000.0)
    site = Site(device, poll_s=0.001)
    async with running(site.task.run):
        await until(lambda: device.polls > 5)
        before = len(device.calls)
        site.task.command(1_000.0)
        await until(lambda: device.limit_w == 1_000.0)
    assert "write" in device.calls[before : before + 2], "at most the poll under way goes first"


async def test_the_limit_is_asserted_again_and_drift_is_told() -> None:
    device = ScriptedInverter(20_000.0)
    site = Site(device, reassert_s=0.1)
    site.task.command(5_000.0)
    async with running(site.task.run):
        await until(lambda: len(device.written) >= 3)
        assert site.kinds() == []
        device.limit_w = 20_000.0
        await until(lambda: "write-unverified" in site.kinds())
        await until(lambda: device.limit_w == 5_000.0)
    assert "drifted from 5000 W to 20000 W" in site.told[0].detail


@pytest.mark.parametrize("fault", ["refuses", "ignores"])
async def test_a_write_that_is_not_taken_is_told_and_shown(fault: str) -> None:
    device = ScriptedInverter(20_000.0)
    setattr(device, fault, True)
    site = Site(device)
    site.task.command(5_000.0)
    async with running(site.task.run):
        await until(lambda: site.task.reading(time.monotonic()).refused)
        await until(lambda: device.polls > 3)
        assert site.kinds() == ["write-unverified"]
        assert site.task.reading(time.monotonic()).limit_w.otherwise(0.0) == 20_000.0
        setattr(device, fault, False)
        await until(lambda: not site.task.reading(time.monotonic()).refused)
    assert site.writes.sent >= 2
    assert site.writes.verified == 1


async def test_after_a_lost_acknowledgement_the_old_limit_is_written_again() -> None:
    device = ScriptedInverter(20_000.0)
    site = Site(device)
    site.task.command(5_000.0)
    async with running(site.task.run):
        await until(lambda: device.limit_w == 5_000.0)
        device.loses_acks = True
        site.task.command(9_000.0)
        await until(lambda: device.limit_w == 9_000.0)
        device.loses_acks = False
        site.task.command(5_000.0)
        await until(lambda: device.limit_w == 5_000.0)


async def test_a_limit_that_was_switched_off_is_shown_as_nameplate() -> None:
    device = ScriptedInverter(20_000.0)
    site = Site(device)
    site.task.command(5_000.0)
    async with running(site.task.run):
        await until(lambda: site.task.reading(time.monotonic()).limit_w.otherwise(0.0) == 5_000.0)
        device.ignores, device.limit_w = True, None
        site.task.command(4_000.0)
        await until(lambda: site.task.reading(time.monotonic()).refused)
        assert site.task.reading(time.monotonic()).limit_w.otherwise(0.0) == 20_000.0


async def test_a_lower_limit_waits_for_no_failed_poll_and_no_refusal(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("edge.agent.der_task._RETRY_S", 30.0)
    monkeypatch.setattr("edge.agent.der_task._REWRITE_S", 30.0)
    device = ScriptedInverter(20_000.0)
    site = Site(device, lost_after_s=60.0)
    site.task.command(9_000.0)
    async with running(site.task.run):
        await until(lambda: device.limit_w == 9_000.0)
        device.poll_fails = True
        await asyncio.sleep(0.1)
        site.task.command(8_000.0)
        await until(lambda: device.limit_w == 8_000.0)
        device.refuses = True
        site.task.command(7_000.0)
        await until(lambda: device.written[-1] == 7_000.0)
        site.task.command(7_500.0)
        await asyncio.sleep(0.1)
        assert device.written[-1] == 7_000.0, "a higher one waits"
        site.task.command(6_000.0)
        await until(lambda: device.written[-1] == 6_000.0)


async def test_a_device_that_was_swapped_is_known_by_its_own_name() -> None:
    device = ScriptedInverter(20_000.0)
    site = Site(device)
    async with running(site.task.run):
        await until(lambda: device.polls > 0)
        device.silent = True
        await until(lambda: site.kinds() == ["device-loss"])
        device.silent, device.identity = False, replace(device.identity, serial="SN2")
        await until(lambda: site.task.identity == device.identity)


async def test_a_reversion_that_fails_leaves_the_der_unproven() -> None:
    device = ScriptedInverter(20_000.0)
    device.reversion_fails = True
    site = Site(device, reassert_s=0.05)
    site.task.command(5_000.0)
    async with running(site.task.run):
        await until(lambda: device.limit_w == 5_000.0)
        assert site.task.reading(time.monotonic()).refused
        device.reversion_fails = False
        await until(lambda: not site.task.reading(time.monotonic()).refused)


async def test_silence_is_a_loss_and_a_return_meets_the_device_anew() -> None:
    device = ScriptedInverter(20_000.0)
    site = Site(device)
    site.task.command(5_000.0)
    async with running(site.task.run):
        await until(lambda: device.limit_w == 5_000.0)
        device.silent = True
        await until(lambda: not site.task.reading(time.monotonic()).reachable)
        await until(lambda: site.kinds() == ["device-loss"])
        device.silent, device.limit_w = False, 20_000.0  # it came back from a restart, unlimited
        await until(lambda: device.limit_w == 5_000.0)
    assert site.kinds() == ["device-loss", "device-return"]
    assert device.reversions == 2


async def test_one_unfit_answer_leaves_the_last_output_to_age() -> None:
    device = ScriptedInverter(20_000.0)
    site = Site(device)
    async with running(site.task.run):
        await until(lambda: device.polls > 0)
        device.output_w = None
        polls = device.polls
        await until(lambda: device.polls > polls + 1)
        assert site.task.reading(time.monotonic()).output_w.otherwise(-1.0) == 5_000.0
        await until(lambda: site.task.reading(time.monotonic()).output_w.otherwise(-1.0) == -1.0)
