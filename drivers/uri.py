"""Device addresses: `tcp://host:port?unit=1` and `rtu:///dev/ttyUSB0?baud=9600&parity=N&unit=1`."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal, cast
from urllib.parse import SplitResult, parse_qsl, urlsplit

from drivers.errors import UriError

Parity = Literal["N", "E", "O"]
DEFAULT_PORT = 502
DEFAULT_BAUD = 9600


@dataclass(frozen=True, slots=True)
class ModbusUri:
    """One unit id at one Modbus endpoint; `unit` is None when the text named none."""

    host: str = ""
    port: int = DEFAULT_PORT
    device: str = ""
    baud: int = DEFAULT_BAUD
    parity: Parity = "N"
    stopbits: int = 1
    unit: int | None = None

    @staticmethod
    def parse(text: str) -> ModbusUri:
        """Read a URI.

        Args:
            text: the URI as a person wrote it.

        Raises:
            UriError: says what is wrong and what is allowed.
        """
        parts = urlsplit(text)
        if parts.scheme == "tcp":
            return _tcp(text, parts)
        if parts.scheme == "rtu":
            return _rtu(text, parts)
        raise UriError(
            f"{text!r} must start with tcp:// or rtu://, as in tcp://192.0.2.7:502?unit=1 "
            "or rtu:///dev/ttyUSB0?baud=9600&parity=N&unit=1"
        )

    @property
    def serial(self) -> bool:
        """Whether this is an RTU line."""
        return bool(self.device)

    @property
    def endpoint(self) -> str:
        """The wire without the unit id: what all units on one bus share."""
        if self.serial:
            return f"rtu://{self.device}?baud={self.baud}&parity={self.parity}&stopbits={self.stopbits}"
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"tcp://{host}:{self.port}"

    @property
    def unit_or_1(self) -> int:
        """The unit id, 1 when none was named."""
        return 1 if self.unit is None else self.unit

    def with_unit(self, unit: int) -> ModbusUri:
        """The same wire, another unit id."""
        return replace(self, unit=unit)

    def __str__(self) -> str:
        if self.unit is None:
            return self.endpoint
        return f"{self.endpoint}{'&' if self.serial else '?'}unit={self.unit}"


def _tcp(text: str, parts: SplitResult) -> ModbusUri:
    options = _options(text, parts.query, {"unit"})
    try:
        port = DEFAULT_PORT if parts.port is None else parts.port
    except ValueError:
        raise UriError(f"{text!r}: the port must be a number from 1 to 65535") from None
    if not parts.hostname:
        raise UriError(f"{text!r} names no host, as in tcp://192.0.2.7:502?unit=1")
    if port == 0 or parts.path not in ("", "/") or parts.username is not None or parts.fragment:
        raise UriError(
            f"{text!r} must be tcp://host:port?unit=N with a port from 1 to 65535 and nothing else"
        )
    return ModbusUri(host=parts.hostname, port=port, unit=_number(text, options, "unit", 0, 255))


def _rtu(text: str, parts: SplitResult) -> ModbusUri:
    options = _options(text, parts.query, {"baud", "parity", "stopbits", "unit"})
    if parts.netloc or len(parts.path) < 2 or parts.fragment:
        raise UriError(f"{text!r} must name a serial port with three slashes, as in rtu:///dev/ttyUSB0")
    parity = options.get("parity", "N")
    if parity not in ("N", "E", "O"):
        raise UriError(f"{text!r}: parity must be N, E or O, not {parity!r}")
    return ModbusUri(
        device=parts.path,
        baud=_number(text, options, "baud", 300, 921_600) or DEFAULT_BAUD,
        parity=cast("Parity", parity),
        stopbits=_number(text, options, "stopbits", 1, 2) or 1,
        unit=_number(text, options, "unit", 1, 247),
    )


def _options(text: str, query: str, allowed: set[str]) -> dict[str, str]:
    try:
        pairs = parse_qsl(query, keep_blank_values=True, strict_parsing=bool(query))
    except ValueError:
        raise UriError(f"{text!r}: options are written as name=value, joined by &") from None
    options = dict(pairs)
    for name in options:
        if name not in allowed:
            raise UriError(f"{text!r}: unknown option {name!r}; allowed: {', '.join(sorted(allowed))}")
    if len(options) != len(pairs):
        raise UriError(f"{text!r}: an option is given twice")
    return options


def _number(text: str, options: dict[str, str], name: str, low: int, high: int) -> int | None:
    if name not in options:
        return None
    value = options[name]
    if not (value.isascii() and value.isdigit() and low <= int(value) <= high):
        raise UriError(f"{text!r}: {name} must be a number from {low} to {high}, not {value!r}")
    return int(value)
