"""Everything a driver can raise. One root; each message is a sentence a person can act on."""

from __future__ import annotations

CODES = {
    1: "illegal function",
    2: "illegal address",
    3: "illegal value",
    4: "device failure",
    5: "acknowledged, still working",
    6: "device busy",
    10: "gateway path unavailable",
    11: "gateway got no answer from the device",
}


class DriverError(Exception):
    """Root of all driver errors."""


class UriError(DriverError, ValueError):
    """A device URI that cannot be used."""


class Unreachable(DriverError):  # noqa: N818 - the name says the state of the device
    """No connection: refused, no route, no such serial port, or reset while waiting."""


class Timeout(DriverError):  # noqa: N818 - the field's own word
    """The connection stands, but no answer came in time."""


class TooLate(DriverError):  # noqa: N818 - says what became of the request
    """The line was not free before the request had lost its meaning; nothing was sent."""


class ModbusException(DriverError):  # noqa: N818 - the protocol's own word
    """The device answered with an exception.

    Attributes:
        code: the Modbus exception code (1 illegal function, 2 illegal address, ...).
    """

    ILLEGAL_ADDRESS = 2

    def __init__(self, code: int, what: str) -> None:
        super().__init__(f"{what}: exception {code} ({CODES.get(code, 'unknown code')})")
        self.code = code


class BadData(DriverError):  # noqa: N818 - short, and clear where it is raised
    """An answer that cannot be true: wrong length, a moved model, an implausible rating."""


class Moved(BadData):
    """Another model lies where one was found before: the chain must be walked again."""


class NotSunSpec(DriverError):  # noqa: N818 - says what the device is
    """The device answers, but has no SunSpec map at any known base."""


class OutOfRange(DriverError):  # noqa: N818 - says what the value is
    """A value that the point's type cannot hold, or must not."""


def layout_changed(error: DriverError) -> bool:
    """Whether an error says that the device's map is not what was found, so that it must be walked again."""
    if isinstance(error, ModbusException):
        return error.code == ModbusException.ILLEGAL_ADDRESS
    return isinstance(error, Moved)
