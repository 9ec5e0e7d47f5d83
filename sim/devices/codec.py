"""SunSpec values as registers, and back. None is 'not implemented' and has the sentinel of its type."""

from __future__ import annotations

import struct
from collections.abc import Sequence
from math import ceil, log10

_SIGNED = {"int16", "int32", "int64", "sunssf"}
_ZERO_IS_ABSENT = {"acc16", "acc32", "acc64", "pad", "string", "ipaddr", "ipv6addr"}
_ABSENT_FLOAT = [0x7FC0, 0]


def encode(kind: str, size: int, value: float | str | None, scale: int = 0) -> list[int]:
    """Registers of `value` at a scale factor; integers are kept inside the type, clear of its sentinel."""
    bits = 16 * size
    if isinstance(value, str):
        data = value.encode(errors="surrogateescape").ljust(2 * size, b"\0")[: 2 * size]
        return _words(int.from_bytes(data, "big"), size)
    if kind == "float32":
        return _ABSENT_FLOAT if value is None else list(struct.unpack(">2H", struct.pack(">f", value)))
    if value is None:
        return _words(_sentinel(kind, bits), size)
    raw = round(value / 10.0**scale) if scale else round(value)
    if kind in _SIGNED:
        top = 2 ** (bits - 1) - 1
        return _words(min(top, max(-top, raw)) % 2**bits, size)
    if kind.startswith("acc"):
        return _words(raw % 2**bits, size)
    return _words(min(2**bits - 2, max(0, raw)), size)


def decode(kind: str, words: Sequence[int]) -> int | None:
    """The raw number in some registers; None when it is the type's sentinel."""
    value = 0
    for word in words:
        value = value << 16 | word
    bits = 16 * len(words)
    if value == _sentinel(kind, bits) and kind not in _ZERO_IS_ABSENT:
        return None
    return value - 2**bits if kind in _SIGNED and value >> (bits - 1) else value


def scale_for(largest: float) -> int:
    """The smallest scale factor, at least 0, with which `largest` fits a signed 16-bit register."""
    return max(0, ceil(log10(largest / 32_000)))


def _sentinel(kind: str, bits: int) -> int:
    if kind in _ZERO_IS_ABSENT:
        return 0
    return 1 << (bits - 1) if kind in _SIGNED else (1 << bits) - 1


def _words(value: int, size: int) -> list[int]:
    return [value >> 16 * (size - 1 - index) & 0xFFFF for index in range(size)]
