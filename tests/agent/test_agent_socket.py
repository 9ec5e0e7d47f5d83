"""The socket's contract, over the real socket of an agent whose devices do not answer."""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import stat
import tempfile
import time
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from agent_site import closed_ports, write_site
from running_agent import agent_running, raw_line

from contract.client import AgentClient, AgentRefusedError, socket_path
from contract.socket import (
    Accepted,
    AdoptCurveRequest,
    ClearOverridesRequest,
    Devices,
    DevicesRequest,
    Events,
    EventsRequest,
    OverrideRequest,
    ReadModelsRequest,
    Recorded,
    RecordRequest,
    Request,
    ResetRequest,
    SiteInForce,
    SiteRequest,
    WritePointsRequest,
    Written,
)
from contract.status import Status
from edge.agent.agent import Agent
from edge.agent.requests import SiteFile
from edge.agent.socket_server import SocketTakenError
from edge.model.commands import Commands
from edge.spool import Spool


@pytest.fixture
def folder(monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Short, because a socket's path may not be long."""
    path = Path(tempfile.mkdtemp(prefix="dg"))
    monkeypatch.setenv("DERGATE_RUNTIME_DIR", str(path))
    yield path
    shutil.rmtree(path)


@pytest.fixture
def site(folder: Path) -> SiteFile:
    return write_site(folder, closed_ports())


@pytest.fixture
async def agent(site: SiteFile) -> AsyncIterator[Agent]:
    async with agent_running(site) as started:
        yield started


@pytest.fixture
async def client(agent: Agent, site: SiteFile) -> AsyncIterator[AgentClient]:
    async with AgentClient(socket_path(site.path)) as connected:
        yield connected


async def scanning(client: AgentClient) -> None:
    await _reached(client, lambda status: status.image.scan >= 2)


async def test_status_tells_what_is_not_there(client: AgentClient) -> None:
    await scanning(client)
    status = await client.status()
    assert status.pids.agent == os.getpid()
    assert (status.mode, status.site) == ("starting", "Demo site")
    assert status.image.pcc.export_w.quality == "absent"
    assert [der.reachable for der in status.image.ders] == [False, False]
    assert not status.image.outputs[0].commanded_closed
    assert status.link.alive is False


async def test_each_device_that_does_not_answer_is_told_once(client: AgentClient) -> None:
    await scanning(client)
    await asyncio.sleep(0.5)
    events = (await client.ask(EventsRequest(), Events)).events
    lost = [event.detail for event in events if event.kind == "device-loss"]
    assert len(lost) == 4
    devices = (await client.ask(DevicesRequest(), Devices)).devices
    assert [device.name for device in devices] == ["meter", "inverter-1", "inverter-2", "coil-2"]
    assert not any(device.reachable for device in devices)


async def test_the_site_file_in_force(client: AgentClient, site: SiteFile) -> None:
    answer = await client.ask(SiteRequest(), SiteInForce)
    assert (answer.text, answer.sha256) == (site.text, site.sha256)


async def test_the_socket_is_private(agent: Agent, site: SiteFile) -> None:
    path = socket_path(site.path)
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


@pytest.mark.parametrize(
    ("line", "number", "why"),
    [
        (b"not json", 0, "not understood"),
        (b"[1, 2]", 0, "not understood"),
        (b'{"id": 7}', 7, "request"),
        (b'{"id": 8, "request": {"op": "fly"}}', 8, "request"),
        (b'{"id": 9, "request": {"op": "status", "more": 1}}', 9, "status.more"),
        (b'{"id": 3, "request": {"op": "override", "by": "x", "ttl_s": -1}}', 3, "ttl_s"),
        (b"\xff\xfe\x00", 0, "not understood"),
        (b'{"id": true, "request": {"op": "status", "x": 1}}', 0, "not understood"),
    ],
)
async def test_a_bad_line_is_answered(
    agent: Agent, site: SiteFile, line: bytes, number: int, why: str
) -> None:
    answer = await raw_line(site.path, line)
    assert answer["id"] == number
    assert why in answer["error"]
    assert (await raw_line(site.path, b'{"id": 1, "request": {"op": "status"}}'))["error"] is None


REFUSED: list[tuple[Request, str]] = [
    (ReadModelsRequest(device="nobody"), "no device is named"),
    (ReadModelsRequest(device="inverter-1"), "cannot be reached"),
    (WritePointsRequest(device="meter", model=1, values={"DA": 2}), "no DER is named"),
    (WritePointsRequest(device="coil-2", model=1, values={"DA": 2}), "no DER is named"),
    (OverrideRequest(by="x", ttl_s=1, limit_w=1, der="nobody"), "no DER is named"),
    (OverrideRequest(by="x", ttl_s=1), "needs"),
    (RecordRequest(kind="status", payload={}), "are not taken"),
    (RecordRequest(kind="audit", payload={"by": "x"}), "audit/1"),
    (AdoptCurveRequest(device="inverter-1", model=705, points=((98, 0),)), "cannot be reached"),
]


@pytest.mark.parametrize(
    ("request_", "why"), REFUSED, ids=[f"{r.op}-{i}" for i, (r, _) in enumerate(REFUSED)]
)
async def test_what_cannot_be_done_is_refused_with_a_sentence(
    client: AgentClient, request_: Request, why: str
) -> None:
    with pytest.raises(AgentRefusedError, match=why):
        await client.ask(request_, Accepted)


@pytest.mark.parametrize(
    ("model", "point"), [(121, "WMax"), (123, "WMaxLimPct"), (704, "WMaxLimPct"), (702, "WMax")]
)
async def test_the_limit_belongs_to_the_limiter(client: AgentClient, model: int, point: str) -> None:
    request = WritePointsRequest(device="inverter-1", model=model, values={point: 100.0})
    answer = await client.ask(request, Written)
    assert answer.outcome == "refused"
    assert "belongs to the limiter" in str(answer.reason)


async def test_an_override_ends_with_its_connection(client: AgentClient, site: SiteFile) -> None:
    async with AgentClient(socket_path(site.path)) as other:
        answer = await other.ask(OverrideRequest(by="test one", ttl_s=60, limit_w=1000), Accepted)
        assert answer.until_s == pytest.approx(time.monotonic() + 60, abs=1)
        await _overrides(client, ("test one",))
    await _overrides(client, ())


async def test_an_override_ends_with_its_time_or_when_it_is_cleared(client: AgentClient) -> None:
    await client.ask(OverrideRequest(by="short", ttl_s=0.4, limit_w=1000), Accepted)
    await client.ask(OverrideRequest(by="long", ttl_s=60, blind=True), Accepted)
    await _overrides(client, ("short", "long"))
    await _overrides(client, ("long",))
    await client.ask(ClearOverridesRequest(), Accepted)
    await _overrides(client, ())


async def _overrides(client: AgentClient, expected: tuple[str, ...]) -> None:
    await _reached(client, lambda status: status.overrides == expected)


async def _reached(client: AgentClient, condition: Callable[[Status], bool]) -> None:
    for _ in range(200):
        if condition(await client.status()):
            return
        await asyncio.sleep(0.02)
    raise AssertionError("did not come about")


async def test_a_record_is_on_the_disk_when_it_is_answered(client: AgentClient, site: SiteFile) -> None:
    payload: dict[str, Any] = {
        "at": "2026-03-01T12:00:00Z",
        "by": "installer",
        "action": "confirmed the time",
    }
    answer = await client.ask(RecordRequest(kind="audit", payload=payload), Recorded)
    spool = Spool(site.path.parent / "here.state" / "spool.sqlite", "demo-site")
    (found,) = [record for record in spool.pending(100) if record.seq == answer.seq]
    spool.close()
    assert json.loads(found.body)["payload"]["by"] == "installer"


async def test_every_scan_is_streamed(agent: Agent, site: SiteFile) -> None:
    async with AgentClient(socket_path(site.path)) as listening:
        seen = []
        async for scan in listening.stream():
            seen.append(scan)
            if len(seen) == 4:
                break
    numbers = [scan.scan for scan in seen]
    assert numbers == list(range(numbers[0], numbers[0] + 4))
    assert seen[-1].export_w is None
    assert set(seen[-1].commanded_closed) == {"coil-2"}


async def test_reset_of_a_lost_state_and_its_memory(folder: Path) -> None:
    site = write_site(folder, closed_ports())
    async with agent_running(site, new=False), AgentClient(socket_path(site.path)) as client:
        await scanning(client)
        status = await client.status()
        assert (status.mode, status.trip.target) == ("tripped", "state-lost")
    async with agent_running(site, new=False), AgentClient(socket_path(site.path)) as client:
        await scanning(client)
        assert (await client.status()).trip.target == "state-lost", "a restart clears nothing"
        await client.ask(ResetRequest(by="installer"), Accepted)
        assert not (await client.status()).trip.tripped
    async with agent_running(site, new=False), AgentClient(socket_path(site.path)) as client:
        assert not (await client.status()).trip.tripped


async def test_scans_made_before_a_reset_was_asked_for_do_not_answer_it(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    site = write_site(folder, closed_ports())
    async with agent_running(site, new=False) as agent, AgentClient(socket_path(site.path)) as client:
        await scanning(client)
        audit = agent._recorder.audit

        def behind(by: str, what: str) -> None:
            agent._after.extend([agent._scanner.last] * 3)
            audit(by, what)

        monkeypatch.setattr(agent._recorder, "audit", behind)
        await client.ask(ResetRequest(by="installer"), Accepted)
        assert not (await client.status()).trip.tripped


async def test_a_reset_that_was_refused_is_not_carried_out_later(
    agent: Agent, client: AgentClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("edge.agent.requests._RESET_WITHIN_S", 0.0)
    await scanning(client)
    monkeypatch.setattr(agent._scanner, "scan", lambda: None)
    with pytest.raises(AgentRefusedError, match="no scan was made in time"):
        await client.ask(ResetRequest(by="installer"), Accepted)
    assert not agent._wish.reset


async def test_what_fails_while_stopping_does_not_keep_the_rest_from_being_written(
    site: SiteFile, monkeypatch: pytest.MonkeyPatch
) -> None:
    recorded: list[int] = []

    async def broken(commands: Commands) -> tuple[list[str], list[str]]:
        raise OSError("no such line")

    def close(now_s: float) -> None:
        raise OSError("no space")

    async with agent_running(site) as agent:
        monkeypatch.setattr(agent._plant, "settle", broken)
        monkeypatch.setattr(agent._recorder, "close", close)
        monkeypatch.setattr(agent._recorder, "scanned", lambda done: recorded.append(done.image.scan))
        agent._scanner.scan()
    assert recorded[-1] == agent._scanner.last.image.scan, "the last scans are recorded too"
    spool = Spool(site.path.parent / "here.state" / "spool.sqlite", "demo-site")
    assert any("last commands failed" in str(record) for record in spool.pending(100))
    spool.close()


async def test_a_stale_socket_is_replaced_and_a_live_one_is_not(site: SiteFile) -> None:
    path = socket_path(site.path)
    path.parent.mkdir(mode=0o700, parents=True)
    gone = await asyncio.create_subprocess_exec(
        "python3", "-c", f"import socket; s = socket.socket(socket.AF_UNIX); s.bind({str(path)!r})"
    )
    await gone.wait()
    assert path.exists()
    async with agent_running(site):
        with pytest.raises(SocketTakenError, match="already"):
            async with agent_running(site, new=False):
                pass
        async with AgentClient(path) as client:
            await client.status()
    assert not path.exists()


async def test_a_client_that_vanishes_in_a_stream_leaves_the_others_alone(
    agent: Agent, site: SiteFile, client: AgentClient
) -> None:
    _, writer = await asyncio.open_unix_connection(str(socket_path(site.path)))
    writer.write(b'{"id": 1, "request": {"op": "stream"}}\n')
    await writer.drain()
    writer.transport.abort()
    await asyncio.sleep(0.5)
    before = (await client.status()).scan.count
    await asyncio.sleep(0.5)
    assert (await client.status()).scan.count > before
