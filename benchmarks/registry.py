"""What is measured, in the order of the table. Each module has `measure() -> list[Row]`."""

from __future__ import annotations

import importlib
from collections.abc import Callable

from benchmarks.rows import Row

MEASURES = {
    "calibration": "benchmarks.calibration",
    "response": "benchmarks.response",
    "stability": "benchmarks.stability",
    "peers": "benchmarks.peers.measure",
    "step": "benchmarks.step_cost",
    "latency": "benchmarks.added_latency",
    "agent": "benchmarks.agent_load",
    "poll": "benchmarks.poll_cost",
    "der-speed": "benchmarks.der_speed",
    "trip-clearing": "benchmarks.trip_clearing",
    "dead-and-hung": "benchmarks.dead.measure",
    "guard-walk": "benchmarks.guard_walk",
    "scenario-speed": "benchmarks.scenario_speed",
}
"""Name on the command line, and the module that measures it."""


class UnmeasuredError(Exception):
    """Something could not be measured; one sentence."""


def load(name: str) -> Callable[[], list[Row]]:
    """The function that takes the measure called `name`."""
    measure: Callable[[], list[Row]] = importlib.import_module(MEASURES[name]).measure
    return measure
