"""Families of cases in which units leave and enter service: permit, trips, ride-through, several functions at once."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from oracle_case import Case, Floats
from oracle_draw import (
    DROOP,
    ENTER_SERVICE,
    FREQUENCY_TRIP,
    MOMENTARY_CESSATION,
    VOLT_WATT,
    VOLTAGE_TRIP,
    Within,
    der,
    settings,
)
from oracle_functions import reactive_mode
from oracle_traces import (
    COUNT,
    Rng,
    disturbance,
    limits,
    quiet_sun,
    sun,
    trace,
    voltage,
)

from tiir.values import Value

SOON: Within = {"ES_DELAY": (0.0, 5.0), "ES_RAMP_RATE": (1.0, 10.0)}
"""Back in service while one looks on."""


AT_ONCE: Within = {"ES_DELAY": (0.0, 1.0), "ES_RAMP_RATE": (1.0, 2.0)}
"""Sooner still, for small steps."""


def enter_service(rng: Rng, name: str) -> Case:
    """Permit taken away and given back, with voltage and frequency in and out of the window meanwhile."""
    unit = der(rng)
    drawn = settings(
        rng,
        unit,
        ENTER_SERVICE,
        {"PF_MODE_ENABLE": False},
        {"ES_DELAY": (0.0, 60.0), "ES_RAMP_RATE": (1.0, 120.0)},
    )
    count = 700
    permit = np.ones(count, dtype=bool)
    v_pu, hz = np.ones(count), np.full(count, 60.0)
    permit[20 : 20 + rng.integers(5, 60)] = False
    out = slice(20 + rng.integers(5, 60), 120)
    if rng.random() < 0.5:
        v_pu[out] = (
            float(drawn["ES_V_LOW"]) - 1e-4 if rng.random() < 0.5 else float(drawn["ES_V_HIGH"]) + 1e-4
        )
    else:
        hz[out] = float(drawn["ES_F_LOW"]) - 1e-4 if rng.random() < 0.5 else float(drawn["ES_F_HIGH"]) + 1e-4
    permit[400:410] = False
    return Case(
        "enter_service",
        name,
        unit,
        drawn,
        0.5,
        trace(count, v_pu=v_pu, hz=hz, permit=permit, avail_pu=sun(rng, count)),
    )


def voltage_trip_fast(rng: Rng, name: str) -> Case:
    """The outer thresholds in small steps, where their times allow it."""
    return _trips(rng, name, "V", ("OV2", "UV2"), 1.0 / 64.0, AT_ONCE)


def voltage_trip_slow(rng: Rng, name: str) -> Case:
    return _trips(rng, name, "V", ("OV1", "UV1"), 0.125, SOON)


def frequency_trip_fast(rng: Rng, name: str) -> Case:
    return _trips(
        rng,
        name,
        "F",
        ("OF2", "UF2"),
        1.0 / 64.0,
        {**AT_ONCE, "OF2_TRIP_T": (0.16, 2.0), "UF2_TRIP_T": (0.16, 2.0)},
    )


def frequency_trip_slow(rng: Rng, name: str) -> Case:
    return _trips(
        rng,
        name,
        "F",
        ("OF1", "UF1"),
        1.0,
        {**SOON, "OF1_TRIP_T": (180.0, 300.0), "UF1_TRIP_T": (180.0, 300.0)},
    )


def _trips(rng: Rng, name: str, quantity: str, elements: Sequence[str], dt_s: float, within: Within) -> Case:
    """Settings drawn at random, and a trace that goes to each threshold in turn."""
    unit = der(rng)
    labels = VOLTAGE_TRIP if quantity == "V" else FREQUENCY_TRIP
    fixed: dict[str, Value] = {"PF_MODE_ENABLE": False, "QV_MODE_ENABLE": quantity == "V"}
    drawn = settings(rng, unit, (*labels, *ENTER_SERVICE), fixed, within)
    normal, least = (1.0, 1e-4) if quantity == "V" else (60.0, 1e-3)
    back = np.full(int(np.ceil((within["ES_DELAY"][1] + within["ES_RAMP_RATE"][1] + 1.0) / dt_s)), normal)
    parts = [np.full(8, normal)]
    for element in elements:
        threshold, after_s = float(drawn[f"{element}_TRIP_{quantity}"]), float(drawn[f"{element}_TRIP_T"])
        if after_s < 400 * dt_s:
            beyond = least if element.startswith("O") else -least
            parts += [*_around(rng, threshold, beyond, int(np.floor(after_s / dt_s)), normal), back]
    values = np.maximum(np.concatenate(parts), 0.0)
    inputs = trace(len(values), **{"v_pu" if quantity == "V" else "hz": values})
    return Case(name.rsplit(" ", 1)[0], name, unit, drawn, dt_s, inputs)


def _around(rng: Rng, threshold: float, beyond: float, steps: int, normal: float) -> list[Floats]:
    """Just inside the threshold for long, well beyond it for two steps too few, just beyond for two steps more."""
    pause = np.full(8, normal)
    inside, outside, far = (
        threshold - beyond,
        threshold + beyond,
        threshold + beyond * rng.uniform(1.0, 100.0),
    )
    short = np.full(max(1, steps - 2), far)
    return [np.full(steps + 4, inside), pause, short, pause, np.full(steps + 2, outside)]


ABNORMAL = ("I", "II", "III")


BOUNDS_V_PU = (0.30, 0.45, 0.50, 0.65, 0.70, 0.88, 1.10, 1.20)
"""Where the ride-through tables of some category change their mode (6.4.2, tables 14 to 16)."""


def ride_through(rng: Rng, name: str) -> Case:
    """Short dips and swells to either side of every bound, and of any depth; none long enough for a trip."""
    number = int(name.removeprefix("ride_through "))
    category = ABNORMAL[number % 3]
    unit = der(rng).model_copy(update={"abnormal": category})
    fixed: dict[str, Value] = {"QV_MODE_ENABLE": bool(rng.random() < 0.5)}
    labels: tuple[str, ...] = ()
    if category == "III":
        fixed["MC_ENABLE"] = number // 3 % 2 == 0
        labels = MOMENTARY_CESSATION
    drawn = settings(rng, unit, labels, fixed)
    bounds = (*BOUNDS_V_PU, *(float(drawn[label]) for label in labels))
    beside = [bound + side for bound in bounds for side in (-1e-3, 1e-3)]
    v_pu, at = np.ones(COUNT), 20
    for level in rng.permutation([*beside, *rng.uniform(0.1, 1.25, 10)]):
        length = int(rng.integers(3, 9))
        v_pu[at : at + length] = max(level, 0.0)
        at += length + int(rng.integers(4, 16))
    return Case(
        "ride_through", name, unit, drawn, 1.0 / 64.0, trace(COUNT, v_pu=v_pu, avail_pu=sun(rng, COUNT))
    )


def several(rng: Rng, name: str) -> Case:
    """Curves, droop, limit and enter service together, in continuous operation with a break of the permit."""
    unit, count = der(rng), 1000
    fixed, labels = reactive_mode(rng)
    if rng.random() < 0.5:
        fixed["PV_MODE_ENABLE"] = True
        labels = (*labels, *VOLT_WATT)
    within: Within = {
        "ES_DELAY": (0.0, 10.0),
        "ES_RAMP_RATE": (1.0, 10.0),
        "PF_OLRT": (2.0, 3.0),
        "PV_OLRT": (2.0, 60.0),
        "QV_OLRT": (2.0, 90.0),
    }
    drawn = settings(rng, unit, (*labels, *DROOP, *ENTER_SERVICE), fixed, within)
    v_pu, hz, limit_pu, permit = (
        voltage(rng, count),
        np.full(count, 60.0),
        limits(rng, count),
        np.ones(count, dtype=bool),
    )
    permit[430 : 430 + rng.integers(10, 100)] = False
    for entering in (slice(0, 230), slice(430, 740)):
        v_pu[entering] = 1.0
        if "PV_MODE_ENABLE" in fixed:
            limit_pu[entering] = np.nan
    for begin in (230, 750):
        hz[begin : begin + 100] = disturbance(rng, 100)
        limit_pu[begin : begin + 200] = limit_pu[begin]
    inputs = trace(count, v_pu=v_pu, hz=hz, avail_pu=quiet_sun(rng, count), limit_pu=limit_pu, permit=permit)
    return Case("several", name, unit, drawn, 0.1, inputs)
