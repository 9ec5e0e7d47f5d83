"""Evidence of a running agent: counts from before its start, its events beside those of the spool."""

from __future__ import annotations

import asyncio
import json
import time
from pathlib import Path
from typing import Any

import pytest
from agent_site import closed_ports, write_site
from running_agent import agent_running
from typer.testing import CliRunner

from cli.main import build
from contract.client import AgentClient, socket_path
from contract.socket import Events, EventsRequest
from edge.agent.requests import SiteFile
from edge.agent.tally import Steps, Sum
from edge.agent.tally_file import TallyFile
from edge.agent.tell import Happening


@pytest.fixture
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> SiteFile:
    monkeypatch.setenv("DERGATE_RUNTIME_DIR", str(tmp_path))
    return write_site(tmp_path, closed_ports())


async def shown(*arguments: str) -> tuple[int, dict[str, Any], str]:
    """Exit status, JSON and standard error of `dergate events`."""
    result = await asyncio.to_thread(lambda: CliRunner().invoke(build(), ["events", "--json", *arguments]))
    return result.exit_code, json.loads(result.stdout), result.stderr


async def test_excursions_from_before_the_start_count(file: SiteFile) -> None:
    path = file.path.parent / "here.state" / "excursions.json"
    path.parent.mkdir()
    TallyFile(path).save(Steps({int(time.time() // 600): Sum(2, 3.0, 4.0)}))
    async with agent_running(file) as agent:
        agent._tallies.site.add(Sum(1, 0.5, 0.25), time.time())
        async with AgentClient(socket_path(file.path)) as client:
            status = await client.status()
            events = await client.ask(EventsRequest(), Events)
    assert status.excursions.last_24h.count == 3
    assert (status.excursions.last_30d.duration_s, status.excursions.last_30d.energy_wh) == (3.5, 4.25)
    assert events.excursions == status.excursions
    again, problem = TallyFile(path).load()
    assert problem is None
    assert again.site.over(86_400.0, time.time()) == Sum(3, 3.5, 4.25)


async def test_a_damaged_count_is_an_alarm_and_keeps_no_site_from_running(file: SiteFile) -> None:
    path = file.path.parent / "here.state" / "excursions.json"
    path.parent.mkdir()
    path.write_bytes(b"rubbish")
    async with agent_running(file) as agent:
        details = [event.detail for event in agent._recorder.events if event.kind == "alarm"]
    assert "excursions.json is damaged: excursions are counted from zero" in details


async def test_events_before_a_restart_and_those_not_stored_yet_are_one_sequence(file: SiteFile) -> None:
    state_dir = str(file.path.parent / "here.state")
    async with agent_running(file):
        pass
    async with agent_running(file, new=False) as agent:
        await asyncio.sleep(0.2)
        agent._writer.put = lambda *_: asyncio.Future()  # type: ignore[assignment,method-assign]  # a disk that hangs
        agent._recorder.tell(Happening("alarm", time.monotonic(), "not on the disk"))
        for arguments in ((str(file.path),), ()):
            status, found, err = await shown(*arguments, "--state-dir", state_dir)
            assert (status, err) == (0, "")
            kinds = [event["kind"] for event in found["events"]]
            assert kinds.count("restart") == 2
            assert kinds.index("stop") > kinds.index("restart")
            (fresh,) = [event for event in found["events"] if event["detail"] == "not on the disk"]
            assert fresh["seq"] is None
            stored = [event["seq"] for event in found["events"] if event["seq"] is not None]
            assert len(stored) == len(set(stored)) > 2
            each = {(event["at_s"], event["detail"]) for event in found["events"]}
            assert len(each) == len(found["events"])
            times_s = [event["at_s"] for event in found["events"]]
            assert times_s == sorted(times_s)


async def test_a_spool_that_cannot_be_read_leaves_what_the_agent_remembers(file: SiteFile) -> None:
    async with agent_running(file):
        status, found, err = await shown(str(file.path), "--state-dir", str(file.path.parent / "none"))
    assert status == 1
    assert "only what the agent remembers is shown" in err
    assert [event["kind"] for event in found["events"]].count("restart") == 1
