"""Figures as a person reads them: the unit by the suffix of their key, four digits and decimals at most, thousands of W as kW."""

from __future__ import annotations

import math

import numpy as np

_UNITS = {"w": "W", "wh": "Wh", "va": "VA", "s": "s", "pu": "pu"}
_IN_THOUSANDS = frozenset({"W", "Wh", "VA"})


def amount(key: str, value: float) -> str:
    """`value` of the figure `key` with its unit; without one where the key names none."""
    if math.isinf(value):
        return "never"
    unit = _UNITS.get(key.rsplit("_", 1)[-1], "") if "_" in key else ""
    if unit in _IN_THOUSANDS and abs(value) >= 1000.0:
        value, unit = value / 1000.0, f"k{unit}"
    if value == round(value):
        return f"{value + 0.0:.0f} {unit}".strip()
    value = round(value, 4) + 0.0  # no minus before a zero
    digits = np.format_float_positional(value, precision=4, unique=False, fractional=False, trim="-")
    return f"{digits} {unit}".strip()
