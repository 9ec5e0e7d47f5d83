"""What a step of the DER model costs per unit, beside EPRI's OpenDER on the same inputs.

Every unit has volt-var, volt-watt and droop in action: voltage and frequency move at every step and differ between
units, so that nothing is skipped because it stands still. OpenDER 2.2.0 is one object a unit and no more than a loop
over them, so it is measured with one unit and its cost a unit taken as the same for any number; its best case. Value:
median of the rounds.
"""

from __future__ import annotations

import gc
import logging
import statistics
import time
import tracemalloc
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import numpy as np

from benchmarks.calibration import timed
from benchmarks.registry import UnmeasuredError
from benchmarks.rows import Row
from sim.der import Fleet
from sim.der.arrays import Floats
from sim.files.unit import Unit

SIZES = (1, 100, 10_000)
GOAL_TIMES = 500.0
"""How many times faster than OpenDER a DER-step is to be at the largest size."""

GOAL_LINEAR = 1.5
"""What a DER-step may cost at ten times the largest size, over its cost there."""

DT_S = 0.1
SETTINGS = {"QV_MODE_ENABLE": True, "PV_MODE_ENABLE": True, "PF_MODE_ENABLE": True}
_ROUNDS = 5
_ROUND_S = 0.4


def fleet(count: int) -> Fleet:
    """`count` units with the settings of the measure, in service in full sun."""
    unit = Unit(nameplate_w=10e3, settings=SETTINGS)
    units = Fleet([unit] * count, DT_S)
    units.settle(np.ones(count, dtype=bool), 1.0)
    return units


def inputs(count: int) -> tuple[list[Floats], list[Floats]]:
    """Voltages and frequencies of a few steps to go round in: in continuous operation, mostly outside deadbands."""
    rng = np.random.default_rng(1)
    v_pu = [rng.uniform(0.93, 1.09, count) for _ in range(7)]
    hz = [rng.uniform(59.7, 60.3, count) for _ in range(7)]
    return v_pu, hz


def step_us(step: Callable[[int], object]) -> float:
    """Time of one step in us: median of rounds, each as many steps as fit its time."""
    steps = 0
    until_s = time.perf_counter() + _ROUND_S
    while steps == 0 or time.perf_counter() < until_s:
        step(steps)
        steps += 1
    times_us = []
    for _ in range(_ROUNDS):
        gc.collect()
        begun_s = time.perf_counter()
        for index in range(steps):
            step(index)
        times_us.append(1e6 * (time.perf_counter() - begun_s) / steps)
    return statistics.median(times_us)


def fleet_us(count: int) -> float:
    """Time in us of one step of one of `count` units."""
    units, energised = fleet(count), np.ones(count, dtype=bool)
    v_pu, hz = inputs(count)
    return step_us(lambda index: units.step(energised, v_pu[index % 7], hz[index % 7])) / count


def oracle_us() -> float:
    """Time in us of one step of OpenDER with the same settings and inputs.

    Raises:
        UnmeasuredError: Without OpenDER, which only the development extra brings.
    """
    try:
        from opender import DER, DER_PV
    except ImportError as absent:
        raise UnmeasuredError("OpenDER is not installed; it comes with the extra 'dev'") from absent
    v_pu, hz = inputs(1)
    with _silent():
        DER.t_s = DT_S
        unit = DER_PV()
        for label, value in SETTINGS.items():
            setattr(unit.der_file, label, value)

        def step(index: int) -> None:
            unit.update_der_input(v_pu=float(v_pu[index % 7][0]), f=float(hz[index % 7][0]), p_dc_pu=1.0)
            unit.run()

        return step_us(step)


@contextmanager
def _silent() -> Iterator[None]:
    """Keep a library that logs on the root logger from it."""
    before = logging.root.manager.disable
    logging.disable(logging.ERROR)
    try:
        yield
    finally:
        logging.disable(before)


def memory_bytes(count: int) -> tuple[float, float]:
    """Bytes a unit takes for good, and at most while it steps."""
    gc.collect()
    v_pu, hz = inputs(count)
    energised = np.ones(count, dtype=bool)
    tracemalloc.start()
    try:
        before, _ = tracemalloc.get_traced_memory()
        units = fleet(count)
        units.step(energised, v_pu[0], hz[0])
        gc.collect()
        kept, _ = tracemalloc.get_traced_memory()
        tracemalloc.reset_peak()
        units.step(energised, v_pu[1], hz[1])
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    return (kept - before) / count, (peak - before) / count


def measure() -> list[Row]:
    """Cost and memory by size, and the multiples of OpenDER."""
    oracle = oracle_us()
    costs_us = {count: fleet_us(count) for count in SIZES}
    rows = [timed("OpenDER 2.2.0, DER-step", oracle, "us")]
    rows += [timed(f"DER model, {_units(count)}, DER-step", cost, "us") for count, cost in costs_us.items()]
    rows += [_beside_oracle(count, cost / oracle) for count, cost in costs_us.items()]
    largest = SIZES[-1]
    growth = fleet_us(10 * largest) / costs_us[largest]
    counted = f"a DER-step at {_units(largest)}"
    rows.append(
        Row(f"DER model, {_units(10 * largest)}, DER-step", growth, "x", counted, growth, GOAL_LINEAR)
    )
    kept, most = memory_bytes(largest)
    rows.append(Row(f"DER model, {_units(largest)}, memory a unit", kept, "B"))
    rows.append(Row("DER model, the same at most in a step", most, "B"))
    return rows


def _beside_oracle(count: int, share: float) -> Row:
    taken = "" if count == 1 else f" at 1 unit, taken for each of {count:,}"
    reference = f"OpenDER's{taken}: {float(f'{1.0 / share:.3g}'):,g} times faster"
    goal = 1.0 / GOAL_TIMES if count == SIZES[-1] else None
    return Row(f"DER model over OpenDER, {_units(count)}", share, "x", reference, share, goal)


def _units(count: int) -> str:
    return "1 unit" if count == 1 else f"{count:,} units"
