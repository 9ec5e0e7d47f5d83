"""`dergate portal serve`: what goes wrong gets one sentence and its exit status."""

from __future__ import annotations

import socket
import subprocess
import sys
import time
from pathlib import Path

import httpx
import pytest
from portal_processes import ROOT, PortalProcess

from edge.link.private_broker import PrivateBroker

pytestmark = pytest.mark.live


def run(*arguments: str) -> tuple[int, str]:
    code = "from cli.portal import app; app()"
    done = subprocess.run(
        [sys.executable, "-c", code, "serve", *arguments],
        check=False,
        capture_output=True,
        text=True,
        cwd=ROOT,
        timeout=30,
    )
    return done.returncode, done.stderr.strip()


def test_a_port_in_use(broker: PrivateBroker, tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        status, told = run("--db", str(tmp_path / "p.db"), "--broker", broker.uri, "--port", str(port))
    assert status == 3
    assert told == f"cannot listen on 127.0.0.1 port {port}: Address already in use"


def test_no_broker(tmp_path: Path) -> None:
    status, told = run("--db", str(tmp_path / "p.db"), "--broker", "mqtt://127.0.0.1:1", "--port", "0")
    assert status == 3
    assert told == "no broker answers at mqtt://127.0.0.1:1; is it running?"


def test_no_uri(tmp_path: Path) -> None:
    status, told = run("--db", str(tmp_path / "p.db"), "--broker", "127.0.0.1")
    assert status == 2
    assert "mqtt://host:port" in told


def test_no_certificates(broker: PrivateBroker, tmp_path: Path) -> None:
    uri = broker.uri.replace("mqtt:", "mqtts:")
    ca = str(tmp_path / "absent.crt")
    status, told = run("--db", str(tmp_path / "p.db"), "--broker", uri, "--ca", ca, "--port", "0")
    assert status == 2
    assert told == "the TLS files absent.crt cannot be used: No such file or directory"


def test_a_database_that_is_none(broker: PrivateBroker, tmp_path: Path) -> None:
    (tmp_path / "p.db").write_bytes(b"something else" * 1000)
    status, told = run("--db", str(tmp_path / "p.db"), "--broker", broker.uri, "--port", "0")
    assert status == 3
    assert told == "the database p.db cannot be used: file is not a database"


def test_it_listens_on_loopback_only_and_ends_on_sigterm(portal: PortalProcess) -> None:
    portal.start()
    assert portal.url.startswith("http://127.0.0.1:")
    assert "No gateway has been heard from yet" in httpx.get(portal.url).text
    started = time.monotonic()
    assert portal.end() == 0
    assert time.monotonic() - started < 10
