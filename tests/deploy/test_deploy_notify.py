"""What systemd hears of the real processes: ready after the first complete scan or round, alive only while at work."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

from benchmarks import processes
from benchmarks.sites import Fleet
from contract.client import AgentClient, AgentUnreachableError, socket_path
from edge.link.private_broker import PrivateBroker, free_port

pytestmark = pytest.mark.live

READY = "READY=1\nWATCHDOG=1"


def heard(bound: socket.socket, seconds: float) -> list[str]:
    """Every message within so long."""
    until_s = time.monotonic() + seconds
    messages = []
    while (left_s := until_s - time.monotonic()) > 0:
        bound.settimeout(left_s)
        try:
            messages.append(bound.recv(4096).decode())
        except TimeoutError:
            break
    return messages


def first(bound: socket.socket) -> str:
    """The first message."""
    bound.settimeout(15.0)
    return bound.recv(4096).decode()


async def scans(path: Path) -> int | None:
    """How many scans the agent has completed; None before it answers."""
    try:
        async with AgentClient(path) as agent:
            return (await agent.status()).scan.count
    except AgentUnreachableError:
        return None


async def ready_with_the_first_scan(bound: socket.socket, path: Path) -> None:
    """Watch both sides until the agent is ready."""
    bound.settimeout(0)
    until_s = time.monotonic() + 20.0
    while time.monotonic() < until_s:
        count = await scans(path)
        try:
            message = bound.recv(4096).decode()
        except BlockingIOError:
            assert not count, "a complete scan was not followed by READY=1"
            continue
        assert message == READY
        assert await scans(path), "READY=1 came before a complete scan"
        return
    pytest.fail("the agent never became ready")


async def test_the_agent_is_ready_after_a_scan_and_alive_while_it_scans(
    notify_socket: socket.socket, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fleet = Fleet(1)
    sim_file = tmp_path / "fleet.sim.toml"
    sim_file.write_text(fleet.sim_text(), encoding="utf-8")
    monkeypatch.setenv("DERGATE_RUNTIME_DIR", str(tmp_path / "run"))
    with processes.simulator(sim_file, tmp_path) as uris:
        monkeypatch.setenv("NOTIFY_SOCKET", str(tmp_path / "notify"))
        with processes.agent(fleet, uris, tmp_path) as agent:
            await ready_with_the_first_scan(notify_socket, socket_path(tmp_path / processes.SITE_FILE))
            alive = heard(notify_socket, 2.0)
            assert len(alive) >= 8, "a scan each 0.2 s"
            assert set(alive) == {"WATCHDOG=1"}

            agent.send_signal(signal.SIGSTOP)
            heard(notify_socket, 0.3)
            assert heard(notify_socket, 2.0) == [], "a stopped agent must not look alive"

            agent.send_signal(signal.SIGCONT)
            assert "WATCHDOG=1" in heard(notify_socket, 2.0)
            agent.send_signal(signal.SIGTERM)
            await asyncio.to_thread(agent.wait, 20)
            assert heard(notify_socket, 0.5)[-1] == "STOPPING=1"


def link(tmp_path: Path, port: int) -> subprocess.Popen[bytes]:
    """The link of a new gateway."""
    command = ["--spool", str(tmp_path / "spool.sqlite"), "--gateway", "gw-1"]
    command += ["--broker", f"mqtt://127.0.0.1:{port}", "--parent", str(os.getpid())]
    return subprocess.Popen(
        [sys.executable, "-m", "edge.link", *command],
        env=os.environ | {"NOTIFY_SOCKET": str(tmp_path / "notify")},
        stderr=subprocess.DEVNULL,
    )


def end(process: subprocess.Popen[bytes]) -> None:
    """End a process, be it stopped or not."""
    process.send_signal(signal.SIGCONT)
    process.terminate()
    process.wait(20)


def test_the_link_is_ready_though_no_broker_answers(notify_socket: socket.socket, tmp_path: Path) -> None:
    process = link(tmp_path, free_port())
    try:
        assert first(notify_socket) == READY
        assert set(heard(notify_socket, 5.0)) == {"WATCHDOG=1"}, "each attempt that ended is a round"
    finally:
        end(process)


def test_the_link_is_alive_while_its_rounds_complete(notify_socket: socket.socket, tmp_path: Path) -> None:
    with PrivateBroker(tmp_path / "broker") as broker:
        process = link(tmp_path, int(broker.uri.rpartition(":")[2]))
        try:
            assert first(notify_socket) == READY
            alive = heard(notify_socket, 3.0)
            assert len(alive) >= 4
            assert set(alive) == {"WATCHDOG=1"}

            process.send_signal(signal.SIGSTOP)
            heard(notify_socket, 0.3)
            assert heard(notify_socket, 2.0) == []
        finally:
            end(process)
