"""The settings watch against the simulated site: what was found is recorded once, and again when it changes."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path

import pytest

from contract.envelope import Envelope
from drivers.errors import Unreachable
from edge.agent import settings_watch
from edge.agent.devices import SiteDevices
from edge.agent.settings_watch import SettingsWatch
from edge.agent.tell import Happening
from edge.model.site import Site
from edge.model.strict_toml import load
from edge.spool import Spool
from edge.spool.writer import SpoolWriter
from sim.simfile import DEMO
from tiir.held import site_requires
from tiir.sunspec_plan import plan_settings

SITE_FILE = DEMO.with_name("demo.site.toml")


class HeldDevices(SiteDevices):
    """Two DERs whose models are data; one can be lost."""

    def __init__(self, site: Site) -> None:
        super().__init__(site)
        self.models: dict[str, tuple[dict[str, object], ...]] = {der.name: () for der in site.der}
        self.lost = False

    async def read_models(self, name: str, wanted: object) -> tuple[dict[str, object], ...]:
        if self.lost:
            raise Unreachable(f"{name} does not answer")
        return self.models[name]


def model_703(delay_s: int) -> dict[str, object]:
    """703 as decoded, with every point of the profile but the delay as required."""
    points = {
        "ES": 1, "ESVHi": 105.0, "ESVLo": 91.7, "ESHzHi": 60.1, "ESHzLo": 59.5,
        "ESDlyTms": delay_s, "ESRndTms": None, "ESRmpTms": 300,
    }  # fmt: skip
    return {"id": 703, "address": 40100, "length": 17, "points": points, "groups": {}}


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(10):
        while not condition():  # noqa: ASYNC110 - the spool's writer is a thread
            await asyncio.sleep(0.01)


async def test_findings_are_recorded_when_they_change_and_drift_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(settings_watch, "_FIRST_S", 0.0)
    monkeypatch.setattr(settings_watch, "_SETTLE_S", 0.0)
    site = load(Site, SITE_FILE.read_text(), "demo.site.toml")
    required = site_requires(site.tiir_profile, bidirectional=False, rated_va=None)
    assert plan_settings(required, [model_703(5)], {"ES_DELAY"}).steps
    devices = HeldDevices(site)
    devices.models["inverter-1"] = (model_703(300),)
    told: list[Happening] = []
    writer = SpoolWriter(tmp_path / "spool.sqlite", "demo-site")
    reader = Spool(tmp_path / "spool.sqlite", "demo-site")
    watch = SettingsWatch(site, devices, writer, told.append)
    task = asyncio.create_task(watch.run())

    def found() -> list[tuple[str, bool | None]]:
        envelopes = [Envelope.from_bytes(record.body) for record in reader.pending(100)]
        return [(str(one.payload["der"]), one.payload["verified"]) for one in envelopes]  # type: ignore[misc]

    try:
        await until(lambda: len(found()) == 2)
        assert found() == [("inverter-1", True), ("inverter-2", None)]
        watch.written()
        devices.lost = True
        await asyncio.sleep(0.1)
        devices.lost = False
        devices.models["inverter-1"] = (model_703(5),)
        watch.written()
        await until(lambda: len(found()) == 3)
        assert found()[2] == ("inverter-1", False)
        (drift,) = told
        assert drift.kind == "settings-change"
        assert "ES_DELAY" in drift.detail
        watch.written()
        await asyncio.sleep(0.1)
        assert len(found()) == 3
    finally:
        task.cancel()
        writer.close()
        reader.close()
        devices.close()
