"""The real thing: a served site, an agent process, and what happens when it is killed, stopped or told to end."""

from __future__ import annotations

import json
import shutil
import signal
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest
from live_site import LiveSim, agent_process, demo_on, dergate, sim_served, status_json

from contract.status import Status

pytestmark = pytest.mark.live
LIMIT_W = 25_000.0


@pytest.fixture
def folder(monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    path = Path(tempfile.mkdtemp(prefix="dg"))
    monkeypatch.setenv("DERGATE_RUNTIME_DIR", str(path))
    yield path
    shutil.rmtree(path)


@pytest.fixture
def sim() -> Iterator[LiveSim]:
    with sim_served() as served:
        yield served


def settled(sim: LiveSim) -> None:
    """In service and regulating at the limit."""
    sim.until(lambda truth: truth.closed and truth.export_w > LIMIT_W - 3_000, 18)


def exports(sim: LiveSim, for_s: float) -> Iterator[float]:
    """True export, sampled."""
    end_s = time.monotonic() + for_s
    while time.monotonic() < end_s:
        yield sim.truth().export_w
        time.sleep(0.02)


def test_it_holds_the_limit_and_leaves_the_site_safe_when_killed(folder: Path, sim: LiveSim) -> None:
    site = demo_on(folder, sim)
    with agent_process(site, "--new-site") as agent:
        settled(sim)
        assert max(exports(sim, 2.0)) <= LIMIT_W + 500
        status = Status.model_validate(status_json(site))
        assert status.pids.agent == agent.pid
        assert (status.mode, status.trip.tripped, status.trips) == ("regulating", False, 0)
        assert status.limits[0].limit_w <= status.limits[-1].limit_w
        assert status.writes.verified > 0
        assert psutil.Process(agent.pid).memory_info().rss < 64 * 2**20
        agent.send_signal(signal.SIGKILL)
        opened_s = sim.until(lambda truth: not truth.closed, 2.0)
        assert opened_s < 2.0
        sim.until(lambda truth: truth.inverter_2_w == 0.0, 1.0)
        sim.until(lambda truth: truth.inverter_1_w <= 5_000.0 + 50, 15)
    assert "the agent starts: not tripped" in (folder / "agent.log").read_text()


def test_a_stopped_agent_opens_the_contact_and_goes_on_when_it_wakes(folder: Path, sim: LiveSim) -> None:
    site = demo_on(folder, sim)
    with agent_process(site, "--new-site") as agent:
        settled(sim)
        agent.send_signal(signal.SIGSTOP)
        sim.until(lambda truth: not truth.closed, 2.0)
        sim.until(lambda truth: truth.inverter_2_w == 0.0, 1.0)
        agent.send_signal(signal.SIGCONT)
        settled(sim)
        assert status_json(site)["scan"]["late"] >= 1


def test_it_stops_when_told_to_and_says_how_it_left_the_site(folder: Path, sim: LiveSim) -> None:
    site = demo_on(folder, sim)
    with agent_process(site, "--new-site") as agent:
        settled(sim)
        agent.terminate()
        assert agent.wait(10) == 0
        sim.until(lambda truth: not truth.closed, 0.3)  # sooner than the dead-man would
        sim.until(lambda truth: truth.inverter_1_w + truth.inverter_2_w <= LIMIT_W, 2.0)
    last = (folder / "agent.log").read_text().splitlines()[-1]
    assert "trip outputs opened and safe limits written: inverter-1, inverter-2, coil-2" in last
    assert dergate("status", str(site)).returncode == 3


def test_the_second_agent_of_a_site_and_other_mistakes_get_one_sentence(folder: Path, sim: LiveSim) -> None:
    site = demo_on(folder, sim)
    assert dergate("status").returncode == 3
    with agent_process(site, "--new-site"):
        settled(sim)
        second = dergate("run", str(site), "--no-link")
        assert second.returncode == 3
        assert second.stderr.count("\n") == 1
        assert "another agent runs this site already" in second.stderr
        events = json.loads(dergate("events", "--json").stdout)["events"]
        assert "restart" in [event["kind"] for event in events]
        shown = dergate("status").stdout
        assert "Demo site" in shown
        assert "regulating" in shown
        assert "inverter-2" in dergate("watch", "--duration", "1").stdout
    again = dergate("run", str(site), "--new-site", "--no-link")
    assert again.returncode == 2
    assert "start this site without --new-site" in again.stderr
    site.write_text(site.read_text().replace("export_limit_w", "export_limt_w"))
    refused = dergate("run", str(site))
    assert refused.returncode == 2
    assert "did you mean 'export_limit_w'" in refused.stderr
    missing = dergate("run", str(folder / "none.toml"))
    assert (missing.returncode, missing.stderr.count("\n")) == (2, 1)


def test_control_goes_on_without_the_link_and_the_link_comes_back(folder: Path, sim: LiveSim) -> None:
    site = demo_on(folder, sim, '\n[link]\nbroker = "mqtt://127.0.0.1:9"\n')
    with agent_process(site, "--new-site", link=True):
        settled(sim)
        first = status_json(site)
        assert first["link"]["alive"]
        assert first["link"]["pending"] > 0
        psutil.Process(first["pids"]["link"]).kill()
        deadline = time.monotonic() + 20
        while (back := status_json(site))["pids"]["link"] in (None, first["pids"]["link"]):
            assert back["mode"] == "regulating"
            assert time.monotonic() < deadline, "the link was not started again"
        assert back["mode"] == "regulating"
        assert back["scan"]["count"] > first["scan"]["count"]
        assert back["scan"]["late"] == first["scan"]["late"]
        assert sim.truth().closed
    psutil.wait_procs(
        [psutil.Process(back["pids"]["link"])] if psutil.pid_exists(back["pids"]["link"]) else [], 5
    )
    assert not psutil.pid_exists(back["pids"]["link"])
