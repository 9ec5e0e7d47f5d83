"""The device tasks: latest command wins, nothing loosens at a start, only fed contacts stay closed."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import replace

import pytest
from agent_site import demo_site
from scripted_devices import IDENTITY, ScriptedCoil, ScriptedInverter

from drivers.errors import Timeout
from drivers.protocol import Outcome, WriteResult
from edge.agent.der_task import DerTask, Writes
from edge.agent.meter_task import MeterTask
from edge.agent.output_task import OutputTask
from edge.agent.supervise import keep_alive
from edge.agent.tell import Happening
from edge.model.readings import DerRaw, Identity, MeterRaw
from edge.model.site import Der


@asynccontextmanager
async def running(run: Callable[[], Awaitable[None]]) -> AsyncIterator[None]:
    task = asyncio.ensure_future(run())
    try:
        yield
        assert not task.done(), task.exception()
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def until(condition: Callable[[], bool], within_s: float = 2.0) -> None:
    deadline_s = time.monotonic() + within_s
    while not condition():
        assert time.monotonic() < deadline_s, "did not happen in time"
        await asyncio.sleep(0.005)


class Site:
    """One DER task over a scripted inverter."""

    def __init__(self, device: ScriptedInverter, reassert_s: float = 60.0, **changes: float | str) -> None:
        self.told: list[Happening] = []
        self.writes = Writes()
        der: Der = demo_site().der[0].model_copy(update={"poll_s": 0.05, "lost_after_s": 0.3, **changes})
        self.task = DerTask(der, device, 277.0, reassert_s, self.told.append, self.writes)

    def kinds(self) -> list[str]:
        return [happening.kind for happening in self.told]


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


class ScriptedStorage(ScriptedInverter):
    """Holds a band."""

    def __init__(self, limit_w: float | None = None, floor_w: float | None = None) -> None:
        super().__init__(limit_w)
        self.floor_w = floor_w
        self.bands: list[tuple[float, float]] = []
        self.soc_pu: float | None = 0.4

    async def measure(self) -> DerRaw:
        return replace(await super().measure(), soc_pu=self.soc_pu)

    async def write_band(self, limit_w: float, floor_w: float) -> WriteResult:
        self.bands.append((limit_w, floor_w))
        if not self.ignores:
            self.limit_w, self.floor_w = limit_w, floor_w
        found = {"limit_w": self.limit_w, "floor_w": self.floor_w}
        taken = (self.limit_w, self.floor_w) == (limit_w, floor_w)
        return WriteResult(
            Outcome.VERIFIED if taken else Outcome.MISMATCH, {}, found, "reads back differently"
        )

    async def read_band(self) -> tuple[float | None, float | None]:
        return self.limit_w, self.floor_w


class StorageSite(Site):
    """One DER task over scripted storage of 20 kW that charges at 10 kW."""

    def __init__(self, device: ScriptedStorage, reassert_s: float = 60.0) -> None:
        super().__init__(device, reassert_s, kind="storage", charge_w=10_000.0)


def band_of(site: Site) -> tuple[float, float]:
    reading = site.task.reading(time.monotonic())
    return reading.limit_w.otherwise(-1.0), reading.floor_w.otherwise(1.0)


async def test_storage_is_told_both_ends_and_shows_what_it_holds_and_its_charge() -> None:
    device = ScriptedStorage()
    site = StorageSite(device)
    async with running(site.task.run):
        await until(lambda: device.polls > 0)
        assert band_of(site) == (20_000.0, -10_000.0), "nothing is in force"
        site.task.command(-3_000.0, -5_000.0)
        await until(lambda: device.bands == [(-3_000.0, -5_000.0)])
        await until(lambda: band_of(site) == (-3_000.0, -5_000.0))
        assert site.task.reading(time.monotonic()).soc_pu.otherwise(0.0) == 0.4
        device.soc_pu = None
        polls = device.polls
        await until(lambda: device.polls > polls + 1)
        assert site.task.reading(time.monotonic()).soc_pu.otherwise(0.0) == 0.4, "the last that was told"
    assert device.written == [], "a limit alone is none for storage"


async def test_the_first_band_loosens_neither_end() -> None:
    device = ScriptedStorage(2_000.0, -1_000.0)
    site = StorageSite(device)
    site.task.command(12_000.0, -6_000.0)
    async with running(site.task.run):
        await until(lambda: len(device.bands) == 2)
    assert device.bands == [(2_000.0, -1_000.0), (12_000.0, -6_000.0)]


async def test_a_floor_that_tightens_waits_for_nothing() -> None:
    device = ScriptedStorage()
    site = StorageSite(device)
    async with running(site.task.run):
        await until(lambda: device.polls > 0)
        device.ignores = True
        site.task.command(5_000.0, -6_000.0)
        await until(lambda: site.task.reading(time.monotonic()).refused)
        tried = len(device.bands)
        site.task.command(5_000.0, -1_000.0)
        await until(lambda: (5_000.0, -1_000.0) in device.bands, within_s=0.2)
        assert len(device.bands) <= tried + 2
        assert band_of(site) == (20_000.0, -10_000.0), "what it holds, not what it was told"
        device.ignores = False
        await until(lambda: band_of(site) == (5_000.0, -1_000.0))
    assert site.kinds() == ["write-unverified", "device-return"]


async def test_a_floor_that_drifts_is_told_and_written_again() -> None:
    device = ScriptedStorage()
    site = StorageSite(device, reassert_s=0.05)
    async with running(site.task.run):
        site.task.command(5_000.0, -1_000.0)
        await until(lambda: band_of(site) == (5_000.0, -1_000.0))
        device.floor_w = -9_000.0
        await until(lambda: "write-unverified" in site.kinds())
        await until(lambda: device.floor_w == -1_000.0)


async def test_storage_is_settled_with_both_ends() -> None:
    device = ScriptedStorage()
    site = StorageSite(device)
    async with running(site.task.run):
        await until(lambda: device.polls > 0)
    assert await site.task.settle(0.0, 0.0)
    assert (device.limit_w, device.floor_w) == (0.0, 0.0)
