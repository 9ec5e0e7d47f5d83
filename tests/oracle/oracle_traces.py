"""Inputs at random: what voltage, frequency, sun and limit do in the course of a case."""

from __future__ import annotations

from typing import Any

import numpy as np
from oracle_case import Floats, Trace
from oracle_draw import SHAPES, Shape, signal

Rng = np.random.Generator

CONTINUOUS_V_PU = (0.885, 1.095)
"""Inside continuous operation of every category, and inside the default trip thresholds."""

CONTINUOUS_HZ = (58.9, 61.1)

COUNT = 600
"""Steps of a plain case."""


def trace(count: int, **given: Any) -> Trace:
    """A trace of `count` steps at rated voltage and frequency in full sun, but for what is given."""
    inputs: dict[str, Any] = {
        "v_pu": 1.0,
        "hz": 60.0,
        "avail_pu": 1.0,
        "limit_pu": np.nan,
        "demand_pu": 0.0,
        "permit": True,
        **given,
    }
    kinds = {"permit": bool}
    return Trace(
        **{
            name: np.array(np.broadcast_to(value, count), kinds.get(name, float))
            for name, value in inputs.items()
        }
    )


def any_shape(rng: Rng) -> Shape:
    return SHAPES[rng.integers(len(SHAPES))]


def voltage(
    rng: Rng, count: int, low: float = CONTINUOUS_V_PU[0], high: float = CONTINUOUS_V_PU[1]
) -> Floats:
    return signal(rng, count, low, high, any_shape(rng))


def sun(rng: Rng, count: int, most: float = 1.1) -> Floats:
    return signal(rng, count, 0.0, most, any_shape(rng))


def quiet_sun(rng: Rng, count: int) -> Floats:
    """Sun beside droop, within the rating and without noise.

    Both models end a return from a disturbance when output is within 0.001 pu of what it would be without droop.
    Noise would decide by chance, on differences of the filters of less than 0.0001 pu, at which step that is.
    """
    return signal(rng, count, 0.0, 1.0, "steps" if rng.random() < 0.5 else "ramps")


def limits(rng: Rng, count: int) -> Floats:
    """A limit that is on for some stretches."""
    limit = signal(rng, count, 0.0, 1.0, "steps")
    limit[signal(rng, count, 0.0, 1.0, "steps") < 0.4] = np.nan
    return limit


def disturbance(rng: Rng, count: int) -> Floats:
    """Frequency that leaves for another level and comes back, each in up to a quarter of the time."""
    level = rng.uniform(*CONTINUOUS_HZ)
    corners = [0, int(rng.integers(1, count // 4)), count - int(rng.integers(2, count // 4)), count - 1]
    return np.interp(np.arange(count), corners, [60.0, level, level, 60.0])
