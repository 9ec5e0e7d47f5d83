"""The task of storage: both ends of its band, as those of a limit."""

from __future__ import annotations

import time
from dataclasses import replace

from scripted_devices import ScriptedInverter
from task_bench import Site, running, until

from drivers.protocol import Outcome, WriteResult
from edge.model.readings import DerRaw


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
