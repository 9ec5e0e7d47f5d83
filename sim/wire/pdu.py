"""A request as it is asked of a unit, out of the bytes of a Modbus PDU, and the bytes of its answer.

Functions 1 to 6, 15 and 16 are known (Modbus application protocol 1.1b3, clause 6); pymodbus reads the requests.
"""

from __future__ import annotations

import logging
import struct
from collections.abc import Sequence
from dataclasses import dataclass

from pymodbus.pdu import DecodePDU, ModbusPDU
from pymodbus.pdu.utils import pack_bitstring

from sim.devices.unit import ModbusRefusal, Refusal

READ_BITS = (1, 2)
READ_REGISTERS = (3, 4)

_READS = READ_BITS + READ_REGISTERS
_WRITE_COIL, _WRITE_REGISTER, _WRITE_COILS = 5, 6, 15
_MOST = {1: 2000, 2: 2000, 3: 125, 4: 125, 5: 1, 6: 1, 15: 1968, 16: 123}
_ADDRESSES = 0x10000
_ECHO_BYTES = 5
# A request that cannot be read is answered; the library's own message about it would only stand on stderr.
logging.getLogger("pymodbus").setLevel(logging.CRITICAL)
_DECODER = DecodePDU(is_server=True)


@dataclass(frozen=True, slots=True)
class Request:
    """What is asked of a unit; `values` is None for a read, bits are 0 or 1."""

    function_code: int
    address: int
    count: int
    values: tuple[int, ...] | None = None

    @property
    def reads_registers(self) -> bool:
        """Whether registers, not bits, are read."""
        return self.function_code in READ_REGISTERS


def decoded(pdu: bytes) -> Request:
    """The request in a PDU.

    Raises:
        ModbusRefusal: When the function is unknown, or the PDU is not what its function says.
    """
    function_code = pdu[0]
    if function_code not in _MOST:
        raise ModbusRefusal(Refusal.ILLEGAL_FUNCTION)
    found = _DECODER.decode(pdu)
    if found is None:
        raise ModbusRefusal(Refusal.ILLEGAL_VALUE)
    count, values = _asked(found)
    if not 1 <= count <= _MOST[function_code] or (values is not None and len(values) != count):
        raise ModbusRefusal(Refusal.ILLEGAL_VALUE)
    if found.address + count > _ADDRESSES:
        raise ModbusRefusal(Refusal.ILLEGAL_ADDRESS)
    return Request(function_code, found.address, count, values)


def _asked(found: ModbusPDU) -> tuple[int, tuple[int, ...] | None]:
    """How many registers or bits, and the values of a write; whole bytes of bits are cut to their number."""
    if found.function_code in _READS:
        return found.count, None
    if found.function_code == _WRITE_COIL:
        return 1, (int(found.bits[0]),)
    if found.function_code == _WRITE_REGISTER:
        return 1, (found.registers[0],)
    if found.function_code == _WRITE_COILS:
        return found.count, tuple(int(bit) for bit in found.bits[: found.count])
    return found.count, tuple(found.registers)


def answered(pdu: bytes, values: Sequence[int]) -> bytes:
    """The PDU that answers the request `pdu`: registers or bits read, or the echo of a write."""
    function_code = pdu[0]
    if function_code in READ_REGISTERS:
        return struct.pack(f">BB{len(values)}H", function_code, 2 * len(values), *values)
    if function_code in READ_BITS:
        packed = pack_bitstring([bool(value) for value in values])
        return bytes((function_code, len(packed))) + packed
    return pdu[:_ECHO_BYTES]


def refused(pdu: bytes, code: int) -> bytes:
    """The PDU that refuses the request `pdu`."""
    return bytes((pdu[0] | 0x80, code))
