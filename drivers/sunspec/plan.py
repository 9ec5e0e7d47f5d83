"""Decode plans: where each point of one model instance lies, groups unrolled by their counts."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import pairwise

from drivers.question import MAX_READ
from drivers.sunspec.definition import HEADER, GroupDef, PointDef


@dataclass(frozen=True, slots=True)
class Point:
    """A point at its place; `offset` counts registers from the model's ID."""

    spec: PointDef
    offset: int

    @property
    def end(self) -> int:
        """The register after it."""
        return self.offset + self.spec.size


@dataclass(frozen=True, slots=True)
class Group:
    """A group at its place: its points, and by name the instances of the groups below."""

    spec: GroupDef
    points: Mapping[str, Point]
    groups: Mapping[str, tuple[Group, ...]]

    def walk(self) -> Iterator[Group]:
        """This group and all below, in register order."""
        yield self
        for instances in self.groups.values():
            for group in instances:
                yield from group.walk()

    @property
    def every_point(self) -> list[Point]:
        """All points in register order."""
        return [point for group in self.walk() for point in group.points.values()]


@dataclass(frozen=True, slots=True)
class Plan:
    """One model instance laid out; `size` is what the device says, ID and L included."""

    root: Group
    size: int
    warnings: tuple[str, ...]


def count_names(spec: GroupDef) -> set[str]:
    """The names of the points that say how often a group repeats."""
    return {group.count for group in spec.walk() if isinstance(group.count, str)}


def head(spec: GroupDef) -> Group:
    """The model's own points, without the groups below: enough to read the counts."""
    points, _ = _points(spec, 0)
    return Group(spec, points, {})


def make_plan(spec: GroupDef, length: int, counts: Mapping[str, int | None]) -> Plan:
    """Lay a model out.

    Args:
        spec: the definition.
        length: L as the device states it.
        counts: the values of the count points, as the device states them.
    """
    return _Layout(spec, length, counts).plan()


class _Layout:
    def __init__(self, spec: GroupDef, length: int, counts: Mapping[str, int | None]) -> None:
        self.spec = spec
        self.size = length + HEADER
        self.counts = counts
        self.warnings: list[str] = []

    def plan(self) -> Plan:
        root, _ = self.group(self.spec, 0, top=True)
        return Plan(root, self.size, tuple(self.warnings))

    def group(self, spec: GroupDef, offset: int, *, top: bool = False) -> tuple[Group, int]:
        points, offset = _points(spec, offset)
        groups: dict[str, tuple[Group, ...]] = {}
        for below in spec.groups:
            instances, offset = self.repeated(below, offset, top=top)
            if instances:
                groups[below.name] = instances
        return Group(spec, points, groups), offset

    def repeated(self, spec: GroupDef, offset: int, *, top: bool) -> tuple[tuple[Group, ...], int]:
        fits = self.fitting(spec, offset)
        count = self.count(spec, fits, top=top)
        if count > fits:
            self.warnings.append(f"{count} of group {spec.name} are announced, the length holds {fits}")
            count = fits
        found: list[Group] = []
        for _ in range(count):
            group, offset = self.group(spec, offset)
            found.append(group)
        return tuple(found), offset

    def count(self, spec: GroupDef, fits: int, *, top: bool) -> int:
        """How many there are: announced, or as many as the length holds (a count of 0 means that)."""
        if spec.count is None:
            return 1
        announced = self.counts.get(spec.count) if isinstance(spec.count, str) else spec.count
        if announced is None:
            self.warnings.append(f"the count of group {spec.name} ({spec.count}) is not implemented")
            return fits if top else 0
        return announced if announced or not top else fits

    def fitting(self, spec: GroupDef, offset: int) -> int:
        room = self.size - offset
        each = self.registers(spec)
        if each <= 0 or room <= 0:
            return 0
        if spec.count == 0 and room % each:
            self.warnings.append(f"the length leaves {room % each} registers over after group {spec.name}")
        return room // each

    def registers(self, spec: GroupDef) -> int:
        """Registers of one instance, with what repeats inside it."""
        total = spec.points_size
        for below in spec.groups:
            many = 1 if below.count is None else below.count
            many = (self.counts.get(many) or 0) if isinstance(many, str) else many
            total += many * self.registers(below)
        return total


def _points(spec: GroupDef, offset: int) -> tuple[dict[str, Point], int]:
    points: dict[str, Point] = {}
    for point in spec.points:
        points[point.name] = Point(point, offset)
        offset += point.size
    return points, offset


def spans(points: list[Point], end: int, limit: int = MAX_READ) -> list[tuple[int, int]]:
    """Cut a model into reads of at most `limit` registers, never across a value.

    Args:
        points: points in register order, the first one where reading starts.
        end: the register after the last one to read.
        limit: the longest read.

    Returns:
        (offset, count) of each read.
    """
    starts = [point.offset for point in points if point.end <= end]
    if not starts:
        return []
    edges = [*starts, min(end, max(point.end for point in points if point.end <= end))]
    cuts = [edges[0]]
    for here, after in pairwise(edges):
        if after - cuts[-1] > limit:
            cuts.append(here)
    return [(low, high - low) for low, high in pairwise([*cuts, edges[-1]])]
