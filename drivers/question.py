"""A request, and what an answer to it looks like on a wire that has no transaction ids."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TypeAlias

from pymodbus.client import AsyncModbusSerialClient, AsyncModbusTcpClient
from pymodbus.pdu import ModbusPDU

READ_COILS, READ_INPUTS, READ_REGISTERS, WRITE_COIL, WRITE_REGISTERS = 1, 2, 3, 5, 16
MAX_READ = 125
MAX_READ_BITS = 2000

Client: TypeAlias = AsyncModbusTcpClient | AsyncModbusSerialClient
Call: TypeAlias = Callable[[Client], Awaitable[ModbusPDU]]
Shape: TypeAlias = tuple[int, ...]
"""All that tells answers of one unit apart: the function; of reads the length, of writes what they echo."""

_EXCEPTION = 0x80
_NO_SUCH_COUNT = (2, 3)
_BITS = 8


@dataclass(frozen=True, slots=True)
class Question:
    """A request to a unit.

    Attributes:
        call: sends it on the client it is given.
        shape: of its answer.
        plain: the same read without the length that tells its answer from others; None where this is it.
    """

    call: Call
    unit: int
    shape: Shape
    plain: Question | None = None

    @property
    def function(self) -> int:
        """The function code."""
        return self.shape[0]

    def answered_by(self, answer: ModbusPDU) -> bool:
        """Whether this is an answer to it as far as one can tell, an exception included."""
        if answer.isError():
            return bool(answer.dev_id == self.unit and answer.function_code == self.function | _EXCEPTION)
        return answer.dev_id == self.unit and shape(answer) == self.shape


def read_shape(function: int, count: int) -> Shape:
    """The shape of the answer to a read of `count` registers or bits; bits come in whole bytes."""
    return (function, count) if function == READ_REGISTERS else (function, -(-count // _BITS))


def lengths(function: int, count: int) -> range:
    """How many registers or bits to ask for when `count` are wanted: each of these gives another shape."""
    if function == READ_REGISTERS:
        return range(count, MAX_READ + 1)
    return range(count, MAX_READ_BITS + 1, _BITS)


def shape(answer: ModbusPDU) -> Shape:
    """The shape of an answer that came; an exception's is its function code alone."""
    function = answer.function_code
    if function in (READ_COILS, READ_INPUTS):
        return function, len(answer.bits) // _BITS
    if function == READ_REGISTERS:
        return function, len(answer.registers)
    if function == WRITE_COIL:
        return function, answer.address, int(answer.bits[0])
    if function == WRITE_REGISTERS:
        return function, answer.address, answer.count
    return (function,)


def misfit(question: Question, answer: ModbusPDU) -> str:
    """In which way an answer is none to the question, in words."""
    if answer.dev_id != question.unit:
        return f"unit {answer.dev_id}"
    function, *rest = shape(answer)
    if function & ~_EXCEPTION != question.function:
        return f"function {function}"
    if function == READ_REGISTERS:
        return f"{rest[0]} registers"
    if function in (READ_COILS, READ_INPUTS):
        return f"{rest[0]} bytes of bits"
    return f"address {rest[0]}, {rest[1]}"


def refuses_length(answer: ModbusPDU) -> bool:
    """Whether a device refuses a read as longer than what it has (exceptions 2 and 3), which says nothing else."""
    return answer.isError() and answer.exception_code in _NO_SUCH_COUNT
