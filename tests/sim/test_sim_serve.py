"""`dergate sim serve` as a process on the real clock."""

from __future__ import annotations

import json
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from sim.simfile import DEMO
from sim.truthlog import read_truth

pytestmark = pytest.mark.live

SERVE = [sys.executable, "-c", "from cli.sim import app; app()", "serve"]


@contextmanager
def served(*arguments: str) -> Iterator[subprocess.Popen[str]]:
    command = [*SERVE, "--json", "--port-base", "0", "--control", *arguments]
    process = subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    with process:
        try:
            yield process
        finally:
            if process.poll() is None:
                process.kill()


def answer(process: subprocess.Popen[str], order: dict[str, object] | None = None) -> dict[str, object]:
    assert process.stdin is not None
    assert process.stdout is not None
    if order is not None:
        process.stdin.write(json.dumps(order) + "\n")
        process.stdin.flush()
    line: dict[str, object] = json.loads(process.stdout.readline())
    return line


def ended(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([*SERVE, *arguments], capture_output=True, text=True, timeout=30, check=False)


def test_it_says_when_it_is_ready_and_logs_the_truth(tmp_path: Path) -> None:
    path = tmp_path / "truth.csv"
    with served("--truth", str(path)) as process:
        ready = answer(process)
        assert set(ready) == {"pid", "devices", "diagnostic"}
        assert ready["pid"] == process.pid
        roles = [device["role"] for device in ready["devices"]]  # type: ignore[attr-defined] # JSON
        assert roles == ["meter", "inverter-1", "inverter-2", "coil-2"]
        time.sleep(0.5)
        step = answer(process, {"load_step_w": -36_000})
        assert step["event"] == "load step -36000 W"
        time.sleep(0.5)
        behind_s = time.monotonic() - read_truth(path).t_s[-1]
        process.send_signal(signal.SIGTERM)
        assert process.wait(timeout=10) == 0
    truth = read_truth(path)
    assert behind_s < 0.5
    assert truth.dt_s == pytest.approx(0.01, rel=1e-3)
    (event,) = truth.events
    at_s, text = event
    assert text == "load step -36000 W"
    assert at_s == pytest.approx(step["t_s"], abs=1e-3)
    at = truth.t_s >= at_s - 1e-6
    assert truth.host_load_w[at].max() < 10_000 < truth.host_load_w[~at].min()
    samples = truth.t_s[truth.meter_sampled]
    assert samples[1:] - samples[:-1] == pytest.approx([0.2] * (len(samples) - 1), abs=1e-3)


def test_it_ends_with_its_standard_input() -> None:
    with served() as process:
        answer(process)
        assert process.stdin is not None
        process.stdin.close()
        assert process.wait(timeout=10) == 0


def test_a_port_in_use_is_status_3() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        run = ended("--port-base", str(taken.getsockname()[1]))
    assert run.returncode == 3
    assert "in use" in run.stderr
    assert len(run.stderr.splitlines()) == 1


def test_a_bad_file_is_status_2(tmp_path: Path) -> None:
    path = tmp_path / "bad.sim.toml"
    path.write_text(DEMO.read_text().replace("seed = 7", "sead = 7"))
    run = ended(str(path))
    assert run.returncode == 2
    line = DEMO.read_text().splitlines().index("seed = 7") + 1
    assert run.stderr == f"{path}:{line}: load.sead: unknown key; did you mean 'seed'?\n"
    assert ended(str(tmp_path / "none.toml")).returncode == 2


def test_a_truth_file_that_cannot_be_made_is_status_2(tmp_path: Path) -> None:
    run = ended("--truth", str(tmp_path / "no" / "truth.csv"))
    assert run.returncode == 2
    assert run.stderr.count("\n") == 1


def test_a_full_disk_is_status_3() -> None:
    run = ended("--port-base", "0", "--truth", "/dev/full")
    assert run.returncode == 3
    assert run.stderr == "/dev/full: cannot be written: No space left on device\n"


def test_people_see_where_the_devices_are() -> None:
    with subprocess.Popen([*SERVE, "--port-base", "0"], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "Demo site, until interrupted:\n"
        assert process.stdout.readline().startswith("meter         tcp://127.0.0.1:")
        process.send_signal(signal.SIGINT)
        assert process.wait(timeout=10) == 0
