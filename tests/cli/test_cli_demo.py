"""`dergate demo` end to end: real processes, real sockets, the simulator's truth as judge."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import psutil
import pytest

pytestmark = [pytest.mark.live, pytest.mark.timeout(120)]

KEYS = {
    "limit_w", "max_export_w", "excursions", "response_ratio", "trips", "fallbacks", "scan", "writes", "faults",
    "passed", "reason",
}  # fmt: skip


def demo(folder: Path, seconds: int, *arguments: str) -> tuple[int, dict[str, Any]]:
    """Run the demo; its exit status and the object on its last line."""
    done = subprocess.run(
        [
            sys.executable,
            "-m",
            "cli.main",
            "demo",
            "--duration",
            str(seconds),
            "--json",
            "--keep",
            str(folder),
            *arguments,
        ],
        capture_output=True,
        text=True,
        timeout=110,
        check=False,
    )
    assert done.stdout, done.stderr
    return done.returncode, json.loads(done.stdout.strip().splitlines()[-1])


def logs(folder: Path) -> str:
    """What the demo's processes said, for a failing test."""
    return "\n".join(f"--- {log.name}\n{log.read_text()}" for log in sorted(folder.glob("*.log")))


def test_load_drop_is_answered_as_fast_as_the_plant_allows(tmp_path: Path) -> None:
    status, result = demo(tmp_path, 22)
    assert set(result) == KEYS
    assert status == 0, (result, logs(tmp_path))
    assert result["passed"]
    assert result["reason"] is None
    assert result["limit_w"] == 25_000.0
    assert len(result["excursions"]) == 1
    excursion = result["excursions"][0]
    assert set(excursion) == {"start_s", "duration_s", "peak_w", "energy_wh"}
    assert 0.2 < excursion["duration_s"] < 2.0
    assert excursion["peak_w"] > 55_000
    assert result["max_export_w"] >= excursion["peak_w"]
    assert 0.9 < result["response_ratio"] <= 1.5
    assert result["trips"] == 0
    assert result["fallbacks"] == 0
    assert result["scan"]["period_s"] == 0.2
    assert result["writes"]["sent"] >= result["writes"]["verified"] > 10


@pytest.mark.parametrize(
    ("fault", "seconds"),
    [
        ("meter-loss", 22),
        ("inverter-loss", 22),
        ("agent-kill", 24),
        ("agent-stop", 24),
        ("broker-kill", 20),
        ("write-ignored", 22),
    ],
)
def test_fault_ends_as_the_design_asks(tmp_path: Path, fault: str, seconds: int) -> None:
    status, result = demo(tmp_path, seconds, "--fault", fault)
    assert status == 0, (result, logs(tmp_path))
    (played,) = result["faults"]
    assert set(played) == {"name", "at_s", "effect", "cleared_at_s"}
    assert played["name"] == fault
    assert played["cleared_at_s"] > played["at_s"]
    if fault == "meter-loss":
        assert result["fallbacks"] == 1
        assert result["trips"] <= 1
    elif fault == "write-ignored":
        assert result["trips"] == 1
        assert max(one["duration_s"] for one in result["excursions"]) <= 2.0
    else:
        assert result["trips"] == 0
    assert (result["response_ratio"] is not None) is (fault == "broker-kill")


def test_durations_that_are_too_short_and_unknown_faults_are_refused() -> None:
    for arguments in (
        ["--duration", "5"],
        ["--duration", "nan"],
        ["--fault", "nonsense"],
    ):
        done = subprocess.run(
            [sys.executable, "-m", "cli.main", "demo", "--json", *arguments],
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 2
        assert len(done.stderr.strip().splitlines()) == 1
        assert done.stdout == ""


def told(folder: Path, number: signal.Signals) -> tuple[int, str]:
    """Start a demo, tell it to end a few seconds later; its exit status and what it said."""
    process = subprocess.Popen(
        [sys.executable, "-m", "cli.main", "demo", "--duration", "40", "--json", "--keep", str(folder)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        # A shell starts what runs in the background with SIGINT ignored.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_IGN),  # noqa: PLW1509 - no threads here
    )
    time.sleep(5.0)
    process.send_signal(number)
    _, said = process.communicate(timeout=30)
    return process.returncode, said


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGKILL])
def test_nothing_is_left_behind(tmp_path: Path, number: signal.Signals) -> None:
    status, said = told(tmp_path, number)
    if number != signal.SIGKILL:
        assert status == 1
        assert said.strip() == "stopped before the end"
    deadline = time.monotonic() + 10.0
    while left := [
        one.info["cmdline"]
        for one in psutil.process_iter(["cmdline"])
        if str(tmp_path) in str(one.info["cmdline"])
    ]:
        assert time.monotonic() < deadline, left
        time.sleep(0.1)


def test_a_simulated_site_that_dies_ends_the_demo_with_a_sentence(tmp_path: Path) -> None:
    process = subprocess.Popen(
        [sys.executable, "-m", "cli.main", "demo", "--duration", "20", "--json", "--keep", str(tmp_path)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    time.sleep(5.0)
    (sim,) = [one for one in psutil.Process(process.pid).children() if "sim" in one.cmdline()]
    sim.kill()
    out, said = process.communicate(timeout=30)
    assert process.returncode == 3
    assert out == ""
    assert said.strip() == "the simulated site has ended"
