"""Which limit of active power wins (IEEE 1547-2018 4.7, and as EPRI's report 3002030962 section 3.7 reads it)."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from tiir.curves import volt_watt
from tiir.known import amount, enabled
from tiir.values import Values


class Narrowed(StrEnum):
    """What decides active power."""

    AVAILABLE = "available power"
    RATING = "rating"
    ENTER_SERVICE = "enter service"
    LIMIT = "limit active power"
    VOLT_WATT = "volt-watt"
    DROOP = "frequency droop"


@dataclass(frozen=True, slots=True)
class ActivePower:
    """Active power in per unit of rating, and what narrowed it to that."""

    p_pu: float
    by: Narrowed


def limit_pu(settings: Values) -> float | None:
    """The active power limit (4.6.2) in per unit of rating; None when it is off."""
    return amount(settings, "AP_LIMIT") if enabled(settings, "AP_LIMIT_ENABLE") else None


def volt_watt_pu(settings: Values, v_pu: float) -> float | None:
    """What volt-watt (5.4.2) lets through at `v_pu` in the end, in per unit of rating; None when it is off."""
    return volt_watt(settings)(v_pu) if enabled(settings, "PV_MODE_ENABLE") else None


def desired_active(
    available_pu: float,
    *,
    ramp_pu: float | None = None,
    limited_pu: float | None = None,
    volt_watt_pu: float | None = None,
    droop_pu: float | None = None,
) -> ActivePower:
    """The tightest of what is in force; None is not in force.

    Droop answers to the power before the disturbance, which ramp and limit had already narrowed: while it acts
    it stands in their place, so that under-frequency may raise power above them. Volt-watt narrows always.
    """
    bounds = {Narrowed.AVAILABLE: available_pu, Narrowed.RATING: 1.0, Narrowed.VOLT_WATT: volt_watt_pu}
    if droop_pu is None:
        bounds |= {Narrowed.ENTER_SERVICE: ramp_pu, Narrowed.LIMIT: limited_pu}
    else:
        bounds[Narrowed.DROOP] = droop_pu
    in_force = {by: bound for by, bound in bounds.items() if bound is not None}
    by = min(in_force, key=in_force.__getitem__)
    return ActivePower(in_force[by], by)
