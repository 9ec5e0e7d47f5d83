"""Requests to the units on a line, with this user's own patience and number of retries."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

from drivers.errors import BadData, ModbusException, Timeout, Unreachable
from drivers.line import Call, Exchange, Line
from drivers.uri import ModbusUri

MAX_READ = 125
MAX_WRITE = 123

_READ_COILS, _READ_INPUTS, _READ_REGISTERS, _WRITE_COIL, _WRITE_REGISTERS = 1, 2, 3, 5, 16
_EXCEPTION = 0x80


@dataclass(frozen=True, slots=True)
class Registers:
    """Registers as read, with the monotonic times of the request and of the answer, in s."""

    words: Sequence[int]
    sent_s: float
    received_s: float


class Bus:
    """A line as one user sees it: timeout and retries are this user's, the line may be shared.

    A retry waits its turn again, so a unit that is dead costs the others one timeout at a time, never more.
    """

    def __init__(
        self, uri: ModbusUri, *, timeout_s: float = 1.0, retries: int = 0, line: Line | None = None
    ) -> None:
        self.timeout_s = timeout_s
        self.retries = retries
        self.line = line if line is not None else Line(uri)

    async def read(self, unit: int, address: int, count: int) -> Registers:
        """Read holding registers (FC03); `address` is the zero-based PDU number, `count` at most 125."""
        done = await _retried(self.retries, lambda: self._read(unit, address, count))
        return Registers(done.answer.registers[:count], done.sent_s, done.received_s)

    async def write(self, unit: int, address: int, words: Sequence[int]) -> None:
        """Write holding registers in one request (FC16), at most 123."""
        what = f"a write of {len(words)} registers at {address} to unit {unit}"
        values = list(words)
        done = await self._ask(
            lambda c: c.write_registers(address, values, device_id=unit), what, unit, _WRITE_REGISTERS
        )
        self._expect(done.answer.address == address, f"address {done.answer.address}", what)

    async def read_coil(self, unit: int, address: int) -> bool:
        """Read one coil (FC01)."""
        return await self._bit(
            lambda c: c.read_coils(address, count=1, device_id=unit), "coil", address, unit, _READ_COILS
        )

    async def read_input(self, unit: int, address: int) -> bool:
        """Read one discrete input (FC02)."""
        return await self._bit(
            lambda c: c.read_discrete_inputs(address, count=1, device_id=unit),
            "input",
            address,
            unit,
            _READ_INPUTS,
        )

    async def write_coil(
        self, unit: int, address: int, closed: bool, *, not_after_s: float | None = None
    ) -> None:
        """Write one coil (FC05); past the monotonic time `not_after_s` nothing is sent: TooLate."""
        what = f"a write of coil {address} to unit {unit}"
        done = await self._ask(
            lambda c: c.write_coil(address, closed, device_id=unit), what, unit, _WRITE_COIL, not_after_s
        )
        self._expect(done.answer.address == address, f"address {done.answer.address}", what)

    def close(self) -> None:
        """Close the line, for every user of it."""
        self.line.drop()

    async def _read(self, unit: int, address: int, count: int) -> Exchange:
        """One read; it asks for more registers than `count` where an answer of that length may still come."""
        lost = self.line.lost
        asked = lost.length(unit, count, time.monotonic())
        what = f"a read of {count} registers at {address} from unit {unit}"
        try:
            done = await self._attempt(
                lambda c: c.read_holding_registers(address, count=asked, device_id=unit),
                what,
                unit,
                _READ_REGISTERS,
            )
            self._expect(len(done.answer.registers) == asked, f"{len(done.answer.registers)} registers", what)
        except (Timeout, BadData):
            lost.add(unit, asked, time.monotonic())
            raise
        except ModbusException as error:
            if asked == count:
                raise
            lost.forget(unit)
            raise BadData(f"{self.line.endpoint} refused {what} with more behind them") from error
        return done

    async def _bit(self, call: Call, kind: str, address: int, unit: int, function: int) -> bool:
        what = f"a read of {kind} {address} from unit {unit}"
        done = await self._ask(call, what, unit, function)
        if not done.answer.bits:
            raise BadData(f"{self.line.endpoint} answered {what} with nothing")
        return bool(done.answer.bits[0])

    async def _ask(
        self, call: Call, what: str, unit: int, function: int, not_after_s: float | None = None
    ) -> Exchange:
        return await _retried(self.retries, lambda: self._attempt(call, what, unit, function, not_after_s))

    async def _attempt(
        self, call: Call, what: str, unit: int, function: int, not_after_s: float | None = None
    ) -> Exchange:
        done = await self.line.exchange(call, self.timeout_s, what, not_after_s=not_after_s)
        answer = done.answer
        self._expect(answer.dev_id == unit, f"unit {answer.dev_id}", what)
        code = answer.function_code
        self._expect(code & ~_EXCEPTION == function, f"function {code}", what)
        if answer.isError():
            raise ModbusException(answer.exception_code, f"{self.line.endpoint} refused {what}")
        return done

    def _expect(self, as_asked: bool, found: str, what: str) -> None:
        """What is not the answer to its request says that the line is out of step: it is dropped."""
        if not as_asked:
            self.line.drop()
            raise BadData(f"{self.line.endpoint} answered {what} with {found}")


async def _retried(retries: int, attempt: Callable[[], Awaitable[Exchange]]) -> Exchange:
    for _ in range(retries):
        try:
            return await attempt()
        except (Timeout, Unreachable, BadData):
            continue
    return await attempt()


class Buses:
    """All lines of a process: users of one endpoint share its line."""

    def __init__(self) -> None:
        self._lines: dict[str, Line] = {}

    def open(self, uri: ModbusUri, *, timeout_s: float, retries: int) -> Bus:
        """A bus on the line of this URI's endpoint; connecting waits for the first request."""
        line = self._lines.get(uri.endpoint)
        if line is None:
            line = self._lines[uri.endpoint] = Line(uri)
        return Bus(uri, timeout_s=timeout_s, retries=retries, line=line)

    def close(self) -> None:
        """Close every line."""
        for line in self._lines.values():
            line.drop()
