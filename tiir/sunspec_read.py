"""From decoded SunSpec models to settings: what a device holds, or why that cannot be said."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from tiir import catalogue
from tiir.compare import Found, Verdict
from tiir.setting import Point, Setting
from tiir.sunspec_map import AbsentError, Model, by_id, curve_length, curve_of, model_of, value_at
from tiir.values import Value

_REACTIVE_BASES = {0: "WMax", 1: "VarMaxInj", 3: "VAMax"}
"""What a percentage of reactive power is of: code of DeptRef or VarSetMod, and the point of model 702."""

_TRIP_LEVELS_FALL = frozenset({707, 709})
"""Models of low trip: the first level is the higher one, nearer to nominal."""


class _UnreadableError(Exception):
    """The device holds something that cannot be told in the setting's terms."""


class _OtherShapeError(Exception):
    """The device holds a curve of another shape than the setting belongs to."""


def read_settings(
    models: Iterable[Model], labels: Iterable[str], unreadable: Mapping[int, str] | None = None
) -> dict[str, Found]:
    """What the device with these models holds for each of `labels`.

    Args:
        models: Decoded models, in chain order.
        labels: The standard's labels to look for.
        unreadable: Models that the device has but that could not be read, and why.
    """
    known, held, failed = catalogue.settings(), by_id(models), unreadable or {}
    return {label: _found(known[label], held, failed) for label in labels}


def _found(setting: Setting, models: Mapping[int, Model], failed: Mapping[int, str]) -> Found:
    if setting.point and setting.point.model in failed:
        model = setting.point.model
        return Found(None, Verdict.NOT_READABLE, f"model {model} could not be read: {failed[model]}")
    try:
        point, model_held = model_of(setting, models)
        return Found(_value(setting, point, model_held, models))
    except AbsentError as absent:
        what = "cannot be read from" if setting.point and setting.point.read_only else "cannot be set on"
        return Found(None, Verdict.NOT_SUPPORTED, f"{what} this device, because {absent}")
    except _OtherShapeError as other:
        return Found(None, Verdict.DIFFERS, str(other))
    except _UnreadableError as unknown:
        return Found(None, Verdict.NOT_READABLE, str(unknown))


def _value(setting: Setting, point: Point, model: Model, models: Mapping[int, Model]) -> Value:
    raw = _raw(point, model)
    if setting.unit == "word":
        word = next((word for word, code in setting.words.items() if code == raw), None)
        if word is None:
            raise _UnreadableError(f"model {point.model} holds {raw!r}, which stands for nothing known")
        return word
    if isinstance(raw, str):
        raise _UnreadableError(f"model {point.model} holds the text {raw!r} where a number belongs")
    if setting.unit == "switch":
        return raw != 0
    # Rounding removes the binary dust of dividing by 100, far below any register's resolution.
    return round(raw / point.times * _share(point, model, models), 9)


def _raw(point: Point, model: Model) -> int | float | str:
    """The register's value; of a trip curve, of the level that the setting means."""
    place = curve_of(point)
    if place is None:
        return value_at(model, point.path)
    curve, index = place
    expected, active = curve_length(point.model, curve), value_at(model, f"{curve}.ActPt")
    if not isinstance(active, int) or active < index + 1 or (expected > 1 and active != expected):
        raise _OtherShapeError(
            f"the curve in force in model {point.model} has {active} points, not {expected}"
        )
    if curve.endswith("MustTrip"):
        index = _level(model, curve, index, falling=point.model in _TRIP_LEVELS_FALL)
    return value_at(model, f"{curve}.Pt[{index}].{point.path.rpartition('.')[2]}")


def _level(model: Model, curve: str, index: int, *, falling: bool) -> int:
    """Where trip level `index` stands: devices list them in either order, so their thresholds decide."""
    name = "Hz" if model["id"] in (709, 710) else "V"
    levels = [
        value_at(model, f"{curve}.Pt[{place}].{name}") for place in range(curve_length(model["id"], curve))
    ]
    return sorted(range(len(levels)), key=lambda place: float(levels[place]), reverse=falling)[index]


def _share(point: Point, model: Model, models: Mapping[int, Model]) -> float:
    """What to multiply by when the device's percentage is of something else than the setting's."""
    if point.base is None:
        return 1.0
    code = value_at(model, point.base.path)
    if code == point.base.code:
        return 1.0
    of, per = _REACTIVE_BASES.get(int(code)), _REACTIVE_BASES.get(point.base.code)
    capacity: Mapping[str, float | None] = models.get(702, {}).get("points", {})
    amount, rated = capacity.get(of or ""), capacity.get(per or "")
    if point.model == 706 or not amount or not rated:
        name = point.base.path.rpartition(".")[2]
        raise _UnreadableError(f"model {point.model} states it as a share of something else ({name} {code})")
    return amount / rated
