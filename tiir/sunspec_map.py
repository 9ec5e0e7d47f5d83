"""Where settings lie in SunSpec models: shapes, paths, and what a device cannot hold.

A decoded model is what `dergate read --json` prints: real units, absent points None, a single group as a list
of one.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from typing import Any

from tiir import catalogue
from tiir.setting import Point, Setting, Unit

Model = Mapping[str, Any]
"""A decoded model: id, address, length, points {name: value}, groups {name: [{points, groups}]}."""

Scalar = int | float | str | None

WRITTEN_PLAINLY = frozenset({702, 703})
"""Models whose points are written as they are, ratings apart; 704 is not among them, for it belongs to the limiter."""

ADOPTED = frozenset({705, 706})
"""Models whose curve is written into a free set and adopted."""

COARSEST: Mapping[Unit, float] = {
    "pu of V_N": 0.005,
    "pu of P_rated": 0.005,
    "pu of S_rated": 0.005,
    "pu f per pu P": 0.0005,
    "pf": 0.005,
    "Hz": 0.005,
    "s": 0.05,
}
"""What a device's resolution may cost at most, whatever its scale factor."""


class AbsentError(LookupError):
    """A point that the device does not implement, or a group that it does not have."""


def by_id(models: Iterable[Model]) -> dict[int, Model]:
    """Models by their number; of several instances the first one."""
    first: dict[int, Model] = {}
    for model in models:
        first.setdefault(int(model["id"]), model)
    return first


def group(model: Model, path: str) -> Model:
    """The group around the point at `path`.

    Raises:
        AbsentError: When the device has no such group.
    """
    here = model
    for part in path.split(".")[:-1]:
        name, _, index = part.partition("[")
        members: Sequence[Model] = here.get("groups", {}).get(name, ())
        # The set in force is always the first one stored; `Pt[2]` is the third point.
        position = int(index.rstrip("]") or 0) if index else 0
        if position >= len(members):
            raise AbsentError(f"its model {model['id']} has no {part}")
        here = members[position]
    return here


def value_at(model: Model, path: str) -> int | float | str:
    """The value of the point at `path`.

    Raises:
        AbsentError: When the device does not implement it.
    """
    name = path.rpartition(".")[2]
    value: Scalar = group(model, path).get("points", {}).get(name)
    if value is None:
        raise AbsentError(f"its model {model['id']} does not implement {name}")
    return value


def model_of(setting: Setting, models: Mapping[int, Model]) -> tuple[Point, Model]:
    """The point that holds `setting`, and the model of this device that it lies in.

    Raises:
        AbsentError: When the device has no such model, saying what it has instead.
    """
    point = setting.point
    if point is None:
        raise AbsentError("no SunSpec model holds it")
    if point.model not in models:
        raise AbsentError(_without(point.model, setting, models))
    return point, models[point.model]


def _without(model: int, setting: Setting, models: Mapping[int, Model]) -> str:
    older = [number for number in setting.legacy if number in models]
    if older:
        return f"it has no model {model}, and its older model {older[0]} is not used for this setting"
    if setting.legacy:
        return f"it has no model {model}, nor the older {' or '.join(map(str, setting.legacy))}"
    return f"it has no model {model}"


def step_of(point: Point, model: Model) -> float | None:
    """The smallest change the register can hold, in the model's unit; None when its scale factor is absent."""
    if point.sf is None:
        return 1.0
    factor = model.get("points", {}).get(point.sf)
    return None if factor is None else 10.0 ** int(factor)


def tolerances(models: Iterable[Model], labels: Iterable[str]) -> dict[str, float]:
    """How far a device's registers may round each setting: half a step, and never more than `COARSEST`."""
    known, held = catalogue.settings(), by_id(models)
    allowed: dict[str, float] = {}
    for label in labels:
        setting = known[label]
        if setting.point and setting.point.sf and setting.point.model in held:
            step = step_of(setting.point, held[setting.point.model]) or 0.0
            allowed[label] = min(step / setting.point.times / 2, COARSEST.get(setting.unit, 0.0))
    return allowed


def curve_of(point: Point) -> tuple[str, int] | None:
    """For a point of a curve, the path of that curve's group and its place in it, counted from 0."""
    curve, found, rest = point.path.partition(".Pt[")
    return (curve, int(rest.partition("]")[0])) if found else None


@cache
def curve_length(model: int, curve: str) -> int:
    """How many points the settings describe for the curve at path `curve` of `model`."""
    points = (s.point for s in catalogue.settings().values() if s.point and s.point.model == model)
    places = (place for point in points if (place := curve_of(point)))
    return len({index for path, index in places if path == curve})
