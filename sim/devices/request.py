"""One Modbus request as a device sees it, out of pymodbus' positional hook."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from pymodbus.constants import ExcCodes
from pymodbus.simulator import SimAction


@dataclass(frozen=True, slots=True)
class Request:
    """A request: `registers` is the live block, which starts at `start`; `values` is None for a read."""

    function_code: int
    start: int
    address: int
    count: int
    registers: list[int]
    values: list[int] | list[bool] | None


def action(handle: Callable[[Request], ExcCodes | None]) -> SimAction:
    """The coroutine that pymodbus calls before it reads or writes; a code from `handle` refuses."""

    async def act(
        function_code: int,
        start: int,
        address: int,
        count: int,
        registers: list[int],
        values: list[int] | list[bool] | None,
    ) -> ExcCodes | None:
        return handle(Request(function_code, start, address, count, registers, values))

    return act
