"""The demo site served by a real simulator process, and an agent run against it as a user would."""

from __future__ import annotations

import json
import os
import signal
import struct
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from agent_site import write_site
from pymodbus.client import ModbusTcpClient

ROOT = Path(__file__).parents[2]


@dataclass(frozen=True)
class Truth:
    """What really happens, from the diagnostic unit."""

    export_w: float
    inverter_1_w: float
    inverter_2_w: float
    closed: bool


@dataclass
class LiveSim:
    """A running simulator."""

    process: subprocess.Popen[str]
    ports: dict[str, int]
    diagnostic: ModbusTcpClient

    def truth(self) -> Truth:
        """Read the diagnostic unit."""
        words = self.diagnostic.read_holding_registers(0, count=7, device_id=1).registers
        export_w, first_w, second_w = struct.unpack(">fff", struct.pack(">6H", *words[:6]))
        return Truth(export_w, first_w, second_w, words[6] == 1)

    def until(self, condition: Callable[[Truth], bool], within_s: float) -> float:
        """Seconds until the truth is so; fails when it takes longer."""
        started_s = time.monotonic()
        while not condition(truth := self.truth()):
            assert time.monotonic() - started_s < within_s, truth
            time.sleep(0.02)
        return time.monotonic() - started_s


@contextmanager
def sim_served(file: Path | None = None, *options: str) -> Iterator[LiveSim]:
    """Serve the demo site (or that of a sim file or scenario) on free ports."""
    command = [sys.executable, "-m", "cli.main", "sim", "serve", "--json", "--port-base", "0"]
    process = subprocess.Popen(
        [*command, *options, *([str(file)] if file else [])], stdout=subprocess.PIPE, text=True, cwd=ROOT
    )
    assert process.stdout is not None
    try:
        ready = json.loads(process.stdout.readline())
        ports = {device["role"]: urlsplit(device["uri"]).port for device in ready["devices"]}
        diagnostic = ModbusTcpClient("127.0.0.1", port=urlsplit(ready["diagnostic"]["uri"]).port)
        assert diagnostic.connect()  # type: ignore[no-untyped-call]  # the library has no types here
        yield LiveSim(process, ports, diagnostic)
        diagnostic.close()  # type: ignore[no-untyped-call]  # the library has no types here
    finally:
        process.terminate()
        process.wait(5)
        process.stdout.close()


@contextmanager
def agent_process(site_file: Path, *options: str, link: bool = False) -> Iterator[subprocess.Popen[str]]:
    """`dergate run` in a process of its own; its log lies beside the site file."""
    command = [sys.executable, "-m", "cli.main", "run", str(site_file), *options]
    if not link:
        command.append("--no-link")
    with (site_file.parent / "agent.log").open("a") as log:
        process = subprocess.Popen(command, stderr=log, text=True, cwd=ROOT)
        try:
            yield process
        finally:
            if process.poll() is None:
                process.send_signal(signal.SIGCONT)
                process.terminate()
                process.wait(10)


def dergate(*arguments: str) -> subprocess.CompletedProcess[str]:
    """Run a command as a user would."""
    return subprocess.run(
        [sys.executable, "-m", "cli.main", *arguments],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
        timeout=30,
        env={**os.environ, "COLUMNS": "80"},
    )


def status_json(site_file: Path) -> dict[str, Any]:
    """What `dergate status --json` prints; empty while nobody answers."""
    done = dergate("status", str(site_file), "--json")
    found = json.loads(done.stdout) if done.returncode == 0 else {}
    assert isinstance(found, dict)
    return found


def demo_on(folder: Path, sim: LiveSim, extra: str = "") -> Path:
    """The demo site file with the ports of a running simulator."""
    return write_site(folder, sim.ports, extra).path
