"""Our fleet, put to the same questions: cases of one step and length run side by side as units of one fleet."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from oracle_case import RATED_W, Answer, Battery, Case, Floats
from oracle_draw import nameplate

from sim.der import Fleet
from sim.files.unit import RideThrough, Storage, Unit
from sim.limit import LimitWrite
from sim.setpoint import SetpointWrite
from tiir.complete import complete
from tiir.values import Values


def in_force(case: Case) -> Values:
    """Every setting of `case`, the standard's defaults with what it gives over them."""
    return complete({**case.settings, **nameplate(case.der, case.va_pu)}, case.der)


def answers(cases: Sequence[Case]) -> list[Answer]:
    """Run `cases`, all of one step and one length, through one fleet."""
    count, length, dt_s = len(cases), len(cases[0].trace), cases[0].dt_s
    assert all((len(case.trace), case.dt_s) == (length, dt_s) for case in cases)
    fleet = Fleet([unit_file(case) for case in cases], dt_s)
    p_pu, q_pu, soc_pu = (np.zeros((length, count)) for _ in range(3))
    status = np.zeros((length, count), dtype=np.int8)
    energised = np.ones(count, dtype=bool)
    v_pu, hz, avail_pu, limit_pu, demand_pu, permit = (
        np.column_stack([getattr(case.trace, name) for case in cases])
        for name in ("v_pu", "hz", "avail_pu", "limit_pu", "demand_pu", "permit")
    )
    for index in range(length):
        _write(fleet, cases, limit_pu, demand_pu, index)
        fleet.permit[:] = permit[index]
        fleet.sun_pu = avail_pu[index]
        if index == 0:
            # OpenDER takes its first inputs for those of a long time.
            fleet.settle(energised, v_pu[0])
        fleet.step(energised, v_pu[index], hz[index])
        p_pu[index], q_pu[index] = fleet.p_pu, fleet.q_pu
        status[index], soc_pu[index] = fleet.status, fleet.soc_pu
    unsaid = np.zeros(length, dtype=bool)
    return [Answer(p_pu[:, n], q_pu[:, n], status[:, n], soc_pu[:, n], unsaid, unsaid) for n in range(count)]


def unit_file(case: Case) -> Unit:
    """The unit of `case` as a sim file states it, with nothing between command and output but the limit's ramp."""
    battery = case.storage
    return Unit(
        nameplate_w=RATED_W,
        va_rating_pu=case.va_pu,
        kind="pv" if battery is None else "storage",
        storage=None if battery is None else _stored(battery),
        normal_category=case.der.normal,
        abnormal_category=case.der.abnormal,
        settings=case.settings,
        dead_time_s=0.0,
        slope_pct_s=100.0 / case.limit_ramp_s if case.limit_ramp_s else 1e6,
        moves="limit",
        priority=case.priority,
        ride_through=RideThrough(current_pu=case.current_pu),
        var_at_low_power=case.var_at_low_power,
    )


def _stored(battery: Battery) -> Storage:
    return Storage(
        capacity_wh=battery.capacity_wh,
        soc_pu=battery.soc_pu,
        charge_w=battery.charge_pu * RATED_W,
        efficiency=battery.efficiency_pu,
    )


def _write(fleet: Fleet, cases: Sequence[Case], limit_pu: Floats, demand_pu: Floats, index: int) -> None:
    """Write what has changed since the step before, as a client of the device does."""
    for unit, case in enumerate(cases):
        for at, values in case.changes:
            if at == index:
                fleet.configure(unit, values)
        limit, before = limit_pu[index, unit], limit_pu[index - 1, unit]
        if index == 0 or not np.array_equal(limit, before, equal_nan=True):
            enabled = not np.isnan(limit)
            fleet.limit.write(unit, LimitWrite(enabled=enabled, cap_pu=float(limit) if enabled else None))
        if case.storage and (index == 0 or demand_pu[index, unit] != demand_pu[index - 1, unit]):
            fleet.setpoint.write(unit, SetpointWrite(enabled=True, set_pu=float(demand_pu[index, unit])))
