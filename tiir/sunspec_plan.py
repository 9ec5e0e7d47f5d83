"""From required settings to what has to be written: plain points, and curves to adopt."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field

from tiir import catalogue
from tiir.setting import Point, Setting
from tiir.sunspec_map import (
    ADOPTED,
    WRITTEN_PLAINLY,
    AbsentError,
    Model,
    by_id,
    curve_of,
    group,
    model_of,
    step_of,
    value_at,
)
from tiir.values import Value, Values

Amount = int | float

_CARRIED_OVER = ("DeptRef", "Pri", "VRef", "VRefAutoEna", "VRefAutoTms", "RspTms")
"""What the new set takes from the one in force where no requirement says otherwise."""

_ORDINATE: Mapping[int, str] = {705: "Var", 706: "W"}


@dataclass(frozen=True, slots=True)
class PlainWrite:
    """Points of one model to write as they are, in the model's real units."""

    model: int
    values: Mapping[str, Amount]


@dataclass(frozen=True, slots=True)
class CurveWrite:
    """A curve to write into a free set and adopt.

    Attributes:
        model: 705 or 706.
        points: (V in percent of nominal, Var or W in percent as DeptRef says), from left to right.
        settings: Other points of the curve's group: DeptRef, RspTms and the like.
        enable: Whether to switch the function on afterwards; otherwise it stays as it is.
    """

    model: int
    points: tuple[tuple[float, float], ...]
    settings: Mapping[str, Amount]
    enable: bool


Step = PlainWrite | CurveWrite


@dataclass(frozen=True, slots=True)
class SettingsPlan:
    """What to write, in this order, and what cannot be written, by label, with the reason."""

    steps: tuple[Step, ...] = ()
    refused: Mapping[str, str] = field(default_factory=dict)


def plan_settings(
    required: Values, models: Iterable[Model], changes: Collection[str] | None = None
) -> SettingsPlan:
    """How to bring the device with these models to what is required.

    Args:
        required: Values by label, already checked against their ranges.
        models: The device's decoded models.
        changes: Labels that have to change; all of them when None. When any part of a function that is to
            be on is among them, its curve is adopted whole.
    """
    known, held = catalogue.settings(), by_id(models)
    wanted = [known[label] for label in required if changes is None or label in changes]
    refused = {setting.label: why for setting in wanted if (why := _refusal(setting, held))}
    touched = {s.point.model for s in wanted if s.point and s.label not in refused}
    steps: list[Step] = [
        step for model in sorted(touched & ADOPTED) for step in _curve_steps(model, required, held, wanted)
    ]
    for model in sorted(touched & WRITTEN_PLAINLY):
        writable = [s for s in wanted if s.point and s.point.model == model and s.label not in refused]
        steps.append(PlainWrite(model, _plain(writable, required, held[model])))
    return SettingsPlan(tuple(steps), refused)


def _refusal(setting: Setting, models: Mapping[int, Model]) -> str | None:
    try:
        point, model = model_of(setting, models)
        if curve_of(point) is None:
            value_at(model, point.path)
    except AbsentError as absent:
        return f"cannot be set on this device, because {absent}"
    if point.read_only:
        return "is a rating of the device and cannot be set"
    if point.model not in WRITTEN_PLAINLY | ADOPTED:
        return f"is not written through model {point.model} here; set it on the device itself"
    return None


def _plain(settings: Iterable[Setting], required: Values, model: Model) -> dict[str, Amount]:
    return {
        point.path: _in_model_units(setting, required[setting.label], point, model)
        for setting in settings
        if (point := setting.point)
    }


def _curve_steps(
    model: int, required: Values, held: Mapping[int, Model], wanted: Collection[Setting]
) -> list[Step]:
    """A function that is to be on is put in force whole; one that is to be off keeps what does not differ."""
    known = catalogue.settings().values()
    asked = [s for s in known if s.label in required and s.point and s.point.model == model]
    in_set = [s for s in asked if s.point and s.point.in_set]
    switches = [s for s in asked if s not in in_set]
    enable = bool(switches) and all(required[switch.label] is True for switch in switches)
    adopt = bool(in_set) and (enable or any(setting in wanted for setting in in_set))
    steps: list[Step] = []
    if adopt:
        steps.append(_curve(model, in_set, required, held[model], enable=enable))
    if switches and not (adopt and enable):
        steps.append(PlainWrite(model, _plain(switches, required, held[model])))
    return steps


def _curve(
    number: int, settings: Iterable[Setting], required: Values, model: Model, *, enable: bool
) -> CurveWrite:
    points: dict[int, dict[str, float]] = {}
    others = _carried_over(model)
    for setting in settings:
        point = setting.point
        if point is None:
            continue
        amount, name = (
            _in_model_units(setting, required[setting.label], point, model),
            point.path.rpartition(".")[2],
        )
        if place := curve_of(point):
            points.setdefault(place[1], {})[name] = float(amount)
        elif name in others:
            others[name] = amount
        if point.base:
            others[point.base.path.rpartition(".")[2]] = point.base.code
    in_order = [points[place] for place in sorted(points)] or _points_in_force(model)
    return CurveWrite(number, tuple((p["V"], p[_ORDINATE[number]]) for p in in_order), others, enable)


def _carried_over(model: Model) -> dict[str, Amount]:
    """What the set in force holds; a point that the device does not implement is not among it."""
    in_force = group(model, "Crv[].ActPt").get("points", {})
    return {name: in_force[name] for name in _CARRIED_OVER if in_force.get(name) is not None}


def _points_in_force(model: Model) -> list[dict[str, float]]:
    curve = group(model, "Crv[].ActPt")
    return [dict(point["points"]) for point in curve["groups"]["Pt"][: curve["points"]["ActPt"]]]


def _in_model_units(setting: Setting, value: Value, point: Point, model: Model) -> Amount:
    """`value` of `setting` in the model's unit, at the nearest step that its register can hold."""
    if isinstance(value, bool):
        return int(value)
    if isinstance(value, str):
        return setting.words[value]
    amount, step = value * point.times, step_of(point, model)
    if step is None:
        return amount
    nearest = round(round(amount / step) * step, 9)
    return int(nearest) if step >= 1 else nearest
