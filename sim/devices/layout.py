"""Where each point of a SunSpec model stands, computed from pysunspec2's model definitions (JSON)."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any


@dataclass(frozen=True, slots=True)
class Field:
    """One point: `path` as `Crv.2.Pt.1.V` (groups counted from 1), `offset` in registers from the ID."""

    path: str
    kind: str
    offset: int
    size: int
    sf: str | int | None
    writable: bool


@cache
def definition(model_id: int) -> dict[str, Any]:
    """The definition of a model as its top group."""
    source = files("sunspec2").joinpath("models", "json", f"model_{model_id}.json")
    group: dict[str, Any] = json.loads(source.read_text(encoding="utf-8"))["group"]
    return group


def layout(model_id: int, counts: Mapping[str, int], omit: Collection[str] = ()) -> list[Field]:
    """All points of a model in order, without those in `omit`.

    `counts` gives how often groups repeat: by the point that says so (NCrv, NPt), or by the group's own name
    in models of the older generation, where the model's length says so.
    """
    fields: list[Field] = []
    offset = 0
    for path, point in _points(definition(model_id), "", counts):
        if path in omit:
            continue
        size = int(point["size"])
        fields.append(Field(path, point["type"], offset, size, point.get("sf"), point.get("access") == "RW"))
        offset += size
    return fields


def _points(
    group: dict[str, Any], prefix: str, counts: Mapping[str, int]
) -> Iterator[tuple[str, dict[str, Any]]]:
    for point in group["points"]:
        yield prefix + point["name"], point
    for inner in group.get("groups", []):
        repeats = inner.get("count")
        if repeats is None:
            yield from _points(inner, f"{prefix}{inner['name']}.", counts)
            continue
        for index in range(1, counts[repeats or inner["name"]] + 1):
            yield from _points(inner, f"{prefix}{inner['name']}.{index}.", counts)
