"""The questions put to both models: families of cases, each made from its seed alone.

A family shows one function, or several at once; `FAMILIES` maps its name to the function that makes its n-th case.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any, Literal

import numpy as np
from oracle_case import Battery, Case, Floats, Trace
from oracle_draw import (
    DROOP,
    ENTER_SERVICE,
    FREQUENCY_TRIP,
    MOMENTARY_CESSATION,
    SHAPES,
    VOLT_VAR,
    VOLT_WATT,
    VOLTAGE_TRIP,
    WATT_VAR,
    Within,
    der,
    settings,
    signal,
)

from tiir.values import Value, Values

Rng = np.random.Generator

CONTINUOUS_V_PU = (0.885, 1.095)
"""Inside continuous operation of every category, and inside the default trip thresholds."""

CONTINUOUS_HZ = (58.9, 61.1)

COUNT = 600
"""Steps of a plain case."""

SOON: Within = {"ES_DELAY": (0.0, 5.0), "ES_RAMP_RATE": (1.0, 10.0)}
"""Back in service while one looks on."""

AT_ONCE: Within = {"ES_DELAY": (0.0, 1.0), "ES_RAMP_RATE": (1.0, 2.0)}
"""Sooner still, for small steps."""


def make(family: str, number: int) -> Case:
    """The `number`-th case of `family`: the same every time."""
    return FAMILIES[family](
        np.random.default_rng([zlib.crc32(family.encode()), number]), f"{family} {number}"
    )


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


def _shape(rng: Rng) -> Any:
    return SHAPES[rng.integers(len(SHAPES))]


def _v(rng: Rng, count: int, low: float = CONTINUOUS_V_PU[0], high: float = CONTINUOUS_V_PU[1]) -> Floats:
    return signal(rng, count, low, high, _shape(rng))


def _sun(rng: Rng, count: int, most: float = 1.1) -> Floats:
    return signal(rng, count, 0.0, most, _shape(rng))


def _limit(rng: Rng, count: int) -> Floats:
    """A limit that is on for some stretches."""
    limit = signal(rng, count, 0.0, 1.0, "steps")
    limit[signal(rng, count, 0.0, 1.0, "steps") < 0.4] = np.nan
    return limit


def _plain(rng: Rng, name: str, labels: Sequence[str], fixed: Values, **inputs: Any) -> Case:
    """A case of PV in continuous operation, in steps of no more than a tenth of its shortest response time."""
    unit = der(rng)
    drawn = settings(rng, unit, labels, fixed)
    fastest_s = min((float(value) for label, value in drawn.items() if label.endswith("_OLRT")), default=5.0)
    dt_s = 0.1 if fastest_s >= 1.0 else 0.02
    return Case(name.rsplit(" ", 1)[0], name, unit, drawn, dt_s, trace(COUNT, **inputs))


def volt_var(rng: Rng, name: str) -> Case:
    return _plain(
        rng, name, VOLT_VAR, {"QV_MODE_ENABLE": True}, v_pu=_v(rng, COUNT), avail_pu=_sun(rng, COUNT)
    )


def volt_watt(rng: Rng, name: str) -> Case:
    return _plain(
        rng, name, VOLT_WATT, {"PV_MODE_ENABLE": True}, v_pu=_v(rng, COUNT, 1.03), avail_pu=_sun(rng, COUNT)
    )


def watt_var(rng: Rng, name: str) -> Case:
    return _plain(rng, name, WATT_VAR, {"QP_MODE_ENABLE": True}, avail_pu=_sun(rng, COUNT))


def const_pf(rng: Rng, name: str) -> Case:
    fixed: dict[str, Value] = {
        "CONST_PF_MODE_ENABLE": True,
        "CONST_PF": float(rng.uniform(0.85, 1.0)),
        "CONST_PF_EXCITATION": rng.choice(["INJ", "ABS"]).item(),
    }
    return _plain(rng, name, (), fixed, avail_pu=_sun(rng, COUNT))


def const_q(rng: Rng, name: str) -> Case:
    """The set point is changed while running."""
    case = _plain(rng, name, ("CONST_Q",), {"CONST_Q_MODE_ENABLE": True}, avail_pu=_sun(rng, COUNT))
    steps = (40, 200, 230, 400)
    changes = [(step, settings(rng, case.der, ("CONST_Q",), {"CONST_Q_MODE_ENABLE": True})) for step in steps]
    return replace(case, changes=tuple(changes))


def droop(rng: Rng, name: str) -> Case:
    hz = signal(rng, COUNT, *CONTINUOUS_HZ, _shape(rng))
    hz[signal(rng, COUNT, 0.0, 1.0, "steps") < 0.3] = 60.0
    hz[:10] = 60.0
    return _plain(rng, name, DROOP, {}, hz=hz, avail_pu=_sun(rng, COUNT, 1.0))


def auto_vref(rng: Rng, name: str) -> Case:
    """Volt-var whose reference voltage follows the voltage, seen for a few of its time constants."""
    unit, count = der(rng), 1200
    fixed: dict[str, Value] = {"QV_MODE_ENABLE": True, "QV_VREF_AUTO_MODE": True}
    drawn = settings(
        rng,
        unit,
        (*VOLT_VAR, "QV_VREF_TIME"),
        fixed,
        {"QV_OLRT": (10.0, 90.0), "QV_VREF_TIME": (300.0, 400.0)},
    )
    inputs = trace(count, v_pu=signal(rng, count, *CONTINUOUS_V_PU, "steps"), avail_pu=_sun(rng, count))
    return Case("auto_vref", name, unit, drawn, 1.0, inputs)


def capability(rng: Rng, name: str) -> Case:
    """Full sun on a small converter: active and reactive power do not fit together."""
    unit = der(rng)
    fixed, labels = _reactive(rng) if rng.random() < 0.7 else ({"CONST_Q_MODE_ENABLE": True}, ("CONST_Q",))
    va_pu = float(rng.uniform(1.0, 1.02))
    drawn = settings(rng, unit, labels, fixed, va_pu=va_pu)
    inputs = trace(COUNT, v_pu=_v(rng, COUNT), avail_pu=signal(rng, COUNT, 0.7, 1.1, _shape(rng)))
    priority: Literal["var", "watt"] = "var" if rng.random() < 0.5 else "watt"
    return Case("capability", name, unit, drawn, 0.1, inputs, va_pu=va_pu, priority=priority)


def limit(rng: Rng, name: str) -> Case:
    """A limit that comes and goes, or one that stays and takes its time to move."""
    if rng.random() < 0.5:
        return _plain(rng, name, (), {}, limit_pu=_limit(rng, COUNT), avail_pu=_sun(rng, COUNT))
    limit_pu = signal(rng, COUNT, 0.0, 1.0, "steps")
    case = _plain(rng, name, (), {}, limit_pu=limit_pu, avail_pu=_sun(rng, COUNT))
    return replace(case, limit_ramp_s=float(rng.uniform(1.0, 30.0)))


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
        trace(count, v_pu=v_pu, hz=hz, permit=permit, avail_pu=_sun(rng, count)),
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
    values = np.concatenate(parts)
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


BOUNDS_V_PU = (0.30, 0.45, 0.50, 0.65, 0.70, 0.88, 1.10, 1.20)
"""Where the ride-through tables of some category change their mode (6.4.2, tables 14 to 16)."""


def ride_through(rng: Rng, name: str) -> Case:
    """Short dips and swells of any depth and just beside every bound, none long enough for a trip."""
    unit = der(rng)
    fixed: dict[str, Value] = {"QV_MODE_ENABLE": bool(rng.random() < 0.5)}
    labels: tuple[str, ...] = ()
    bounds: tuple[float, ...] = BOUNDS_V_PU
    if unit.abnormal == "III":
        fixed["MC_ENABLE"] = bool(rng.random() < 0.7)
        labels = MOMENTARY_CESSATION
    drawn = settings(rng, unit, labels, fixed)
    bounds = (*BOUNDS_V_PU, *(float(drawn[label]) for label in labels))
    v_pu, at = np.ones(COUNT), 20
    while at < COUNT - 60:
        length = int(rng.integers(3, 9))
        beside = rng.choice(bounds) + rng.choice([-1e-3, 1e-3])
        v_pu[at : at + length] = beside if rng.random() < 0.7 else rng.uniform(0.1, 1.25)
        at += length + int(rng.integers(4, 20))
    return Case(
        "ride_through", name, unit, drawn, 1.0 / 64.0, trace(COUNT, v_pu=v_pu, avail_pu=_sun(rng, COUNT))
    )


def several(rng: Rng, name: str) -> Case:
    """Curves, droop, limit and enter service together, in continuous operation with a break of the permit."""
    unit, count = der(rng), 1000
    fixed, labels = _reactive(rng)
    if rng.random() < 0.5:
        fixed["PV_MODE_ENABLE"] = True
        labels = (*labels, *VOLT_WATT)
    within: Within = {
        "ES_DELAY": (0.0, 10.0),
        "ES_RAMP_RATE": (1.0, 10.0),
        "PF_OLRT": (1.0, 4.0),
        "PV_OLRT": (1.0, 60.0),
    }
    drawn = settings(rng, unit, (*labels, *DROOP, *ENTER_SERVICE), fixed, within)
    v_pu, hz, limit_pu, permit = (
        _v(rng, count),
        np.full(count, 60.0),
        _limit(rng, count),
        np.ones(count, dtype=bool),
    )
    permit[430 : 430 + rng.integers(10, 100)] = False
    for entering in (slice(0, 230), slice(430, 740)):
        v_pu[entering] = 1.0
        if "PV_MODE_ENABLE" in fixed:
            limit_pu[entering] = np.nan
    for begin in (230, 750):
        hz[begin : begin + 100] = disturbance(rng, 100)
        limit_pu[begin : begin + 180] = limit_pu[begin]
    inputs = trace(count, v_pu=v_pu, hz=hz, avail_pu=_sun(rng, count, 1.0), limit_pu=limit_pu, permit=permit)
    return Case("several", name, unit, drawn, 0.1, inputs)


def disturbance(rng: Rng, count: int) -> Floats:
    """Frequency that leaves for another level and comes back, each in up to a quarter of the time."""
    level = rng.uniform(*CONTINUOUS_HZ)
    corners = [0, int(rng.integers(1, count // 4)), count - int(rng.integers(2, count // 4)), count - 1]
    return np.interp(np.arange(count), corners, [60.0, level, level, 60.0])


def _reactive(rng: Rng) -> tuple[dict[str, Value], tuple[str, ...]]:
    modes: list[tuple[dict[str, Value], tuple[str, ...]]] = [
        ({"QV_MODE_ENABLE": True}, VOLT_VAR),
        ({"QP_MODE_ENABLE": True}, WATT_VAR),
        ({"CONST_PF": float(rng.uniform(0.9, 1.0)), "CONST_PF_EXCITATION": "ABS"}, ()),
    ]
    return modes[rng.integers(len(modes))]


def storage(rng: Rng, name: str) -> Case:
    """Charge and discharge by demand, with one reactive mode."""
    unit, count = der(rng, bidirectional=True), COUNT
    fixed, labels = _reactive(rng)
    drawn = settings(rng, unit, labels, fixed)
    inputs = trace(count, v_pu=_v(rng, count), demand_pu=signal(rng, count, -1.0, 1.0, _shape(rng)))
    return Case("storage", name, unit, drawn, 0.1, inputs, storage=Battery(), var_at_low_power="full")


def storage_full(rng: Rng, name: str) -> Case:
    """A battery small enough to run full and empty within the trace."""
    unit, count = der(rng, bidirectional=True), COUNT
    demand_pu = signal(rng, count, -1.0, 1.0, "steps")
    battery = Battery(capacity_wh=float(rng.uniform(1e3, 5e3)), soc_pu=float(rng.uniform(0.1, 0.9)))
    return Case(
        "storage_full",
        name,
        unit,
        {},
        1.0,
        trace(count, demand_pu=demand_pu),
        storage=battery,
        var_at_low_power="full",
    )


def storage_droop(rng: Rng, name: str) -> Case:
    """Two disturbances of the frequency, with a new demand while there is none."""
    unit, count = der(rng, bidirectional=True), 800
    drawn = settings(rng, unit, DROOP, {}, {"PF_OLRT": (1.0, 4.0)})
    hz, demand_pu = np.full(count, 60.0), np.full(count, rng.uniform(-1.0, 1.0))
    for begin in (60, 500):
        hz[begin : begin + 200] = signal(rng, 200, *CONTINUOUS_HZ, _shape(rng))
    demand_pu[450:] = rng.uniform(-1.0, 1.0)
    inputs = trace(count, hz=hz, demand_pu=demand_pu)
    return Case("storage_droop", name, unit, drawn, 0.1, inputs, storage=Battery(), var_at_low_power="full")


FAMILIES: Mapping[str, Callable[[Rng, str], Case]] = {
    family.__name__: family
    for family in (
        *(volt_var, auto_vref, volt_watt, watt_var, const_pf, const_q, capability),
        *(droop, limit, enter_service),
        *(voltage_trip_fast, voltage_trip_slow, frequency_trip_fast, frequency_trip_slow, ride_through),
        *(several, storage, storage_full, storage_droop),
    )
}
