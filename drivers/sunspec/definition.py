"""SunSpec model definitions, taken from the JSON files that pysunspec2 ships, kept small."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from importlib.resources import files
from typing import Any, TypeAlias

COMMON = 1
END = 0xFFFF
HEADER = 2  # registers: ID and L, which L does not count

Scale: TypeAlias = str | int | None


@dataclass(frozen=True, slots=True)
class PointDef:
    """One point: its type, its size in registers, and its scale factor (a point's name or a constant)."""

    name: str
    type: str
    size: int
    scale: Scale
    writable: bool
    units: str | None


@dataclass(frozen=True, slots=True)
class GroupDef:
    """A group of points; `count` is None for a single one, 0 for "fill to length", or a count point's name."""

    name: str
    count: int | str | None
    sync: bool
    points: tuple[PointDef, ...]
    groups: tuple[GroupDef, ...]

    @property
    def points_size(self) -> int:
        """Registers of its own points."""
        return sum(point.size for point in self.points)

    def walk(self) -> Iterator[GroupDef]:
        """This group and all below."""
        yield self
        for group in self.groups:
            yield from group.walk()


@lru_cache(maxsize=64)
def definition(model_id: int) -> GroupDef | None:
    """The definition of a model, None for one that SunSpec's files do not hold (a vendor's own)."""
    source = files("sunspec2").joinpath("models", "json", f"model_{model_id}.json")
    if not source.is_file():
        return None
    return _group(json.loads(source.read_text(encoding="utf-8"))["group"])


def model_name(model_id: int) -> str | None:
    """SunSpec's name of a model, such as `DERCtlAC`."""
    found = definition(model_id)
    return None if found is None else found.name


def _group(data: dict[str, Any]) -> GroupDef:
    return GroupDef(
        name=data["name"],
        count=_name_or_number(data.get("count")),
        sync=data["type"] == "sync",
        points=tuple(_point(point) for point in data.get("points", ())),
        groups=tuple(_group(group) for group in data.get("groups", ())),
    )


def _point(data: dict[str, Any]) -> PointDef:
    return PointDef(
        name=data["name"],
        type=data["type"],
        size=int(data["size"]),
        scale=_name_or_number(data.get("sf")),
        writable=data.get("access") == "RW",
        units=data.get("units"),
    )


def _name_or_number(value: int | str | None) -> int | str | None:
    """Some definitions write a constant as text."""
    if isinstance(value, str) and value.lstrip("-").isdigit():
        return int(value)
    return value
