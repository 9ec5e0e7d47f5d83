"""Ride-through: what an abnormal voltage or frequency asks of each category, and for how long (6.4.2, 6.5.2).

The durations are read from EPRI's OpenDER 2.2.0; cease to energize above 1.20 pu in Category III is recalled.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from math import inf
from typing import Literal

from tiir.known import amount, enabled
from tiir.trip import Grid
from tiir.values import Values

Category = Literal["I", "II", "III"]


class Mode(StrEnum):
    """What is asked, from the mildest to the most severe."""

    CONTINUOUS = "continuous operation"
    MANDATORY = "mandatory operation"
    PERMISSIVE = "permissive operation"
    MOMENTARY_CESSATION = "momentary cessation"
    CEASE = "cease to energize"
    NONE = "no ride-through asked"


CESSATION_WITHIN_S = 0.083
"""Momentary cessation stops the current within this time (Table 16)."""

RESTORED_WITHIN_S = 0.4
"""Output is back within this time once voltage has returned (Table 16)."""


@dataclass(frozen=True, slots=True)
class Region:
    """What is asked somewhere, and the least time in s for which it is; None is without end."""

    mode: Mode
    seconds: float | None


@dataclass(frozen=True, slots=True)
class _Band:
    """One row of a table: up to `edge` on the way out from nominal, the edge included.

    The time to ride through grows by `per_pu_s` for each unit that the value is above the edge.
    """

    edge: float
    mode: Mode
    seconds: float | None = None
    per_pu_s: float = 0.0

    def at(self, value: float) -> Region:
        slope_s = self.per_pu_s * (value - self.edge) if self.per_pu_s else 0.0
        return Region(self.mode, None if self.seconds is None else self.seconds + slope_s)


_PERMISSIVE_HIGH = (
    _Band(1.10, Mode.CONTINUOUS),
    _Band(1.15, Mode.PERMISSIVE, 1.0),
    _Band(1.175, Mode.PERMISSIVE, 0.5),
    _Band(1.20, Mode.PERMISSIVE, 0.2),
    _Band(inf, Mode.CEASE, 0.0),
)

_HIGH: Mapping[Category, tuple[_Band, ...]] = {
    "I": _PERMISSIVE_HIGH,
    "II": _PERMISSIVE_HIGH,
    "III": (
        _Band(1.10, Mode.CONTINUOUS),
        _Band(1.20, Mode.MOMENTARY_CESSATION, 12.0),
        _Band(inf, Mode.CEASE, 0.0),
    ),
}

_LOW: Mapping[Category, tuple[_Band, ...]] = {
    "I": (
        _Band(0.88, Mode.CONTINUOUS),
        _Band(0.70, Mode.MANDATORY, 0.7, per_pu_s=4.0),
        _Band(0.50, Mode.PERMISSIVE, 0.16),
        _Band(-inf, Mode.CEASE, 0.0),
    ),
    "II": (
        _Band(0.88, Mode.CONTINUOUS),
        _Band(0.65, Mode.MANDATORY, 3.0, per_pu_s=8.7),
        _Band(0.45, Mode.PERMISSIVE, 0.32),
        _Band(0.30, Mode.PERMISSIVE, 0.16),
        _Band(-inf, Mode.CEASE, 0.0),
    ),
    "III": (
        _Band(0.88, Mode.CONTINUOUS),
        _Band(0.70, Mode.MANDATORY, 20.0),
        _Band(0.50, Mode.MANDATORY, 10.0),
        _Band(-inf, Mode.MOMENTARY_CESSATION, 1.0),
    ),
}

_F_HIGH = (
    _Band(61.2, Mode.CONTINUOUS),
    _Band(61.8, Mode.MANDATORY, 299.0),
    _Band(inf, Mode.NONE, 0.0),
)
_F_LOW = (
    _Band(58.8, Mode.CONTINUOUS),
    _Band(57.0, Mode.MANDATORY, 299.0),
    _Band(-inf, Mode.NONE, 0.0),
)

_SEVERITY = tuple(Mode)
_HIGHEST_PU = 1.20
"""Above it no category rides through."""


def voltage_region(category: Category, grid: Grid) -> Region:
    """What the least and the greatest voltage ask of `category`: the more severe, then the shorter (Tables 14-16)."""
    low, high = _under(_LOW[category], grid.low_pu), _over(_HIGH[category], grid.high_pu)
    return max(low, high, key=lambda region: (_SEVERITY.index(region.mode), -_seconds(region)))


def frequency_region(f_hz: float) -> Region:
    """What a frequency asks of every category (Table 19)."""
    low, high = _under(_F_LOW, f_hz), _over(_F_HIGH, f_hz)
    return low if high.mode is Mode.CONTINUOUS else high


def mode_in_force(settings: Values, category: Category, grid: Grid) -> Mode:
    """What a DER with these settings does now, as long as no trip operates.

    Momentary cessation is where its own thresholds say, when it is on: they may be drawn wider than the table's.
    Where the table has it and the setting does not, the DER goes on. Voltage comes before frequency: a voltage
    that asks for cessation asks for it at any frequency.
    """
    voltage, frequency = voltage_region(category, grid).mode, frequency_region(grid.f_hz).mode
    if _ceases_momentarily(settings, grid) and voltage is not Mode.CONTINUOUS and grid.high_pu <= _HIGHEST_PU:
        return Mode.MOMENTARY_CESSATION
    if voltage in {Mode.PERMISSIVE, Mode.CEASE}:
        return voltage
    if frequency is Mode.NONE:
        return frequency
    return Mode.CONTINUOUS if voltage is frequency is Mode.CONTINUOUS else Mode.MANDATORY


def _ceases_momentarily(settings: Values, grid: Grid) -> bool:
    if not enabled(settings, "MC_ENABLE"):
        return False
    below = grid.low_pu <= amount(settings, "MC_LVRT_V1")
    return below or grid.high_pu >= amount(settings, "MC_HVRT_V1")


def _under(bands: tuple[_Band, ...], value: float) -> Region:
    return next(band for band in bands if value >= band.edge).at(value)


def _over(bands: tuple[_Band, ...], value: float) -> Region:
    return next(band for band in bands if value <= band.edge).at(value)


def _seconds(region: Region) -> float:
    return inf if region.seconds is None else region.seconds
