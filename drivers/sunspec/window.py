"""A few points of one model, with their scale factors and the model's header, read in one request.

Scale factors change while devices run and models move when firmware does, so neither is remembered: both
come with every answer. This is what the meter is polled with, so decoding is one unpack and a short loop.
"""

from __future__ import annotations

import struct
from collections.abc import Mapping, Sequence

from drivers.errors import BadData, Moved
from drivers.question import MAX_READ
from drivers.sunspec.decode import scaled
from drivers.sunspec.definition import HEADER, definition
from drivers.sunspec.discovery import ModelRef
from drivers.sunspec.plan import Point, head
from drivers.sunspec.types import NUMBERS


class Window:
    """Numbers of a model's own points (not of groups), decoded fast.

    Raises:
        BadData: the model is unknown, or does not hold the points within one read.
    """

    def __init__(self, ref: ModelRef, names: Sequence[str]) -> None:
        spec = definition(ref.id)
        if spec is None:
            raise BadData(f"model {ref.id} is not known")
        self.ref = ref
        self.group = head(spec)
        points = self.group.points
        wanted = [
            points[name] for name in names if name in points and points[name].end <= ref.length + HEADER
        ]
        scales = {points[point.spec.scale] for point in wanted if isinstance(point.spec.scale, str)}
        layout = sorted({*wanted, *scales}, key=lambda point: point.offset)
        self.count = max((point.end for point in layout), default=HEADER)
        if self.count > min(MAX_READ, ref.length + HEADER):
            raise BadData(f"model {ref.id} of length {ref.length} does not hold what is needed in one read")
        self._words = struct.Struct(f">{self.count}H")
        self._layout = _unpacker(layout)
        self._fields = tuple(_field(point, layout, points) for point in wanted)
        self._nothing: dict[str, float | None] = dict.fromkeys(names)
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
        values = self._nothing.copy()
        if not any(words[HEADER:]):
            return values
        found = self._layout.unpack(self._words.pack(*words))
        for name, at, absent, scale_at, constant in self._fields:
            raw = found[at]
            if raw in absent or raw != raw:  # noqa: PLR0124 - NaN is the one value unequal to itself
                continue
            exponent = constant if scale_at is None else found[scale_at]
            value = scaled(raw, exponent) if exponent else raw
            if not isinstance(value, str):
                values[name] = value
        return values


def _unpacker(layout: Sequence[Point]) -> struct.Struct:
    """One struct for all points of a layout, what lies between them skipped."""
    form, at = ">", 0
    for point in layout:
        form += f"{2 * (point.offset - at)}x" + NUMBERS[point.spec.type].code.format.removeprefix(">")
        at = point.end
    return struct.Struct(form)


def _field(
    point: Point, layout: Sequence[Point], points: Mapping[str, Point]
) -> tuple[str, int, frozenset[int], int | None, int]:
    """Name, place in the layout, sentinels, place of the scale factor, constant exponent."""
    scale = point.spec.scale
    return (
        point.spec.name,
        layout.index(point),
        NUMBERS[point.spec.type].absent,
        layout.index(points[scale]) if isinstance(scale, str) else None,
        scale if isinstance(scale, int) else 0,
    )
