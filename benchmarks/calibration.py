"""How fast this machine is: a fixed piece of pure Python, and what that would be on a Raspberry Pi 4.

Absolute times mean little without the machine they were measured on, so each stands beside this loop's time. The
loop does what `step()` does most: frozen dataclasses, tuples, float arithmetic, small dictionaries.
"""

from __future__ import annotations

import functools
import time
from dataclasses import dataclass, replace

from benchmarks.priority import as_deployed
from benchmarks.rows import Row

PI4_LOOP_MS = 200.0
"""Assumed time of the loop on a Raspberry Pi 4 (Cortex-A72 at 1.5 GHz, CPython 3.11), five times that of a server
core. Unmeasured."""

_ROUNDS = 15_000
_REPEATS = 9


@dataclass(frozen=True, slots=True)
class _Level:
    at_s: float
    level_w: float
    goals: tuple[tuple[float, float], ...]


def workload(rounds: int = _ROUNDS) -> float:
    """The fixed workload; its result is the same on every machine."""
    level = _Level(0.0, 50_000.0, tuple((0.1 * index, 1_000.0 * index) for index in range(8)))
    total_w = 0.0
    for index in range(rounds):
        caps_w = {name: level.level_w * share for name, share in (("a", 0.2), ("b", 0.3), ("c", 0.5))}
        goal_w = next((watts for at_s, watts in level.goals if at_s > 0.45), 0.0)
        moved_w = min(max(goal_w, caps_w["c"] - 10.0), 80_000.0)
        level = replace(level, at_s=level.at_s + 0.1, level_w=50_000.0 + moved_w % (index + 1.0))
        total_w += sum(caps_w.values())
    return total_w


@functools.cache
def loop_ms() -> float:
    """Best time of the workload in ms, kept until `loop_ms.cache_clear()`: how fast the machine is, not how busy."""
    times = []
    with as_deployed():
        for _ in range(_REPEATS):
            begun_s = time.perf_counter()
            workload()
            times.append(time.perf_counter() - begun_s)
    return 1000.0 * min(times)


def pi4_factor() -> float:
    """How many times slower than here a Pi 4 is assumed to be. Unmeasured."""
    return PI4_LOOP_MS / loop_ms()


def timed(measure: str, value: float, unit: str, goal: float | None = None) -> Row:
    """A row of an absolute time (or share of a core): its reference is the loop, its ratio the multiple of it.

    The ratio is comparable between machines; it is only given where the unit is a time.
    """
    per_ms = {"us": 1000.0, "ms": 1.0, "s": 0.001}.get(unit)
    ratio = None if per_ms is None else value / per_ms / loop_ms()
    return Row(measure, value, unit, f"calibration loop {loop_ms():.1f} ms", ratio, goal)


def measure() -> list[Row]:
    """The loop's own rows."""
    return [
        Row("calibration loop", loop_ms(), "ms"),
        Row(
            "Pi 4 factor",
            pi4_factor(),
            "x",
            f"assumed, unmeasured: the loop in {PI4_LOOP_MS:g} ms",
        ),
    ]
