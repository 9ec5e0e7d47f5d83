"""A few points of one model, with their scale factors and the model's header, read in one request.

Scale factors change while devices run and models move when firmware does, so neither is remembered: both
come with every answer.
"""

from __future__ import annotations

import struct
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from drivers.bus import MAX_READ
from drivers.errors import BadData, Moved
from drivers.sunspec.decode import as_bytes, scaled
from drivers.sunspec.definition import HEADER, definition
from drivers.sunspec.discovery import ModelRef
from drivers.sunspec.plan import Point, head
from drivers.sunspec.types import NUMBERS

_SF = struct.Struct(">h")


@dataclass(frozen=True, slots=True)
class _Field:
    name: str
    code: struct.Struct
    at: int
    absent: frozenset[int]
    scale_at: int | None
    exponent: int


class Window:
    """Numbers of a model's own points (not of groups), decoded fast."""

    def __init__(self, ref: ModelRef, names: Sequence[str]) -> None:
        spec = definition(ref.id)
        if spec is None:
            raise BadData(f"model {ref.id} is not known")
        self.group = head(spec)
        points = self.group.points
        known = [points[name] for name in names if name in points]
        wanted = [point for point in known if point.end <= ref.length + HEADER]
        scales = [points[point.spec.scale] for point in wanted if isinstance(point.spec.scale, str)]
        self.ref = ref
        self.count = max((point.end for point in [*wanted, *scales]), default=HEADER)
        if self.count > min(MAX_READ, ref.length + HEADER):
            raise BadData(f"model {ref.id} of length {ref.length} does not hold what is needed in one read")
        self._fields = tuple(_field(point, points) for point in wanted)
        self._names = tuple(names)
        self._values = slice(
            min((point.offset for point in wanted), default=HEADER),
            max((point.end for point in wanted), default=HEADER),
        )

    def raw(self, words: Sequence[int]) -> tuple[int, ...]:
        """The registers from the first point to the last, as read."""
        return tuple(words[self._values])

    def check(self, words: Sequence[int]) -> None:
        """Hold the header against what was found when the chain was walked.

        Raises:
            BadData: nothing but zeros came.
            Moved: the registers are not this model's any more.
        """
        if not any(words):
            raise BadData(f"model {self.ref.id} at {self.ref.address} reads zero throughout, header and all")
        if words[0] != self.ref.id or words[1] != self.ref.length:
            raise Moved(f"model {self.ref.id} is no longer at {self.ref.address}: {words[0]} is there")

    def decode(self, words: Sequence[int]) -> dict[str, float | None]:
        """Scaled values by name; None for what the model does not hold, and for all when all read zero.

        Devices that are asked too much answer whole blocks of zeros: that is no measurement.

        Raises:
            BadData: as `check`.
        """
        self.check(words)
        values: dict[str, float | None] = dict.fromkeys(self._names)
        if not any(words[HEADER:]):
            return values
        data = as_bytes(words)
        for field in self._fields:
            raw = field.code.unpack_from(data, field.at)[0]
            if raw in field.absent or raw != raw:  # noqa: PLR0124 - NaN is the one value unequal to itself
                continue
            exponent = field.exponent
            if field.scale_at is not None:
                exponent = _SF.unpack_from(data, field.scale_at)[0]
            value = scaled(raw, exponent) if exponent else raw
            if not isinstance(value, str):
                values[field.name] = value
        return values


def _field(point: Point, points: Mapping[str, Point]) -> _Field:
    number = NUMBERS[point.spec.type]
    scale = point.spec.scale
    scale_at = 2 * points[scale].offset if isinstance(scale, str) else None
    exponent = scale if isinstance(scale, int) else 0
    return _Field(point.spec.name, number.code, 2 * point.offset, number.absent, scale_at, exponent)
