"""Units and fleets for the tests of the DER model."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt

from sim.der import Fleet
from sim.files.unit import Unit

Floats = npt.NDArray[np.float64]

DT_S = 0.01
AT_ONCE = {"dead_time_s": 0.0, "slope_pct_s": 1e6}
"""A way of a command that changes nothing."""


def unit(settings: Mapping[str, object] | None = None, **fields: object) -> Unit:
    """A 10 kW unit whose commands act at once, with `settings` over the standard's defaults."""
    stated: dict[str, object] = {"nameplate_w": 10_000.0, **AT_ONCE, "settings": settings or {}, **fields}
    return Unit.model_validate(stated)


def storage(settings: Mapping[str, object] | None = None, **fields: object) -> Unit:
    """A 10 kW, 10 kWh storage unit without losses."""
    battery = {"capacity_wh": 10_000.0, "efficiency": 1.0, **fields}
    return unit(settings, kind="storage", storage=battery)


def started(*units: Unit, dt_s: float = DT_S, seed: int = 0, v_pu: float | None = None) -> Fleet:
    """A fleet in service, settled (at `v_pu` where given)."""
    fleet = Fleet(units, dt_s, seed)
    fleet.settle(np.ones(len(units), dtype=bool), v_pu)
    return fleet


def run(fleet: Fleet, seconds: float, v_pu: float = 1.0, hz: float = 60.0, *, on: bool = True) -> Floats:
    """P, Q (in pu) and status after each step; shape (steps, 3, units)."""
    energised = np.full(len(fleet.p_pu), on)
    rows = []
    for _ in range(round(seconds / fleet.dt_s)):
        fleet.step(energised, v_pu, hz)
        rows.append((fleet.p_pu.copy(), fleet.q_pu.copy(), fleet.status.astype(float)))
    return np.array(rows)
