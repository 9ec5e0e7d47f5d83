"""The questions put to both models: families of cases, each made from its seed alone.

A family shows one function, or several at once; `FAMILIES` maps its name to the function that makes its n-th case.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable, Mapping

import numpy as np
from oracle_abnormal import (
    enter_service,
    frequency_trip_fast,
    frequency_trip_slow,
    ride_through,
    several,
    voltage_trip_fast,
    voltage_trip_slow,
)
from oracle_case import Case
from oracle_functions import (
    auto_vref,
    capability,
    const_pf,
    const_q,
    droop,
    limit,
    storage,
    storage_droop,
    storage_full,
    volt_var,
    volt_watt,
    watt_var,
)
from oracle_traces import Rng

FAMILIES: Mapping[str, Callable[[Rng, str], Case]] = {
    family.__name__: family
    for family in (
        *(volt_var, auto_vref, volt_watt, watt_var, const_pf, const_q, capability),
        *(droop, limit, enter_service),
        *(voltage_trip_fast, voltage_trip_slow, frequency_trip_fast, frequency_trip_slow, ride_through),
        *(several, storage, storage_full, storage_droop),
    )
}


def make(family: str, number: int) -> Case:
    """The `number`-th case of `family`: the same every time."""
    return FAMILIES[family](
        np.random.default_rng([zlib.crc32(family.encode()), number]), f"{family} {number}"
    )
