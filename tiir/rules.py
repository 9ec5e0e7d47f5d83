"""Rules between settings that no single setting's range can say."""

from __future__ import annotations

from collections.abc import Mapping

from tiir.order import check_orders
from tiir.setting import Der, Setting
from tiir.values import Values, number

REACTIVE_MODES = ("CONST_PF_MODE_ENABLE", "QV_MODE_ENABLE", "QP_MODE_ENABLE", "CONST_Q_MODE_ENABLE")
"""Voltage regulation by reactive power: at most one is enabled at a time (IEEE 1547-2018 5.3.1)."""

RANDOM_DELAY_BELOW_VA = 500e3
"""Only a DER below this nameplate may enter service by random delay instead of ramp (4.10.3 c)."""

ADOPTED_WHOLE = ("volt_var", "watt_var", "volt_watt")
"""Functions whose curve is required whole or not at all."""


def check_rules(settings: Mapping[str, Setting], values: Values, der: Der) -> list[str]:
    """Every rule between settings that `values` break on `der`, one sentence each."""
    return [
        *_one_reactive_mode(values),
        *_random_or_ramp(values, der),
        *_whole_curves(settings, values),
        *check_orders(values),
    ]


def _one_reactive_mode(values: Values) -> list[str]:
    enabled = [mode for mode in REACTIVE_MODES if values.get(mode) is True]
    if len(enabled) < 2:
        return []
    modes = " and ".join(enabled)
    return [f"{modes} exclude each other: one reactive power mode at a time (IEEE 1547-2018 5.3.1)"]


def _random_or_ramp(values: Values, der: Der) -> list[str]:
    if not number(values.get("ES_RANDOMIZED_DELAY")):
        return []
    broken = []
    if number(values.get("ES_RAMP_RATE")):
        broken.append(
            "ES_RANDOMIZED_DELAY and ES_RAMP_RATE exclude each other: random delay or ramp, never both "
            "(IEEE 1547-2018 4.10.3)"
        )
    if der.rated_va is None or der.rated_va >= RANDOM_DELAY_BELOW_VA:
        rating = "is not known" if der.rated_va is None else f"is {der.rated_va / 1e3:g} kVA"
        broken.append(
            f"ES_RANDOMIZED_DELAY is for a DER below 500 kVA, and this one's nameplate {rating} "
            "(IEEE 1547-2018 4.10.3)"
        )
    return broken


def _whole_curves(settings: Mapping[str, Setting], values: Values) -> list[str]:
    broken = []
    for function in ADOPTED_WHOLE:
        points = [s for s in settings.values() if s.function == function and "_CURVE_" in s.label]
        missing = [point.label for point in points if point.label not in values]
        if missing and len(missing) < len(points):
            clause = f"IEEE 1547-2018 {points[0].clause}"
            broken.append(f"the {function} curve is incomplete: {', '.join(missing)} missing ({clause})")
    return broken
