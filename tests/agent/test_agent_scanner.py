"""The scan: what fails in the step leaves the site safe, and what is blind stays blind."""

from __future__ import annotations

import asyncio
import time
from pathlib import Path

import pytest
from agent_site import demo_site
from scripted_devices import ScriptedCoil, ScriptedInverter

from edge.agent import safe
from edge.agent.devices import SiteDevices
from edge.agent.notify import Notifier
from edge.agent.overrides import Overrides
from edge.agent.plant import Plant
from edge.agent.requests import Wish
from edge.agent.scanned import Scanned
from edge.agent.scanner import GIVE_UP_AFTER, UNKEPT_S, Scanner, StepFailedError
from edge.agent.supervise import end_all
from edge.agent.tell import Happening
from edge.model.commands import Commands, DerLimit, OutputCommand, Reasons
from edge.model.durable import NEW_SITE, STATE_LOST, Durable
from edge.model.image import Image, Override
from edge.step import Settings, State


class Bench:
    """A scanner over scripted devices and a stand-in step that can be made to fail."""

    def __init__(self, durable: Durable = NEW_SITE) -> None:
        self.site = demo_site()
        self.inverters = {"inverter-1": ScriptedInverter(20_000.0), "inverter-2": ScriptedInverter(80_000.0)}
        self.coil = ScriptedCoil()
        devices = SiteDevices(self.site)
        devices.ders = dict(self.inverters)
        devices.outputs = {"coil-2": self.coil}
        self.told: list[Happening] = []
        self.done: list[Scanned] = []
        self.images: list[Image] = []
        self.overrides, self.wish = Overrides(), Wish()
        self.fails = False
        self.share = 0.5
        self.behind_s = 0.0
        self.kept: list[Durable] = []
        self.takes_s = 0.0
        self.plant = Plant(self.site, devices, self.told.append, lambda: None)
        self.scanner = Scanner(
            self.site,
            Settings.of(self.site),
            durable,
            self.plant,
            self.overrides,
            self.wish,
            Notifier(""),
            self.told.append,
            self.done.append,
            self._keep,
            self._step,
        )

    def work(self) -> list[asyncio.Task[None]]:
        """Every task but the meter's."""
        meter, *others = self.plant.tasks()
        meter.close()
        return [asyncio.create_task(task) for task in others]

    def _keep(self, durable: Durable) -> float:
        self.kept.append(durable)
        return self.behind_s

    def _step(
        self, image: Image, settings: Settings, state: State, now_s: float
    ) -> tuple[State, Commands, Reasons]:
        self.images.append(image)
        time.sleep(self.takes_s)
        if self.fails:
            raise ZeroDivisionError("a defect")
        limits = tuple(DerLimit(der.name, der.nameplate_w * self.share) for der in self.site.der)
        return state, Commands(limits, (OutputCommand("coil-2", closed=True),)), Reasons(())


async def test_a_step_that_fails_leaves_safe_limits_and_feeds_nothing() -> None:
    bench = Bench()
    work = bench.work()
    try:
        bench.scanner.scan()
        await asyncio.sleep(0.2)
        assert bench.coil.closed
        assert bench.inverters["inverter-2"].limit_w == 40_000.0
        bench.coil.calls.clear()
        bench.fails = True
        bench.scanner.scan()
        await asyncio.sleep(0.2)
    finally:
        await end_all(work)
    assert "hold" not in bench.coil.calls
    assert bench.inverters["inverter-1"].limit_w == pytest.approx(5_000.0)
    assert bench.inverters["inverter-2"].limit_w == pytest.approx(20_000.0)
    assert [happening.kind for happening in bench.told] == ["alarm"]
    assert bench.scanner.clock.late == 1


async def test_a_step_that_fails_loosens_nothing_that_was_commanded() -> None:
    bench = Bench()
    bench.share = 0.0  # tripped, or before enter service
    work = bench.work()
    try:
        bench.scanner.scan()
        bench.fails = True
        bench.scanner.scan()
        await asyncio.sleep(0.2)
    finally:
        await end_all(work)
    assert bench.inverters["inverter-1"].limit_w == 0.0
    assert bench.inverters["inverter-2"].limit_w == 0.0


@pytest.mark.parametrize("durable", [STATE_LOST, Durable(tripped=False, in_service=False)])
async def test_a_first_step_that_fails_leaves_a_site_out_of_service_at_nothing(durable: Durable) -> None:
    bench = Bench(durable)
    bench.fails = True
    work = bench.work()
    try:
        bench.scanner.scan()
        await asyncio.sleep(0.2)
    finally:
        await end_all(work)
    assert [device.limit_w for device in bench.inverters.values()] == [0.0, 0.0]


async def test_a_step_that_keeps_failing_ends_the_agent() -> None:
    bench = Bench()
    bench.fails = True
    for _ in range(GIVE_UP_AFTER - 1):
        bench.scanner.scan()
    with pytest.raises(StepFailedError, match="3 times in a row"):
        bench.scanner.scan()


async def test_failures_apart_do_not_add_up() -> None:
    bench = Bench()
    for fails in (True, True, False, True, True, False):
        bench.fails = fails
        bench.scanner.scan()
    assert len(bench.done) == 2


async def test_nothing_closes_before_the_state_is_kept() -> None:
    bench = Bench()
    bench.behind_s = 0.01
    work = bench.work()
    try:
        bench.scanner.scan()
        await asyncio.sleep(0.1)
        assert "hold" not in bench.coil.calls
        bench.behind_s = 0.0
        bench.scanner.scan()
        await asyncio.sleep(0.1)
        assert bench.coil.calls.count("hold") == 1
        bench.behind_s = 0.5  # a slow disk opens nothing
        bench.scanner.scan()
        await asyncio.sleep(0.1)
        assert bench.coil.calls.count("hold") == 2
        bench.behind_s = UNKEPT_S + 0.1
        bench.scanner.scan()
        await asyncio.sleep(0.1)
        assert bench.coil.calls.count("hold") == 2
    finally:
        await end_all(work)
    assert bench.kept == [NEW_SITE] * 4


async def test_a_late_scan_commands_but_does_not_feed() -> None:
    bench = Bench()
    bench.takes_s = 0.25
    work = bench.work()
    try:
        bench.scanner.scan()
        await asyncio.sleep(0.2)
    finally:
        await end_all(work)
    assert "hold" not in bench.coil.calls
    assert bench.inverters["inverter-2"].limit_w == 40_000.0
    assert bench.scanner.clock.late == 1


async def test_a_new_sample_starts_a_scan_at_once_and_the_period_is_only_the_longest_gap() -> None:
    bench = Bench()
    running = asyncio.ensure_future(bench.scanner.run())
    await asyncio.sleep(0.05)
    before = len(bench.done)
    for _ in range(5):
        bench.scanner.new_sample.set()
        await asyncio.sleep(0.01)
    assert len(bench.done) == before + 5
    await asyncio.sleep(0.5)
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
    gaps_s = [after.now_s - scan.now_s for scan, after in zip(bench.done, bench.done[1:], strict=False)]
    assert max(gaps_s) < 0.35
    assert len(bench.done) <= before + 5 + 4


async def test_a_reset_is_asked_for_once_and_overrides_reach_the_image() -> None:
    bench = Bench()
    bench.wish.reset = True
    bench.overrides.add(self_ := object(), Override(by="t", until_s=time.monotonic() + 60, pickup_w=1.0))
    bench.scanner.scan()
    bench.overrides.drop(self_)
    bench.scanner.scan()
    assert [image.reset for image in bench.images] == [True, False]
    assert [len(image.overrides) for image in bench.images] == [1, 0]


async def test_last_commands_go_to_every_device_and_only_what_took_them_counts(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    bench = Bench()
    work = bench.work()
    bench.share = 0.05
    bench.scanner.scan()
    await asyncio.sleep(0.2)
    await end_all(work)
    last = safe.on_stop(bench.site, bench.scanner.last.commands)

    async def broken() -> None:
        raise OSError("the line is gone")

    monkeypatch.setattr(bench.coil, "open", broken)
    bench.inverters["inverter-1"].silent = True  # and holds the very value already
    assert await bench.plant.settle(last) == (["inverter-2"], ["inverter-1", "coil-2"])


def test_the_agent_is_light() -> None:
    import subprocess
    import sys

    heavy = ("numpy", "matplotlib", "fastapi", "reportlab", "sqlalchemy")
    code = f"import sys, edge.agent.agent, cli.run; print([m for m in {heavy!r} if m in sys.modules])"
    root = Path(__file__).parents[2]
    found = subprocess.run([sys.executable, "-c", code], cwd=root, capture_output=True, text=True, check=True)
    assert found.stdout.strip() == "[]"
