"""A Modbus unit as the wire sees it: registers and bits that are read and written, and refusals. No transport."""

from __future__ import annotations

from collections.abc import Sequence
from enum import IntEnum
from typing import Protocol


class Refusal(IntEnum):
    """Modbus exception codes."""

    ILLEGAL_FUNCTION = 1
    ILLEGAL_ADDRESS = 2
    ILLEGAL_VALUE = 3
    DEVICE_FAILURE = 4
    ACKNOWLEDGED = 5
    DEVICE_BUSY = 6
    NEGATIVE_ACKNOWLEDGE = 7
    MEMORY_PARITY = 8
    GATEWAY_PATH_UNAVAILABLE = 10
    GATEWAY_NO_ANSWER = 11


class ModbusRefusal(Exception):  # noqa: N818 # it is an answer, not an error of the simulator
    """The unit answers with an exception code."""

    def __init__(self, code: Refusal) -> None:
        super().__init__(f"exception {code}: {code.name.lower().replace('_', ' ')}")
        self.code = code


class Unit(Protocol):
    """One unit. Everything is computed at the request: nothing outside keeps an image of it."""

    def read(self, function_code: int, address: int, count: int) -> list[int]:
        """`count` registers (functions 3, 4) or bits (1, 2; each 0 or 1) from `address` on.

        Raises:
            ModbusRefusal: When the unit does not have them.
        """
        ...

    def write(self, function_code: int, address: int, values: Sequence[int]) -> None:
        """Set registers (functions 6, 16) or bits (5, 15; each 0 or 1) from `address` on.

        Raises:
            ModbusRefusal: When the unit does not take them; nothing has changed then.
        """
        ...
