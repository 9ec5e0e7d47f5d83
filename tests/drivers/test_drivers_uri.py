"""Device URIs: the two forms, and a sentence for each mistake."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drivers.errors import DriverError, UriError
from drivers.uri import ModbusUri


def test_tcp_in_full() -> None:
    uri = ModbusUri.parse("tcp://192.0.2.7:1502?unit=126")
    assert (uri.host, uri.port, uri.unit, uri.serial) == ("192.0.2.7", 1502, 126, False)
    assert str(uri) == "tcp://192.0.2.7:1502?unit=126"


def test_tcp_defaults() -> None:
    uri = ModbusUri.parse("tcp://inverter.local")
    assert (uri.port, uri.unit, uri.unit_or_1) == (502, None, 1)
    assert ModbusUri.parse("tcp://[fe80::1]:502").endpoint == "tcp://[fe80::1]:502"


def test_rtu_in_full_and_defaults() -> None:
    uri = ModbusUri.parse("rtu:///dev/ttyUSB0?baud=19200&parity=E&unit=7")
    assert (uri.device, uri.baud, uri.parity, uri.unit) == ("/dev/ttyUSB0", 19200, "E", 7)
    plain = ModbusUri.parse("rtu:///dev/ttyUSB0")
    assert (plain.baud, plain.parity, plain.stopbits, plain.unit) == (9600, "N", 1, None)


def test_units_on_one_wire_share_the_endpoint() -> None:
    one, two = (ModbusUri.parse(f"tcp://192.0.2.7?unit={unit}") for unit in (1, 2))
    assert one.endpoint == two.endpoint
    assert one.with_unit(2) == two


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("http://192.0.2.7", "must start with tcp:// or rtu://"),
        ("", "must start with"),
        ("tcp://", "names no host"),
        ("tcp://:502", "names no host"),
        ("tcp://host:99999", "port must be a number"),
        ("tcp://host:x", "port must be a number"),
        ("tcp://host:0", "port from 1 to 65535"),
        ("tcp://host/path", "nothing else"),
        ("tcp://host?unit=256", "unit must be a number from 0 to 255"),
        ("tcp://host?unit=-1", "unit must be a number"),
        ("tcp://host?unit=", "unit must be a number"),
        ("tcp://host?slave=1", "unknown option 'slave'; allowed: unit"),
        ("tcp://host?unit=1&unit=2", "given twice"),
        ("tcp://host?unit", "name=value"),
        ("rtu://dev/ttyUSB0", "three slashes"),
        ("rtu:///", "three slashes"),
        ("rtu:///dev/ttyUSB0?parity=X", "parity must be N, E or O"),
        ("rtu:///dev/ttyUSB0?baud=12", "baud must be a number from 300"),
        ("rtu:///dev/ttyUSB0?unit=248", "unit must be a number from 1 to 247"),
    ],
)
def test_a_mistake_is_named(text: str, says: str) -> None:
    with pytest.raises(UriError, match=says):
        ModbusUri.parse(text)


def test_a_uri_error_is_both_a_driver_error_and_a_value_error() -> None:
    assert issubclass(UriError, DriverError)
    assert issubclass(UriError, ValueError)


@given(
    st.builds(
        ModbusUri,
        host=st.from_regex(r"[a-z][a-z0-9-]{0,20}", fullmatch=True),
        port=st.integers(1, 65535),
        unit=st.none() | st.integers(0, 255),
    )
    | st.builds(
        ModbusUri,
        device=st.from_regex(r"/dev/tty[A-Z]{1,3}[0-9]", fullmatch=True),
        baud=st.sampled_from([1200, 9600, 115200]),
        parity=st.sampled_from(["N", "E", "O"]),
        stopbits=st.sampled_from([1, 2]),
        unit=st.none() | st.integers(1, 247),
    )
)
def test_text_and_uri_agree(uri: ModbusUri) -> None:
    assert ModbusUri.parse(str(uri)) == uri
