"""Voltage regulation by reactive power: what the enabled mode asks for (IEEE 1547-2018 5.3)."""

from __future__ import annotations

from math import copysign, inf, sqrt

from tiir.curves import volt_var, watt_var
from tiir.known import amount, enabled
from tiir.rating import Rating
from tiir.response import RESPONSE_BOUNDS_S
from tiir.rules import REACTIVE_MODES
from tiir.setting import TiirError
from tiir.values import Values
from tiir.vref import volt_var_about


def reactive_mode(settings: Values) -> str | None:
    """Label of the mode that is enabled, as QV_MODE_ENABLE; None when there is none.

    Raises:
        TiirError: More than one is, which 5.3.1 excludes.
    """
    modes = [mode for mode in REACTIVE_MODES if enabled(settings, mode)]
    if len(modes) > 1:
        raise TiirError(f"{' and '.join(modes)} exclude each other (IEEE 1547-2018 5.3.1)")
    return modes[0] if modes else None


def constant_pf_var(settings: Values, p_w: float) -> float:
    """Reactive power in var, injection positive, that keeps the power factor at active power `p_w` (5.3.2).

    Excitation INJ injects when generating and absorbs when charging; ABS the other way round. A power factor
    of 0 asks for endless reactive power, which the capability then bounds.
    """
    pf = amount(settings, "CONST_PF")
    if p_w == 0.0 or pf == 1.0:
        return 0.0
    sign = 1.0 if settings.get("CONST_PF_EXCITATION") == "INJ" else -1.0
    return sign * (copysign(inf, p_w) if pf == 0.0 else p_w * sqrt(1.0 - pf * pf) / pf)


def desired_var(
    settings: Values, rating: Rating, v_pu: float, p_w: float, reference_pu: float | None = None
) -> float:
    """Reactive power in var, injection positive, that the enabled mode asks for in the end; 0 without a mode.

    Args:
        settings: What is in force.
        rating: Nameplate; curves and set-points are per unit of its apparent power.
        v_pu: Applicable voltage, per unit of nominal.
        p_w: Active power in W, generating positive.
        reference_pu: Reference voltage of volt-var where it adjusts itself; default: as set.

    Raises:
        TiirError: A setting is missing, or modes that exclude each other are enabled.
    """
    match reactive_mode(settings):
        case "QV_MODE_ENABLE":
            curve = volt_var(settings) if reference_pu is None else volt_var_about(settings, reference_pu)
            return curve(v_pu) * rating.va
        case "QP_MODE_ENABLE":
            return watt_var(settings)(rating.pu_of_w(p_w)) * rating.va
        case "CONST_PF_MODE_ENABLE":
            return constant_pf_var(settings, p_w)
        case "CONST_Q_MODE_ENABLE":
            return amount(settings, "CONST_Q") * rating.va
    return 0.0


def response_s(settings: Values) -> float:
    """Time in s in which the enabled mode covers 90 % of a step: its setting, or the most that it is allowed."""
    match reactive_mode(settings):
        case "QV_MODE_ENABLE":
            return amount(settings, "QV_OLRT")
        case "QP_MODE_ENABLE":
            return RESPONSE_BOUNDS_S["watt_var"]
        case "CONST_Q_MODE_ENABLE":
            return RESPONSE_BOUNDS_S["const_q"]
    return RESPONSE_BOUNDS_S["const_pf"]
