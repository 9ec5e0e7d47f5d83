"""Which limit of active power wins (IEEE 1547-2018 4.7)."""

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
    rise_pu: float = 0.0,
) -> ActivePower:
    """The tightest of what is in force; None is not in force.

    Under-frequency droop has precedence over the limit and the ramp: its `rise_pu` (`tiir.droop`) lifts both, so
    that a limit which held power before the disturbance holds it that much higher, and one lowered meanwhile
    still acts. Volt-watt, rating and what is available are lifted by nothing.
    """
    bounds = {
        Narrowed.AVAILABLE: available_pu,
        Narrowed.RATING: 1.0,
        Narrowed.VOLT_WATT: volt_watt_pu,
        Narrowed.ENTER_SERVICE: None if ramp_pu is None else ramp_pu + rise_pu,
        Narrowed.LIMIT: None if limited_pu is None else limited_pu + rise_pu,
        Narrowed.DROOP: droop_pu,
    }
    in_force = {by: bound for by, bound in bounds.items() if bound is not None}
    by = min(in_force, key=in_force.__getitem__)
    return ActivePower(in_force[by], by)
