"""How fast scenarios run in virtual time, and where the time goes.

The site is the shipped one of five inverters, scanned every 0.2 s, settled, with the load drop of `load-drop` in
it. One simulated second may cost a millisecond: that is a thousand times real time. Physics is `Plant.step()`,
control is the shipped `step()`, the loop is everything between them: polls, freshness, writes, the truth. The
parts are taken in runs of their own, since reading the clock costs too.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from typing import Any

from benchmarks.calibration import timed
from benchmarks.rows import Row
from sim.closed_loop import ClosedLoop
from sim.scenario import load_scenario

GOAL_US = 1000.0

_STEPS_S = (0.01, 0.02, 0.05, 0.1)
_PARTS_AT_S = 0.05
_SETTLE_S = 15.0
_RUN_S = 30.0
_REPEATS = 5


class Stopwatch:
    """Adds up the time that a function takes."""

    def __init__(self, function: Callable[..., Any]) -> None:
        self.spent_s = 0.0
        self._function = function

    def __call__(self, *arguments: Any) -> Any:
        """Call the function."""
        begun_s = time.perf_counter()
        result = self._function(*arguments)
        self.spent_s += time.perf_counter() - begun_s
        return result


def settled(step_s: float) -> ClosedLoop:
    """The site at its limit, with a load drop ten seconds ahead."""
    scenario = load_scenario("load-drop")
    return ClosedLoop(scenario.sim, scenario.site_file, seed=1, dt_s=step_s).run(_SETTLE_S)


def whole_us(step_s: float) -> float:
    """Time for one simulated second."""
    loop = settled(step_s)
    begun_s = time.perf_counter()
    loop.run(_RUN_S)
    return (time.perf_counter() - begun_s) / _RUN_S * 1e6


def parts_us(step_s: float) -> tuple[float, float, float]:
    """Of one simulated second, what physics, control and the rest take, reading the clock included."""
    loop = settled(step_s)
    physics, control = Stopwatch(loop.plant.step), Stopwatch(loop.control)
    loop.plant.step = physics  # type: ignore[method-assign] # only measured
    loop.control = control
    begun_s = time.perf_counter()
    loop.run(_RUN_S)
    rest_s = time.perf_counter() - begun_s - physics.spent_s - control.spent_s
    per_s = 1e6 / _RUN_S
    return physics.spent_s * per_s, control.spent_s * per_s, rest_s * per_s


def measure() -> list[Row]:
    """One simulated second at each time step of the physics, and its parts at one of them; medians."""
    rows = []
    for step_s in _STEPS_S:
        whole = statistics.median(whole_us(step_s) for _ in range(_REPEATS))
        name = f"1 s of five DERs, physics every {step_s * 1000:g} ms"
        said = f"{1e6 / whole:.0f} x real time; {GOAL_US:g} us is 1000 x"
        rows.append(Row(name, whole, "us", said, whole / GOAL_US, GOAL_US))
    taken = [parts_us(_PARTS_AT_S) for _ in range(_REPEATS)]
    at = f"physics every {_PARTS_AT_S * 1000:g} ms"
    for what, parts in zip(("physics", "step()", "loop"), zip(*taken, strict=True), strict=True):
        rows.append(timed(f"of it, {what}, {at}", statistics.median(parts), "us"))
    return rows
