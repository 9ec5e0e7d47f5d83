"""Settings that a SunSpec model holds in stored sets, of which one is in force: where each of them lies.

What a point means is said once, in `tiir/settings.toml`: the standard's label, the path inside the set, how many
of the model's units make one of the setting's, and what a percentage is of. The older models hold the same
settings under other paths.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from math import log

from sim.devices.inverter import Inverter
from sim.devices.sunspec import RefusedWriteError
from tiir import catalogue
from tiir.setting import Point
from tiir.values import Value

PT1_OVER_OPEN_LOOP = log(20.0) / log(10.0)
"""A first-order lag takes so much longer to 95 % (PT1 of the older models) than to 90 % (open-loop response)."""

Base = Callable[[Inverter], float]
"""What a percentage is of, per unit of what the setting is of."""


def wmax_base(inverter: Inverter) -> float:
    """The WMax setting, per unit of rated active power."""
    return inverter.wmax_w() / inverter.nameplate_w


def reactive_bases(wmax: int, var_max: int, va_max: int | None = None) -> dict[int, Base]:
    """What a percentage of reactive power is of, per unit of rated apparent power, by the model's code for it."""
    bases: dict[int, Base] = {
        wmax: lambda inverter: inverter.wmax_w() / inverter.nameplate_va,
        var_max: lambda inverter: inverter.var_injected_max / inverter.nameplate_va,
    }
    return bases if va_max is None else {**bases, va_max: lambda _: 1.0}


@dataclass(frozen=True, slots=True)
class Place:
    """A setting inside a set: `times` of the model's units for one of its own, of a base that the set chooses."""

    label: str
    path: str
    times: float
    of_base: bool = False

    def to_model(self, value: Value, base: float) -> float:
        """`value` of the setting in the model's unit."""
        setting = catalogue.settings()[self.label]
        if isinstance(value, str):
            return float(setting.words[value])
        return float(value) * self.times / (base if self.of_base else 1.0)

    def to_setting(self, amount: float, base: float) -> Value:
        """`amount` in the model's unit as the setting's value.

        Raises:
            RefusedWriteError: For a code that stands for nothing.
        """
        setting = catalogue.settings()[self.label]
        if setting.unit == "switch":
            return bool(amount)
        if setting.unit == "word":
            word = next((word for word, code in setting.words.items() if code == amount), None)
            if word is None:
                raise RefusedWriteError
            return word
        # Rounding removes the binary dust of scale factors, far below any register's resolution.
        return round(amount / self.times * (base if self.of_base else 1.0), 9)


def places(model_id: int) -> tuple[Place, ...]:
    """Where the settings of one of the models 703 to 712 lie: inside their set, or in the model itself."""
    found = [(label, each.point) for label, each in catalogue.settings().items() if each.point]
    return tuple(
        Place(label, _counted_from_1(point.path), point.times, point.base is not None)
        for label, point in found
        if point.model == model_id
    )


def in_set(model_id: int) -> tuple[Place, ...]:
    """Those of a model's places that lie in a set."""
    return tuple(place for place in places(model_id) if _point(place).in_set)


def enable_of(model_id: int) -> str | None:
    """The label of a model's Ena; None where the standard has no such switch."""
    return next((place.label for place in places(model_id) if place.path == "Ena"), None)


def older(newer: int, names: Mapping[str, str], response: str | None = None) -> tuple[Place, ...]:
    """The places of an older model out of those of a newer one.

    Point 2 of the newer model's (must-trip) curve has its V under `names["V"]` with a 2 behind it; the open-loop
    response time is found as the time constant called `response`.
    """
    renamed: list[Place] = []
    for place in in_set(newer):
        found = re.fullmatch(r"(?:MustTrip\.)?Pt\.(\d)\.(\w+)", place.path)
        if found and found[2] in names:
            renamed.append(Place(place.label, f"{names[found[2]]}{found[1]}", place.times, place.of_base))
        elif place.path == "RspTms" and response:
            renamed.append(Place(place.label, response, PT1_OVER_OPEN_LOOP))
    return tuple(renamed)


def _point(place: Place) -> Point:
    point = catalogue.settings()[place.label].point
    if point is None:
        raise LookupError(place.label)
    return point


def _counted_from_1(path: str) -> str:
    """`Crv[].Pt[0].V` as `Pt.1.V`."""
    inside = re.sub(r"^(Crv|Ctl)\[\]\.", "", path)
    return re.sub(r"\[(\d+)\]", lambda found: f".{int(found[1]) + 1}", inside)
