"""Requests to the units on a line, with this user's own patience and number of retries."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

from drivers.errors import BadData, ModbusException, Timeout, Unreachable
from drivers.line import Exchange, Line
from drivers.question import (
    READ_COILS,
    READ_INPUTS,
    READ_REGISTERS,
    WRITE_COIL,
    WRITE_REGISTERS,
    Call,
    Question,
    read_shape,
)
from drivers.uri import ModbusUri

MAX_WRITE = 123


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
        what = f"a read of {count} registers at {address} from unit {unit}"
        done = await self._read(
            unit,
            READ_REGISTERS,
            count,
            what,
            lambda asked: lambda c: c.read_holding_registers(address, count=asked, device_id=unit),
        )
        return Registers(done.answer.registers[:count], done.sent_s, done.received_s)

    async def write(
        self, unit: int, address: int, words: Sequence[int], *, not_after_s: float | None = None
    ) -> None:
        """Write holding registers in one request (FC16), at most 123; past `not_after_s` nothing is sent: TooLate."""
        values = list(words)
        question = Question(
            lambda c: c.write_registers(address, values, device_id=unit),
            unit,
            (WRITE_REGISTERS, address, len(values)),
        )
        what = f"a write of {len(values)} registers at {address} to unit {unit}"
        await self._retried(lambda: self._attempt(question, what, not_after_s))

    async def read_coil(self, unit: int, address: int) -> bool:
        """Read one coil (FC01)."""
        done = await self._read(
            unit,
            READ_COILS,
            1,
            f"a read of coil {address} from unit {unit}",
            lambda asked: lambda c: c.read_coils(address, count=asked, device_id=unit),
        )
        return bool(done.answer.bits[0])

    async def read_input(self, unit: int, address: int) -> bool:
        """Read one discrete input (FC02)."""
        done = await self._read(
            unit,
            READ_INPUTS,
            1,
            f"a read of input {address} from unit {unit}",
            lambda asked: lambda c: c.read_discrete_inputs(address, count=asked, device_id=unit),
        )
        return bool(done.answer.bits[0])

    async def write_coil(
        self, unit: int, address: int, closed: bool, *, not_after_s: float | None = None
    ) -> None:
        """Write one coil (FC05); past the monotonic time `not_after_s` nothing is sent: TooLate."""
        question = Question(
            lambda c: c.write_coil(address, closed, device_id=unit), unit, (WRITE_COIL, address, int(closed))
        )
        what = f"a write of coil {address} to unit {unit}"
        await self._retried(lambda: self._attempt(question, what, not_after_s))

    def close(self) -> None:
        """Close the line, for every user of it."""
        self.line.drop()

    async def _read(
        self, unit: int, function: int, count: int, what: str, call: Callable[[int], Call]
    ) -> Exchange:
        """A read; it asks for more than `count` where an answer of that length may still come."""

        def question(asked: int) -> Question:
            shape = read_shape(function, asked)
            return Question(call(asked), unit, shape, plain=question(count) if asked != count else None)

        async def attempt() -> Exchange:
            asked = self.line.lost.asked(unit, function, count, time.monotonic())
            return await self._attempt(question(asked), what)

        return await self._retried(attempt)

    async def _attempt(self, question: Question, what: str, not_after_s: float | None = None) -> Exchange:
        done = await self.line.exchange(question, self.timeout_s, what, not_after_s=not_after_s)
        if done.answer.isError():
            raise ModbusException(done.answer.exception_code, f"{self.line.endpoint} refused {what}")
        return done

    async def _retried(self, attempt: Callable[[], Awaitable[Exchange]]) -> Exchange:
        for _ in range(self.retries):
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
