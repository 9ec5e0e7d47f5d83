"""A device's whole chain as pysunspec2's client reads it, as plain dictionaries."""

from __future__ import annotations

from typing import Any

from hand_moved_site import HandMoved

Tree = dict[str, Any]


def tree(group: Any) -> Tree:
    """Implemented points by name, groups as lists (a single one as a list of one)."""
    found: Tree = {name: point.cvalue for name, point in group.points.items() if point.cvalue is not None}
    for name, inner in group.groups.items():
        found[name] = [tree(each) for each in (inner if isinstance(inner, list) else [inner])]
    return found


async def scanned(site: HandMoved, role: str) -> dict[int, Tree]:
    """Every model by its id, without an error."""

    def look(device: Any) -> dict[int, Tree]:
        assert not [model.error_info for model in device.model_list if model.error_info]
        return {model.model_id: tree(model) for model in device.model_list}

    return await site.client(role, look)


async def write(site: HandMoved, role: str, model: int, **changes: float) -> None:
    """Points of a model's top group, or with `Group_1_point` names of the first instance of a group."""

    def work(device: Any) -> None:
        top = device.models[model][0]
        for path, value in changes.items():
            point_at(top, path).cvalue = value
        top.write()

    await site.client(role, work)


def point_at(group: Any, path: str) -> Any:
    """The point at `Crv_2_Pt_1_V`; instances count from 1."""
    *steps, name = path.split("_") if "_" in path else [path]
    if path in group.points:
        return group.points[path]
    for step in steps:
        group = group[int(step) - 1] if step.isdigit() else group.groups[step]
    return group.points[name]
