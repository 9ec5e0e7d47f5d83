"""From engineering values to registers, with the device's own scale factor. What does not fit is refused."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Literal

from drivers.errors import OutOfRange
from drivers.sunspec.plan import Point
from drivers.sunspec.types import FLOATS, NUMBERS, Raw

Rounding = Literal["nearest", "down"]
# A quotient this close below a whole count is that count: 0.29 / 0.01 is 28.999999999999996.
_COUNT_NOISE = 1e-9


def encode(point: Point, value: Raw, exponent: int | None, rounding: Rounding = "nearest") -> list[int]:
    """The registers of a value, whole.

    Args:
        point: what is written.
        value: in the point's units.
        exponent: the scale factor as the device states it now; without meaning for a point that has none.
        rounding: `down` never writes more than was asked.

    Raises:
        OutOfRange: the type cannot hold it; a negative number never wraps into a huge unsigned one.
    """
    kind = point.spec.type
    if isinstance(value, str) or kind not in NUMBERS:
        return _words(_text(point, value))
    if point.spec.scale is None:
        exponent = 0
    if exponent is None:
        raise OutOfRange(f"{point.spec.name}: the device states no scale factor {point.spec.scale}")
    number = NUMBERS[kind]
    counts = _counts(point, value, exponent, rounding)
    if not number.low <= counts <= number.high or counts in number.absent:
        low, high = (_shown(bound, exponent) for bound in (number.low, number.high))
        raise OutOfRange(f"{point.spec.name} cannot be {value:g}: {kind} holds {low:g} to {high:g}")
    return _words(number.code.pack(counts))


def resolve_scale(point: Point, own: Mapping[str, Raw | None], outer: Mapping[str, Raw | None]) -> int | None:
    """The exponent for a point, looked up in its own group and then in the model."""
    scale = point.spec.scale
    if not isinstance(scale, str):
        return scale
    found = own[scale] if scale in own else outer.get(scale)
    return found if isinstance(found, int) else None


def _counts(point: Point, value: float, exponent: int, rounding: Rounding) -> int | float:
    if not math.isfinite(value):
        raise OutOfRange(f"{point.spec.name} cannot be {value}")
    if point.spec.type in FLOATS:
        return value
    exact = _unscaled(value, exponent)
    if isinstance(exact, int):
        return exact
    if rounding == "down":
        return math.floor(exact + _COUNT_NOISE * max(1.0, abs(exact)))
    return round(exact)


def _unscaled(value: float, exponent: int) -> float:
    if not exponent:  # a 64-bit whole number must not pass through a float
        return value
    return value * math.pow(10, -exponent) if exponent < 0 else value / math.pow(10, exponent)


def _shown(bound: float, exponent: int) -> float:
    return bound * math.pow(10, exponent)


def _text(point: Point, value: Raw) -> bytes:
    if point.spec.type != "string" or not isinstance(value, str):
        raise OutOfRange(f"{point.spec.name} of type {point.spec.type} cannot be {value!r}")
    data = value.encode()
    size = 2 * point.spec.size
    if len(data) > size or "\0" in value:
        raise OutOfRange(f"{point.spec.name} holds {size} bytes without NUL; {value!r} does not fit")
    return data.ljust(size, b"\0")


def _words(data: bytes) -> list[int]:
    return [int.from_bytes(data[i : i + 2], "big") for i in range(0, len(data), 2)]
