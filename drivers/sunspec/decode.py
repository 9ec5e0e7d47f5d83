"""From registers to scaled values. A point is None when it, or its scale factor, is not implemented."""

from __future__ import annotations

import math
import struct
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from drivers.sunspec.plan import Group, Plan, Point
from drivers.sunspec.types import Raw, decode_raw

_POWERS = {exponent: math.pow(10, exponent) for exponent in range(-10, 11)}


@dataclass(frozen=True, slots=True)
class GroupValues:
    """Values by SunSpec name, and by name the instances of the groups below."""

    points: Mapping[str, Raw | None]
    groups: Mapping[str, tuple[GroupValues, ...]] = field(default_factory=dict)

    def as_json(self) -> dict[str, Any]:
        """Plain data: points, and each group as a list of its instances."""
        below = {name: [group.as_json() for group in groups] for name, groups in self.groups.items()}
        return {"points": dict(self.points), "groups": below}


def as_bytes(words: Sequence[int]) -> bytes:
    """Registers as they were on the wire."""
    return struct.pack(f">{len(words)}H", *words)


def decode(plan: Plan, words: Sequence[int]) -> GroupValues:
    """Decode a model instance.

    Args:
        plan: where its points lie.
        words: its registers from the ID on; points beyond the end, or beyond the stated length, are None.
    """
    return _group(plan.root, as_bytes(words[: plan.size]), {})


def scaled(raw: Raw | None, exponent: int | None) -> Raw | None:
    """Apply a scale factor, with the rounding that keeps 1234 at -2 the float nearest to 12.34."""
    if raw is None or isinstance(raw, str) or exponent not in _POWERS:
        return None
    return round(raw * _POWERS[exponent], -exponent) if exponent else raw


def _group(group: Group, data: bytes, above: Mapping[str, Raw | None]) -> GroupValues:
    raw = {name: _raw(point, data) for name, point in group.points.items() if not _cut_pad(point, data)}
    outer = above or raw
    values = {name: _value(group.points[name], value, raw, outer) for name, value in raw.items()}
    below = {
        name: tuple(_group(instance, data, outer) for instance in instances)
        for name, instances in group.groups.items()
    }
    return GroupValues(values, below)


def _raw(point: Point, data: bytes) -> Raw | None:
    part = data[2 * point.offset : 2 * point.end]
    return decode_raw(point.spec.type, part) if len(part) == 2 * point.spec.size else None


def _cut_pad(point: Point, data: bytes) -> bool:
    """A model 1 of 65 registers ends before its pad: then there is none."""
    return point.spec.type == "pad" and 2 * point.end > len(data)


def _value(
    point: Point, raw: Raw | None, own: Mapping[str, Raw | None], outer: Mapping[str, Raw | None]
) -> Raw | None:
    scale = point.spec.scale
    if scale is None or raw is None:
        return raw
    if isinstance(scale, str):
        found = own[scale] if scale in own else outer.get(scale)
        return scaled(raw, found if isinstance(found, int) else None)
    return scaled(raw, scale)
