"""Model 703: whether and when an inverter may be on the grid."""

from __future__ import annotations

from functools import partial
from math import ceil

from sim.devices.common import flag
from sim.devices.inverter import Inverter
from sim.devices.sets import Place, places
from sim.devices.sunspec import Apply, Changes, Live, Model, RefusedWriteError


def enter_service(inverter: Inverter) -> Model:
    """703: permit, window, delay, random delay and ramp; the device takes more than the standard allows."""
    nominal_hz, where = inverter.nominal_hz, {place.path: place for place in places(703)}
    taken = {
        "ESVHi": (100.0, 120.0),
        "ESVLo": (50.0, 100.0),
        "ESHzHi": (nominal_hz, 1.1 * nominal_hz),
        "ESHzLo": (0.9 * nominal_hz, nominal_hz),
        **dict.fromkeys(("ESDlyTms", "ESRndTms", "ESRmpTms"), (0.0, 1000.0)),
    }

    def write(changes: Changes) -> Apply:
        flag(changes, "ES")
        if any(not low <= changes.get(path, low) <= high for path, (low, high) in taken.items()):
            raise RefusedWriteError
        return inverter.judged(
            {where[path].label: where[path].to_setting(amount, 1.0) for path, amount in changes.items()}
        )

    def shown(place: Place) -> float:
        return place.to_model(inverter.setting(place.label), 1.0)

    def remaining_s() -> float:
        return ceil(inverter.plant.fleet.service_remaining_s(inverter.unit) - 1e-6)

    live: dict[str, Live] = {path: partial(shown, place) for path, place in where.items()}
    return Model(703, {"V_SF": -2, "Hz_SF": -3}, {**live, "ESDlyRemTms": remaining_s}, write)
