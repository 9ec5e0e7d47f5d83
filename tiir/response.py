"""Open-loop response: a first-order lag, known by the time in which it covers most of a step."""

from __future__ import annotations

from math import expm1, log

TIME_CONSTANTS_TO_90 = log(10.0)
"""Time constants in which a first-order lag covers 90 % of a step (IEEE 1547-2018 Tables 8 and 10)."""

RESPONSE_BOUNDS_S = {"const_pf": 10.0, "const_q": 10.0, "watt_var": 10.0}
"""The longest response that the standard allows a function without a setting for it (5.3.2, 5.3.4, 5.3.5)."""


def time_constant_s(t90_s: float) -> float:
    """Time constant in s of the lag that covers 90 % of a step in `t90_s`."""
    return t90_s / TIME_CONSTANTS_TO_90


def lag(value: float, target: float, dt_s: float, tau_s: float) -> float:
    """`value` after `dt_s` on its way to a constant `target` with time constant `tau_s`.

    Exact for any step: two steps of half the length come to the same. A time constant of 0 is no lag.
    """
    return target if tau_s <= 0.0 else value - (target - value) * expm1(-dt_s / tau_s)


def respond(value: float, target: float, dt_s: float, t90_s: float) -> float:
    """`lag` for an open-loop response time, the time to 90 % of a step, in s."""
    return lag(value, target, dt_s, time_constant_s(t90_s))
