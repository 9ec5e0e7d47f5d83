"""Settings at random inside the ranges that the standard allows a DER, and inputs at random."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Literal

import numpy as np
from oracle_case import RATED_W, Floats

from tiir import catalogue
from tiir.complete import complete
from tiir.setting import Der, TiirError
from tiir.values import Value, Values

VOLT_VAR = (
    *("QV_VREF", "QV_CURVE_V2", "QV_CURVE_V3", "QV_CURVE_V1", "QV_CURVE_V4"),
    *("QV_CURVE_Q1", "QV_CURVE_Q2", "QV_CURVE_Q3", "QV_CURVE_Q4", "QV_OLRT"),
)
VOLT_WATT = ("PV_CURVE_V1", "PV_CURVE_V2", "PV_CURVE_P2", "PV_CURVE_P1", "PV_OLRT")
WATT_VAR = (
    *("QP_CURVE_P2_GEN", "QP_CURVE_P1_GEN", "QP_CURVE_P3_GEN"),
    *("QP_CURVE_P2_LOAD", "QP_CURVE_P1_LOAD", "QP_CURVE_P3_LOAD"),
    *("QP_CURVE_Q1_GEN", "QP_CURVE_Q2_GEN", "QP_CURVE_Q3_GEN"),
    *("QP_CURVE_Q1_LOAD", "QP_CURVE_Q2_LOAD", "QP_CURVE_Q3_LOAD"),
)
DROOP = ("PF_DBOF", "PF_DBUF", "PF_KOF", "PF_KUF", "PF_OLRT")
ENTER_SERVICE = ("ES_V_LOW", "ES_V_HIGH", "ES_F_LOW", "ES_F_HIGH", "ES_DELAY", "ES_RAMP_RATE")
VOLTAGE_TRIP = (
    *("OV1_TRIP_V", "OV1_TRIP_T", "UV1_TRIP_V", "UV1_TRIP_T", "UV2_TRIP_V", "UV2_TRIP_T"),
    *("OV2_TRIP_V", "OV2_TRIP_T"),
)
FREQUENCY_TRIP = (
    *("OF1_TRIP_F", "OF1_TRIP_T", "OF2_TRIP_F", "OF2_TRIP_T"),
    *("UF1_TRIP_F", "UF1_TRIP_T", "UF2_TRIP_F", "UF2_TRIP_T"),
)

MOMENTARY_CESSATION = ("MC_LVRT_V1", "MC_HVRT_V1")

TIMES = ("_OLRT", "_T", "_DELAY", "_RAMP_RATE", "_TIME")
"""Settings that are times: drawn evenly over their logarithm, so that short ones are not rare."""

Within = Mapping[str, tuple[float, float]]
"""A range narrower than the standard's, by label: what a trace of bearable length can show."""

Shape = Literal["steps", "ramps", "noise"]
SHAPES: tuple[Shape, ...] = ("steps", "ramps", "noise")

_TRIES = 1000


def der(rng: np.random.Generator, bidirectional: bool = False) -> Der:
    """A DER of any categories."""
    return Der(
        normal=rng.choice(["A", "B"]).item(),
        abnormal=rng.choice(["I", "II", "III"]).item(),
        bidirectional=bidirectional,
        rated_va=1.1 * RATED_W,
    )


def nameplate(unit: Der, va_pu: float) -> dict[str, Value]:
    """What bounds reactive settings: the capability that the standard demands of the category (5.2)."""
    va = RATED_W * va_pu
    absorb = 0.44 if unit.normal == "B" else 0.25
    return {"NP_VA_MAX": va, "NP_Q_MAX_INJ": 0.44 * va, "NP_Q_MAX_ABS": absorb * va}


def settings(
    rng: np.random.Generator,
    unit: Der,
    labels: Sequence[str],
    fixed: Values,
    within: Within | None = None,
    va_pu: float = 1.1,
) -> dict[str, Value]:
    """Draw `labels` evenly from their ranges, one after another, beside `fixed`; only what `complete` accepts."""
    for _ in range(_TRIES):
        drawn: dict[str, Value] = dict(fixed)
        for label in labels:
            drawn[label] = _one(
                rng, unit, label, {**drawn, **nameplate(unit, va_pu)}, (within or {}).get(label)
            )
        try:
            complete({**drawn, **nameplate(unit, va_pu)}, unit)
        except TiirError:
            continue
        return drawn
    raise AssertionError(f"no settings {labels} beside {fixed} are allowed")


def _one(
    rng: np.random.Generator, unit: Der, label: str, known: Values, within: tuple[float, float] | None
) -> float:
    bounds = catalogue.settings()[label].range_for(unit, {**known, **unit.facts})
    low, high = bounds or (None, None)
    if low is None or high is None:
        raise AssertionError(f"{label} has no range")
    if within is not None:
        low, high = max(low, within[0]), min(high, within[1])
    if high <= low:
        return low
    if label.endswith(TIMES) and low > 0:
        return float(np.exp(rng.uniform(np.log(low), np.log(high))))
    return float(rng.uniform(low, high))


def signal(rng: np.random.Generator, count: int, low: float, high: float, shape: Shape) -> Floats:
    """`count` values from `low` to `high`: levels held, ramps between levels, or noise around levels."""
    level_count = max(3, count // 75)
    levels = rng.uniform(low, high, level_count)
    index = np.linspace(0.0, level_count - 1e-6, count)
    if shape == "ramps":
        return np.interp(index, np.arange(level_count), levels)
    held: Floats = levels[index.astype(int)]
    if shape == "noise":
        held = held + rng.normal(0.0, 0.1 * (high - low), count)
    return np.clip(held, low, high)
