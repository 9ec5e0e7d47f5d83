"""The library's client for a device address: it frames and parses, and neither waits, retries nor reconnects."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any

from pymodbus.client import AsyncModbusSerialClient, AsyncModbusTcpClient

from drivers.question import Client
from drivers.uri import ModbusUri

# Every failure reaches the caller as an exception; the library's own messages would only repeat it on stderr.
logging.getLogger("pymodbus").setLevel(logging.CRITICAL)
# Waiting is ours: without a time of its own the library awaits the answer itself, one loop turn sooner.
_NO_TIME: Any = None


def new_client(uri: ModbusUri, lost: Callable[[], None], heard: Callable[[bytes], None]) -> Client:
    """A client that is not connected yet.

    Args:
        uri: the wire.
        lost: called when the connection has ended.
        heard: called with what came on a serial line, before it is parsed.
    """

    def changed(connected: bool) -> None:
        if not connected:
            lost()

    def traced(sending: bool, data: bytes) -> bytes:
        if not sending:
            heard(data)
        return data

    if uri.serial:
        return AsyncModbusSerialClient(
            uri.device,
            baudrate=uri.baud,
            parity=uri.parity,
            stopbits=uri.stopbits,
            timeout=_NO_TIME,
            retries=0,
            reconnect_delay=0,
            trace_connect=changed,
            trace_packet=traced,
        )
    return AsyncModbusTcpClient(
        uri.host, port=uri.port, timeout=_NO_TIME, retries=0, reconnect_delay=0, trace_connect=changed
    )
