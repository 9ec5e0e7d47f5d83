"""SunSpec point types: how each is laid out in registers, and which bits mean "not implemented".

Sentinels follow the SunSpec Device Information Model; `acc32` 0x80000000 is added because Kostal's KSEM uses
it so. Not implemented is None, never zero.
"""

from __future__ import annotations

import math
import struct
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias

Raw: TypeAlias = int | float | str


@dataclass(frozen=True, slots=True)
class NumberType:
    """A number of fixed width.

    Attributes:
        code: big-endian struct format.
        absent: raw values that mean "not implemented" (NaN always does, for floats).
        low, high: the range that may be written.
    """

    code: struct.Struct
    absent: frozenset[int]
    low: float
    high: float

    @property
    def size(self) -> int:
        """Registers."""
        return self.code.size // 2


def _whole(code: str, low: int, high: int, *absent: int) -> NumberType:
    return NumberType(struct.Struct(">" + code), frozenset(absent), low, high)


_U16, _U32, _U64 = 0xFFFF, 0xFFFF_FFFF, 0xFFFF_FFFF_FFFF_FFFF
_S16, _S32, _S64 = -(2**15), -(2**31), -(2**63)
_FLOAT32_MAX = float.fromhex("0x1.fffffep+127")
_FLOAT64_MAX = float.fromhex("0x1.fffffffffffffp+1023")

NUMBERS: dict[str, NumberType] = {
    "int16": _whole("h", _S16 + 1, 2**15 - 1, _S16),
    "int32": _whole("i", _S32 + 1, 2**31 - 1, _S32),
    "int64": _whole("q", _S64 + 1, 2**63 - 1, _S64),
    "uint16": _whole("H", 0, _U16 - 1, _U16),
    "uint32": _whole("I", 0, _U32 - 1, _U32),
    "uint64": _whole("Q", 0, _U64 - 1, _U64),
    "count": _whole("H", 0, _U16 - 1, _U16),
    "acc16": _whole("H", 0, _U16, 0),
    "acc32": _whole("I", 0, _U32, 0, 0x8000_0000),
    "acc64": _whole("Q", 0, _U64, 0),
    "enum16": _whole("H", 0, _U16 - 1, _U16),
    "enum32": _whole("I", 0, _U32 - 1, _U32),
    "bitfield16": _whole("H", 0, _U16 - 1, _U16),
    "bitfield32": _whole("I", 0, _U32 - 1, _U32),
    "ipaddr": _whole("I", 0, _U32, 0),
    "sunssf": _whole("h", -10, 10, _S16),
    "pad": _whole("H", 0, _U16),
    "float32": NumberType(struct.Struct(">f"), frozenset(), -_FLOAT32_MAX, _FLOAT32_MAX),
    "float64": NumberType(struct.Struct(">d"), frozenset(), -_FLOAT64_MAX, _FLOAT64_MAX),
}
FLOATS = frozenset({"float32", "float64"})


def decode_text(data: bytes) -> str | None:
    """A string point: cut at the first NUL, blanks stripped; empty or not UTF-8 is None."""
    try:
        return data.partition(b"\0")[0].decode().strip() or None
    except UnicodeDecodeError:
        return None


def _decode_ipv6(data: bytes) -> str | None:
    if not any(data):
        return None
    digits = data.hex().upper()
    return ":".join(digits[i : i + 8] for i in range(0, 32, 8))


def _decode_eui48(data: bytes) -> str | None:
    octets = data[2:8]
    if not any(data) or octets == b"\xff" * 6:
        return None
    return octets.hex(":").upper()


_TEXTS: dict[str, Callable[[bytes], str | None]] = {
    "string": decode_text,
    "ipv6addr": _decode_ipv6,
    "eui48": _decode_eui48,
}


def decode_raw(type_name: str, data: bytes) -> Raw | None:
    """A point's value before scaling, None when not implemented.

    Args:
        type_name: the SunSpec type.
        data: exactly the point's registers, big-endian.
    """
    number = NUMBERS.get(type_name)
    if number is None:
        return _TEXTS[type_name](data)
    value: int | float = number.code.unpack(data)[0]
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    return None if value in number.absent else value
