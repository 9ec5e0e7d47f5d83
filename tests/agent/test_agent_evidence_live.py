"""A real trip on a served site: its events and its capture, while the agent runs and after it ended."""

from __future__ import annotations

import asyncio
import json
import math
import shutil
import signal
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import comtrade
import pytest
from live_site import agent_process, demo_on, dergate, sim_served

from contract.client import AgentClient, socket_path
from contract.socket import Accepted, OverrideRequest

pytestmark = [pytest.mark.live, pytest.mark.timeout(90)]


@pytest.fixture
def folder(monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    path = Path(tempfile.mkdtemp(prefix="dg"))
    monkeypatch.setenv("DERGATE_RUNTIME_DIR", str(path))
    yield path
    shutil.rmtree(path)


def shown(*arguments: str) -> dict[str, Any]:
    """What a command prints as JSON."""
    done = dergate(*arguments, "--json")
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert isinstance(found, dict)
    return found


def stored(site: Path) -> list[dict[str, Any]]:
    """The events so far, once the trip is among them and all are in the spool."""
    end_s = time.monotonic() + 10.0
    while time.monotonic() < end_s:
        found: list[dict[str, Any]] = shown("events", str(site))["events"]
        if any(event["kind"] == "trip" for event in found) and all(event["seq"] for event in found):
            return found
    raise AssertionError("the trip is not in the spool")


async def tripped_by_a_test(site: Path) -> None:
    """Lower the pickup below what is exported, until the element operates."""
    async with AgentClient(socket_path(site)) as agent:
        await agent.ask(OverrideRequest(by="a test", ttl_s=5.0, pickup_w=15_000.0), Accepted)
        for _ in range(100):
            if (await agent.status()).trip.tripped:
                return
            await asyncio.sleep(0.05)
    raise AssertionError("the element did not operate")


def test_a_trip_leaves_events_and_a_capture_that_others_read(folder: Path) -> None:
    with sim_served() as sim:
        site = demo_on(folder, sim)
        with agent_process(site, "--new-site") as agent:
            sim.until(lambda truth: truth.closed and truth.export_w > 22_000, 18)
            asyncio.run(tripped_by_a_test(site))
            sim.until(lambda truth: not truth.closed, 1.0)
            running = stored(site)
            assert [event["kind"] for event in running if event["kind"] in ("pickup", "trip")] == [
                "pickup",
                "trip",
            ]
            assert all(event["boot"] and event["seq"] for event in running)
            begun = shown("capture", str(site))["captures"]
            assert begun[-1]["detail"].startswith("trip")
            assert not begun[-1]["complete"]
            agent.send_signal(signal.SIGTERM)
            assert agent.wait(10) == 0

    ended = shown("events", str(site))["events"]
    assert [event["seq"] for event in ended[: len(running)]] == [event["seq"] for event in running]
    (trip,) = [event for event in ended if event["kind"] == "trip"]
    whole = shown("capture", str(site))["captures"]
    assert whole[-1]["complete"]
    assert whole[-1]["id"] == trip["capture"]

    number = str(trip["capture"])
    out = folder / "out"
    found = shown("capture", number, str(site), "--plot", str(folder / "trip.png"), "--comtrade", str(out))
    assert (folder / "trip.png").stat().st_size > 20_000
    (trip_s,) = [mark["t_s"] for mark in found["marks"] if mark["type"] == "trip"]
    assert found["marks"][0]["type"] == "pickup"
    pickups_w = [row[found["columns"].index("32 pickup_w")] for row in found["rows"] if row[0] == 0.0]
    assert pickups_w == [15_000.0]
    record = comtrade.Comtrade(use_double_precision=True)
    record.load(str(out / f"demo-site-{number}.cfg"), str(out / f"demo-site-{number}.dat"))
    columns, rows = found["columns"], found["rows"]
    assert record.total_samples == len(rows) > 30
    assert list(record.time) == pytest.approx([row[0] - rows[0][0] for row in rows], abs=1e-6)
    exported = record.analog[record.analog_channel_ids.index("PCC export")]
    # There is none before the meter has answered for once.
    shown_w = [row[columns.index("export_w")] for row in rows]
    known_w = [math.nan if export_w is None else export_w for export_w in shown_w]
    assert list(exported) == pytest.approx(known_w, abs=0.5, nan_ok=True)
    latch = list(record.status[record.status_channel_ids.index("trip latch")])
    at_trip = next(number for number, row in enumerate(rows) if row[0] >= trip_s)
    assert latch.index(1) == at_trip
    closed = record.status[record.status_channel_ids.index("coil-2 closed")]
    assert closed[at_trip - 1] == 1
    assert 0 in closed[at_trip:], "it may be closed again by enter service before the agent is told to stop"
