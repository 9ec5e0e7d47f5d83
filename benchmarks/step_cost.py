"""What one `step()` costs, with 10 and with 100 DERs.

The images are those of a run of the shipped step on the simulated plant: forty seconds with a noisy host load and
load steps, so that limits move at every meter sample and commands are in flight, with a new sample at every other
scan. They are recorded first and replayed through `step()` with nothing in between but the clock being read;
`step()` is pure, so the replay goes through the very same states. What counts is this process's CPU time, with the
collector of garbage set as the agent sets it, at the priority of the shipped unit where that is permitted. Value: the
mean over a replay, of the replay where that is least, as with the calibration loop: each does the same work, and what one
takes longer is the machine's.
"""

from __future__ import annotations

import gc
import statistics
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from benchmarks.calibration import timed
from benchmarks.priority import as_deployed
from benchmarks.rows import Row, percentile
from benchmarks.sites import Fleet
from edge.agent.agent import calm_collector
from edge.model.durable import NEW_SITE
from edge.model.image import Image
from edge.step import Settings, start, step
from sim.closed_loop import ClosedLoop

GOALS_US = {10: 150.0, 100: 1000.0}

_SETTLE_S = 12.0
_RECORD_S = 40.0
_STEP_EVERY_S = 2.0
"""The ramp back takes as long: limits move at every sample."""
_REPLAYS = 5


@dataclass(frozen=True)
class Recording:
    """Images with their times, from the start of the process on; `settled` is the first that counts."""

    settings: Settings
    images: list[tuple[Image, float]]
    settled: int


def record(inverters: int, seconds: float = _RECORD_S) -> Recording:
    """Run the plant and keep every image."""
    fleet = Fleet(inverters, scan_s=0.1, noise_pu=0.02)
    images: list[tuple[Image, float]] = []
    loop = ClosedLoop(
        fleet.sim(), fleet.site(), seed=1, on_scan=lambda image, now_s: images.append((image, now_s))
    )
    loop.run(_SETTLE_S)
    settled = len(images)
    share = 0.2
    for _ in range(max(1, round(seconds / _STEP_EVERY_S))):
        loop.load_step(-share * fleet.nameplate_w)
        share = -share
        loop.run(_STEP_EVERY_S)
    return Recording(loop.settings, images, settled)


def replay_us(recording: Recording) -> list[float]:
    """The time of each step that counts, in us."""
    settings, times = recording.settings, []
    state = start(settings, NEW_SITE, 0.0)
    with _calm():
        for image, now_s in recording.images:
            begun_ns = time.process_time_ns()
            state, _, _ = step(image, settings, state, now_s)
            times.append((time.process_time_ns() - begun_ns) / 1000.0)
    return times[recording.settled :]


@contextmanager
def _calm() -> Iterator[None]:
    """The collector as in the agent."""
    thresholds = gc.get_threshold()
    calm_collector()
    try:
        yield
    finally:
        gc.set_threshold(*thresholds)
        gc.unfreeze()


def measure() -> list[Row]:
    """Mean and 99th percentile for each size."""
    rows = []
    for inverters, goal_us in GOALS_US.items():
        recording = record(inverters)
        with as_deployed():
            best = min((replay_us(recording) for _ in range(_REPLAYS)), key=statistics.mean)
        rows.append(timed(f"step(), {inverters} DERs", statistics.mean(best), "us", goal_us))
        rows.append(timed(f"step(), {inverters} DERs, 99 %", percentile(best, 0.99), "us"))
    return rows
