"""Added latency: from the meter's answer on the wire to the last of ten limit writes on the wire.

The shipped agent (`dergate run`, all of it: spool, recorder, verified writes, trip output) drives ten inverters over
loopback sockets that are served here, by devices which cost next to nothing (benchmarks/wire.py). Both stamps are
taken in this process: right before the first answer with a new sample is sent, and as the frame of each inverter's
next new limit arrives. The reference is a bare socket loop in a process of its own against the same
devices. Samples for which not every limit changed (nothing to correct) do not count.
All three processes run at the priority of the shipped unit where that is permitted; the table says so.
"""

from __future__ import annotations

import asyncio
import gc
import json
import subprocess
import tempfile
from contextlib import AbstractContextManager
from pathlib import Path

from benchmarks.calibration import timed
from benchmarks.priority import as_deployed
from benchmarks.processes import agent, last_words, process
from benchmarks.registry import UnmeasuredError
from benchmarks.rows import Row, percentile
from benchmarks.sites import Fleet
from benchmarks.wire import Wire

P99_GOAL_MS = 5.0
MULTIPLE_GOAL = 5.0

FLEET = Fleet(
    10,
    period_s=0.1,
    latency_s=0.001,
    scan_s=0.1,
    dead_time_s=0.0,
    slope_pct_s=10_000.0,
    control="margin_cap_pct = 0.2\nramp_up_pct_per_s = 5.0",
)
"""With a small margin whatever the load does: steps are not averaged out as noise."""

_WARM_S = 8.0
_AGENT_S = 22.0
_BARE_S = 10.0
_LEAST = 50


def measure() -> list[Row]:
    """The agent's p50 and p99, and their multiples of the bare loop's."""
    with as_deployed() as how:
        ours_ms = asyncio.run(_agent_ms())
        bare_ms = asyncio.run(_bare_ms())
    rows = []
    for name, share, goal_ms in (("50 %", 0.5, None), ("99 %", 0.99, P99_GOAL_MS)):
        ours, bare = percentile(ours_ms, share), percentile(bare_ms, share)
        said = f"bare loop {bare:.2f} ms; {how}"
        rows += [
            Row(f"added latency, ten writes, {name}", ours, "ms", said, ours / bare, goal_ms),
            Row(f"added latency over bare loop, {name}", ours / bare, "x", said, ours / bare, MULTIPLE_GOAL),
        ]
    rows.append(timed("bare loop, ten writes, 50 %", percentile(bare_ms, 0.5), "ms"))
    return rows


async def _agent_ms(seconds: float = _AGENT_S) -> list[float]:
    with tempfile.TemporaryDirectory() as name:
        wire = Wire(FLEET)
        uris = await wire.start()
        return await _latencies_ms(wire, agent(FLEET, uris, Path(name)), seconds, _WARM_S, Path(name))


async def _bare_ms(seconds: float = _BARE_S) -> list[float]:
    with tempfile.TemporaryDirectory() as name:
        wire = Wire(FLEET)
        await wire.start()
        plan = {
            "meter_port": wire.meter.port,
            "power": wire.export,
            "poll_s": FLEET.site().meter.polling_s,
            "inverters": [(device.port, limit) for device, limit in wire.limits],
        }
        loop = process("-m", "benchmarks.bare_loop", json.dumps(plan), folder=Path(name))
        return await _latencies_ms(wire, loop, seconds, 1.0, Path(name))


async def _latencies_ms(
    wire: Wire,
    other: AbstractContextManager[subprocess.Popen[str]],
    seconds: float,
    warm_s: float,
    folder: Path,
) -> list[float]:
    """Serve `other` for so long; each counted sample's latency."""
    child = other.__enter__()
    # The stamps are taken in this process: it must not stop to collect what earlier measures left behind.
    gc.collect()
    gc.disable()
    try:
        await wire.run(warm_s)
        wire.rounds.clear()
        await wire.run(seconds)
        if child.poll() is not None:
            raise UnmeasuredError(f"the process that is measured ended: {last_words(folder)}")
        every = len(wire.limits)
        counted = [
            1000.0 * (max(round_.written_s.values()) - round_.answered_s)
            for round_ in wire.rounds
            if round_.answered_s is not None and len(round_.written_s) == every
        ]
    finally:
        gc.enable()
        # Ending it takes a moment, in which it still wants its devices.
        await asyncio.to_thread(other.__exit__, None, None, None)
        await wire.stop()
    if len(counted) < _LEAST:
        raise UnmeasuredError(f"only {len(counted)} samples made every limit change: {last_words(folder)}")
    return counted
