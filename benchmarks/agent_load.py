"""What the agent needs of the machine with a meter at 10 Hz and 32 DERs at 1 Hz: share of a core, and memory.

The shipped agent (`dergate run`) and the simulator (`dergate sim serve`, 0.2 % of noise on the host load) are
processes of their own, at the priority of the shipped unit where that is permitted. CPU time and resident memory of
the agent's process are read with psutil once the site regulates. A meter that renews its registers ten times a second is polled five times as often by default, so that a
sample is seen soon; the same site with one poll for each sample stands beside it.
"""

from __future__ import annotations

import contextlib
import tempfile
import time
from pathlib import Path

import psutil

from benchmarks.calibration import pi4_factor, timed
from benchmarks.priority import as_deployed
from benchmarks.processes import agent, last_words, must_regulate, simulator
from benchmarks.registry import UnmeasuredError
from benchmarks.rows import Row
from benchmarks.sites import Fleet

CPU_GOAL_PCT = 15.0
MEMORY_GOAL_MB = 64.0

_WARM_S = 4.0
_COMES_UP_S = 60.0
_MEASURE_S = 18.0
_MEGABYTE = 1e6


def measure() -> list[Row]:
    """CPU at the default poll and at one poll a sample, and the largest resident memory seen."""
    with as_deployed() as how:
        cpu_pct, memory_mb = load_of(Fleet(32, period_s=0.1, der_poll_s=1.0, scan_s=0.1))
        once_pct, _ = load_of(Fleet(32, period_s=0.1, der_poll_s=1.0, scan_s=0.1, poll_s=0.1), seconds=10.0)
    name = "agent, meter 10 Hz, 32 DERs 1 Hz"
    return [
        timed(f"{name}, CPU", cpu_pct, "% of a core", CPU_GOAL_PCT),
        timed(f"{name}, CPU, one poll a sample", once_pct, "% of a core"),
        Row(
            f"{name}, CPU on a Pi 4",
            cpu_pct * pi4_factor(),
            "% of a core",
            "assumed factor, unmeasured",
            pi4_factor(),
        ),
        Row(f"{name}, memory", memory_mb, "MB", f"resident, largest seen; {how}", goal=MEMORY_GOAL_MB),
    ]


def load_of(fleet: Fleet, seconds: float = _MEASURE_S, warm_s: float = _WARM_S) -> tuple[float, float]:
    """CPU in % of a core, and the largest resident memory in MB, of the agent of a fleet.

    Raises:
        UnmeasuredError: One of the processes did not live through it.
    """
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        sim_file = folder / "fleet.sim.toml"
        sim_file.write_text(fleet.sim_text(), encoding="utf-8")
        with simulator(sim_file, folder) as uris, agent(fleet, uris, folder) as child:
            try:
                _wait_until_it_regulates(folder, warm_s)
                before = must_regulate(folder)
                needed = _watched(psutil.Process(child.pid), seconds)
                after = must_regulate(folder)
            except psutil.Error as error:
                raise UnmeasuredError(f"the agent ended: {last_words(folder)}") from error
            if after.writes.verified == before.writes.verified:
                raise UnmeasuredError("the agent wrote no limit while it was watched")
            return needed


def _wait_until_it_regulates(folder: Path, warm_s: float) -> None:
    """How long coming up takes is no part of this: it regulates, and does so still after `warm_s`."""
    until_s = time.monotonic() + _COMES_UP_S
    while time.monotonic() < until_s:
        time.sleep(0.5)
        with contextlib.suppress(UnmeasuredError):
            must_regulate(folder)
            time.sleep(warm_s)
            must_regulate(folder)
            return


def _watched(watched: psutil.Process, seconds: float) -> tuple[float, float]:
    before, begun_s = watched.cpu_times(), time.monotonic()
    memory = 0
    while time.monotonic() - begun_s < seconds:
        memory = max(memory, watched.memory_info().rss)
        time.sleep(0.5)
    after, took_s = watched.cpu_times(), time.monotonic() - begun_s
    if watched.status() == psutil.STATUS_ZOMBIE:
        raise psutil.NoSuchProcess(watched.pid)
    busy_s = after.user + after.system - before.user - before.system
    return 100.0 * busy_s / took_s, memory / _MEGABYTE
