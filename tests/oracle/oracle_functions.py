"""Families of cases in continuous operation: each function alone, storage, and what the rating allows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any, Literal

import numpy as np
from oracle_case import Battery, Case
from oracle_draw import (
    DROOP,
    VOLT_VAR,
    VOLT_WATT,
    WATT_VAR,
    der,
    settings,
    signal,
)
from oracle_traces import (
    CONTINUOUS_HZ,
    CONTINUOUS_V_PU,
    COUNT,
    Rng,
    any_shape,
    limits,
    quiet_sun,
    sun,
    trace,
    voltage,
)

from tiir.values import Value, Values


def _plain(rng: Rng, name: str, labels: Sequence[str], fixed: Values, **inputs: Any) -> Case:
    """A case of PV in continuous operation."""
    unit = der(rng)
    drawn = settings(rng, unit, labels, fixed)
    return Case(name.rsplit(" ", 1)[0], name, unit, drawn, step_s(drawn), trace(COUNT, **inputs))


def step_s(drawn: Values) -> float:
    """A step of at most a twentieth of the shortest response time: OpenDER's filters are trapezoidal, ours exact."""
    fastest_s = min((float(value) for label, value in drawn.items() if label.endswith("_OLRT")), default=5.0)
    return next(step_s for step_s in (0.1, 0.05, 0.02, 0.01) if step_s <= fastest_s / 20.0 + 1e-9)


def volt_var(rng: Rng, name: str) -> Case:
    return _plain(
        rng, name, VOLT_VAR, {"QV_MODE_ENABLE": True}, v_pu=voltage(rng, COUNT), avail_pu=sun(rng, COUNT)
    )


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
    inputs = trace(count, v_pu=signal(rng, count, *CONTINUOUS_V_PU, "steps"), avail_pu=sun(rng, count))
    return Case("auto_vref", name, unit, drawn, 1.0, inputs)


def volt_watt(rng: Rng, name: str) -> Case:
    return _plain(
        rng,
        name,
        VOLT_WATT,
        {"PV_MODE_ENABLE": True},
        v_pu=voltage(rng, COUNT, 1.03),
        avail_pu=sun(rng, COUNT),
    )


def watt_var(rng: Rng, name: str) -> Case:
    return _plain(rng, name, WATT_VAR, {"QP_MODE_ENABLE": True}, avail_pu=sun(rng, COUNT))


def const_pf(rng: Rng, name: str) -> Case:
    fixed: dict[str, Value] = {
        "CONST_PF_MODE_ENABLE": True,
        "CONST_PF": float(rng.uniform(0.85, 1.0)),
        "CONST_PF_EXCITATION": rng.choice(["INJ", "ABS"]).item(),
    }
    return _plain(rng, name, (), fixed, avail_pu=sun(rng, COUNT))


def const_q(rng: Rng, name: str) -> Case:
    """The set point is changed while running."""
    case = _plain(rng, name, ("CONST_Q",), {"CONST_Q_MODE_ENABLE": True}, avail_pu=sun(rng, COUNT))
    steps = (40, 200, 230, 400)
    changes = [(step, settings(rng, case.der, ("CONST_Q",), {"CONST_Q_MODE_ENABLE": True})) for step in steps]
    return replace(case, changes=tuple(changes))


def reactive_mode(rng: Rng) -> tuple[dict[str, Value], tuple[str, ...]]:
    modes: list[tuple[dict[str, Value], tuple[str, ...]]] = [
        ({"QV_MODE_ENABLE": True}, VOLT_VAR),
        ({"QP_MODE_ENABLE": True}, WATT_VAR),
        ({"CONST_PF": float(rng.uniform(0.9, 1.0)), "CONST_PF_EXCITATION": "ABS"}, ()),
    ]
    return modes[rng.integers(len(modes))]


def capability(rng: Rng, name: str) -> Case:
    """Full sun on a small converter: active and reactive power do not fit together."""
    unit = der(rng)
    fixed, labels = (
        reactive_mode(rng) if rng.random() < 0.7 else ({"CONST_Q_MODE_ENABLE": True}, ("CONST_Q",))
    )
    va_pu = float(rng.uniform(1.0, 1.02))
    drawn = settings(rng, unit, labels, fixed, va_pu=va_pu)
    inputs = trace(COUNT, v_pu=voltage(rng, COUNT), avail_pu=signal(rng, COUNT, 0.7, 1.1, any_shape(rng)))
    priority: Literal["var", "watt"] = "var" if rng.random() < 0.5 else "watt"
    return Case("capability", name, unit, drawn, 0.1, inputs, va_pu=va_pu, priority=priority)


def droop(rng: Rng, name: str) -> Case:
    hz = signal(rng, COUNT, *CONTINUOUS_HZ, any_shape(rng))
    hz[signal(rng, COUNT, 0.0, 1.0, "steps") < 0.3] = 60.0
    hz[:10] = 60.0
    return _plain(rng, name, DROOP, {}, hz=hz, avail_pu=quiet_sun(rng, COUNT))


def limit(rng: Rng, name: str) -> Case:
    """A limit that comes and goes, or one that stays and takes its time to move."""
    if rng.random() < 0.5:
        return _plain(rng, name, (), {}, limit_pu=limits(rng, COUNT), avail_pu=sun(rng, COUNT))
    limit_pu = signal(rng, COUNT, 0.0, 1.0, "steps")
    case = _plain(rng, name, (), {}, limit_pu=limit_pu, avail_pu=sun(rng, COUNT))
    return replace(case, limit_ramp_s=float(rng.uniform(1.0, 30.0)))


def storage(rng: Rng, name: str) -> Case:
    """Charge and discharge by demand, with one reactive mode."""
    unit, count = der(rng, bidirectional=True), COUNT
    fixed, labels = reactive_mode(rng)
    drawn = settings(rng, unit, labels, fixed)
    inputs = trace(count, v_pu=voltage(rng, count), demand_pu=signal(rng, count, -1.0, 1.0, any_shape(rng)))
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
    drawn = settings(rng, unit, DROOP, {}, {"PF_OLRT": (2.0, 4.0)})
    hz, demand_pu = np.full(count, 60.0), np.full(count, rng.uniform(-1.0, 1.0))
    for begin in (60, 500):
        hz[begin : begin + 200] = signal(rng, 200, *CONTINUOUS_HZ, any_shape(rng))
    demand_pu[450:] = rng.uniform(-1.0, 1.0)
    inputs = trace(count, hz=hz, demand_pu=demand_pu)
    return Case("storage_droop", name, unit, drawn, 0.1, inputs, storage=Battery(), var_at_low_power="full")
