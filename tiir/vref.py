"""Volt-var about a reference voltage that adjusts itself to the mean of what is measured (5.3.3)."""

from __future__ import annotations

from tiir.curves import Curve, volt_var
from tiir.known import amount, enabled
from tiir.response import lag
from tiir.values import Values

LOWEST_PU, HIGHEST_PU = 0.95, 1.05
"""The reference follows the voltage no further than this."""


def mean_v_pu(settings: Values, mean: float, v_pu: float, dt_s: float) -> float:
    """The running mean of voltage after `dt_s` at `v_pu`: a lag with the time constant QV_VREF_TIME."""
    return lag(mean, v_pu, dt_s, amount(settings, "QV_VREF_TIME"))


def vref_pu(settings: Values, mean: float) -> float:
    """The reference in force: as set, or the running `mean` of voltage within its bounds where it adjusts itself."""
    if not enabled(settings, "QV_VREF_AUTO_MODE"):
        return amount(settings, "QV_VREF")
    return min(max(mean, LOWEST_PU), HIGHEST_PU)


def volt_var_about(settings: Values, reference_pu: float) -> Curve:
    """The volt-var curve, moved as a whole with its reference voltage."""
    return volt_var(settings).shifted(reference_pu - amount(settings, "QV_VREF"))
