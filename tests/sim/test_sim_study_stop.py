"""A study in a process of its own, stopped as a person stops it."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pyarrow.parquet as pq
import pytest
from study_files import write_study

pytestmark = pytest.mark.live

LONG_S = 40.0


def until_working(process: psutil.Process) -> list[psutil.Process]:
    """Wait until two workers have computed for a while; all processes of the study."""
    end_s = time.monotonic() + LONG_S
    while time.monotonic() < end_s:
        family = process.children(recursive=True)
        if sum(child.cpu_times().user > 0.3 for child in family) >= 2:
            return family
        time.sleep(0.1)
    raise AssertionError("the workers did not come up")


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_all_of_it_and_keeps_what_was_done(tmp_path: Path, number: signal.Signals) -> None:
    study, out = write_study(tmp_path, sites=5000, feeder=""), tmp_path / "out"
    command = [sys.executable, "-m", "cli.main", "sim", "study", str(study), "--out", str(out), "--jobs", "2"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        family = until_working(psutil.Process(process.pid))
        process.send_signal(number)
        printed, said = process.communicate(timeout=LONG_S)
    assert process.returncode == 1, said
    assert "stopped" in said
    assert "--resume goes on" in said
    assert "Traceback" not in said
    assert "longest excursion" in printed, "what was done is told"
    assert pq.read_table(out / "runs").num_rows > 0
    assert not psutil.wait_procs(family, timeout=10.0)[1], "no worker is left"


def test_a_killed_study_leaves_nobody_behind(tmp_path: Path) -> None:
    study, out = write_study(tmp_path, sites=5000, feeder=""), tmp_path / "out"
    command = [sys.executable, "-m", "cli.main", "sim", "study", str(study), "--out", str(out), "--jobs", "2"]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        family = until_working(psutil.Process(process.pid))
        process.kill()
    assert not psutil.wait_procs(family, timeout=LONG_S)[1], "no worker is left"
