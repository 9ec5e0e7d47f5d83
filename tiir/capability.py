"""Active and reactive power within the apparent rating, by priority (IEEE 1547-2018 5.2 and 5.3)."""

from __future__ import annotations

from enum import StrEnum
from math import copysign, hypot, inf, sqrt
from typing import Literal

from tiir.curves import Curve
from tiir.rating import Rating

Power = tuple[float, float]
"""Active power in W, generating positive, and reactive power in var, injection positive."""

_HALVINGS = 60


class Priority(StrEnum):
    """What keeps its value where both do not fit into the apparent rating."""

    REACTIVE = "reactive"
    ACTIVE = "active"


def required_pu(category: Literal["A", "B"]) -> tuple[float, float]:
    """Reactive power injected and absorbed that a category must always offer, per unit of apparent power (Table 7)."""
    return (0.44, 0.25) if category == "A" else (0.44, 0.44)


def within(rating: Rating, power: Power, priority: Priority, category: Literal["A", "B"] = "B") -> Power:
    """`power` of volt-var or constant reactive power, inside the capability.

    With active power first, reactive power still keeps what its category requires; only beyond that does it
    give way.
    """
    p_w, q_var = power[0], _bounded(rating, power[1])
    va = _rated_va(rating, p_w)
    if hypot(p_w, q_var) <= va:
        return p_w, q_var
    if priority is Priority.ACTIVE:
        injected, absorbed = required_pu(category)
        kept_var = (injected if q_var > 0.0 else absorbed) * rating.va
        q_var = copysign(min(abs(q_var), max(kept_var, _beside(va, p_w))), q_var)
    return copysign(min(abs(p_w), _beside(va, q_var)), p_w), q_var


def within_at_pf(rating: Rating, power: Power) -> Power:
    """`power` of constant power factor: both shrink together, until reactive power meets its own bound."""
    p_w, q_var = power
    va = _rated_va(rating, p_w)
    if abs(q_var) == inf:
        p_w, q_var = 0.0, copysign(va, q_var)
    shrink = min(1.0, va / max(hypot(p_w, q_var), 1e-9))
    p_w, q_var = p_w * shrink, q_var * shrink
    bounded_var = _bounded(rating, q_var)
    if bounded_var == q_var:
        return p_w, q_var
    return copysign(min(abs(power[0]), _beside(va, bounded_var)), power[0]), bounded_var


def within_watt_var(rating: Rating, power: Power, curve: Curve) -> Power:
    """`power` of watt-var, moved along its `curve` (per unit of ratings) until both fit."""
    p_w, q_var = power[0], _bounded(rating, power[1])
    if hypot(p_w, q_var) <= _rated_va(rating, p_w):
        return p_w, q_var
    meets_w = _meets_circle_w(rating, curve, copysign(1.0, p_w))
    most_var = abs(curve(rating.pu_of_w(meets_w)) * rating.va)
    return copysign(min(abs(p_w), abs(meets_w)), p_w), copysign(min(abs(q_var), most_var), q_var)


def _meets_circle_w(rating: Rating, curve: Curve, side: float) -> float:
    """Active power in W where a watt-var curve leaves the apparent rating, going out from 0 towards `side`."""
    corners = sorted({abs(x) for x, _ in curve.points if x * side > 0.0 and abs(x) < 1.0} | {1.0})
    inside = 0.0
    for corner in corners:
        if _fits(rating, curve, corner * side):
            inside = corner
        else:
            # Apparent power is convex along one straight piece: it crosses the rating once.
            return rating.w_of_pu(_bisected(rating, curve, (inside, corner), side) * side)
    return rating.w_of_pu(side)


def _bisected(rating: Rating, curve: Curve, bracket: tuple[float, float], side: float) -> float:
    inside, outside = bracket
    for _ in range(_HALVINGS):
        middle = (inside + outside) / 2.0
        inside, outside = (middle, outside) if _fits(rating, curve, middle * side) else (inside, middle)
    return inside


def _fits(rating: Rating, curve: Curve, p_pu: float) -> bool:
    p_w, q_var = rating.w_of_pu(p_pu), _bounded(rating, curve(p_pu) * rating.va)
    return hypot(p_w, q_var) <= _rated_va(rating, p_w)


def _bounded(rating: Rating, q_var: float) -> float:
    return min(max(q_var, -rating.q_abs_var), rating.q_inj_var)


def _rated_va(rating: Rating, p_w: float) -> float:
    return rating.va if p_w >= 0.0 else rating.charge_va


def _beside(va: float, component: float) -> float:
    """What is left of `va` beside one component at a right angle."""
    return sqrt(max(va * va - component * component, 0.0))
