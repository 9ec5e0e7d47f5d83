"""One Modbus wire: a TCP connection or a serial port, one exchange at a time.

pymodbus frames and parses; patience, retries and reconnecting are ours. After a timeout, a reset or a
cancelled exchange the connection is dropped, so that a late answer can never be taken for the next one; what
that leaves open on a serial line is the bus's (`drivers/bus.py`).
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, TypeAlias

from pymodbus.client import AsyncModbusSerialClient, AsyncModbusTcpClient
from pymodbus.exceptions import ConnectionException, ModbusException, ModbusIOException
from pymodbus.pdu import ModbusPDU

from drivers.errors import BadData, Timeout, TooLate, Unreachable
from drivers.lost import LostAnswers
from drivers.uri import ModbusUri

Client: TypeAlias = AsyncModbusTcpClient | AsyncModbusSerialClient
Call: TypeAlias = Callable[[Client], Awaitable[ModbusPDU]]

# Every failure reaches the caller as an exception; the library's own messages would only repeat it on stderr.
logging.getLogger("pymodbus").setLevel(logging.CRITICAL)
# Waiting is ours: without a time of its own the library awaits the answer itself, one loop turn sooner.
_NO_TIME: Any = None
# Modbus over serial line 2.5.1.1: 3.5 characters of silence between frames, 1.75 ms above 19200 baud.
_NO_PORT = "the serial port cannot be opened"
_NO_HOST = "nothing accepts a connection, or one stands already and the device takes no other"

_SILENT_CHARS = 3.5
_BITS_PER_CHAR = 11
_MIN_SILENCE_S = 0.00175


@dataclass(frozen=True, slots=True)
class Exchange:
    """An answer, with the monotonic times of its request and its arrival, in s."""

    answer: ModbusPDU
    sent_s: float
    received_s: float


class Line:
    """A wire shared by all unit ids on it."""

    def __init__(self, uri: ModbusUri) -> None:
        self.endpoint = uri.endpoint
        self.connects = 0
        self.lost = LostAnswers(serial=uri.serial)
        self._uri = uri
        self._client: Client | None = None
        self._lock = asyncio.Lock()
        self._busy = False
        self._quiet_until_s = 0.0
        self._heard = b""
        chars_s = _SILENT_CHARS * _BITS_PER_CHAR / uri.baud
        self._silence_s = max(_MIN_SILENCE_S, chars_s) if uri.serial else 0.0

    async def exchange(
        self, call: Call, timeout_s: float, what: str, *, not_after_s: float | None = None
    ) -> Exchange:
        """Send one request and wait for its answer; connecting counts against the time as well.

        Args:
            call: sends the request on the client it is given.
            timeout_s: the longest this may take once the line is ours, in s.
            what: the request in words, for messages.
            not_after_s: monotonic time past which the request must not go out, None when it never spoils.

        Raises:
            TooLate: others held the line past `not_after_s`, or connecting did; nothing was sent.
            Unreachable, Timeout, BadData: the connection has been dropped, the next exchange reconnects.
        """
        async with self._lock:
            try:
                async with asyncio.timeout(timeout_s):
                    return await self._attempt(call, what, not_after_s)
            except TimeoutError:
                connected = self._client is not None
                self.drop()
                if not connected:
                    raise Unreachable(f"{self.endpoint} cannot be reached within {timeout_s:g} s") from None
                if self._heard and self._uri.serial:
                    raise BadData(f"{self.endpoint} answered {what} with no whole frame") from None
                raise Timeout(f"{self.endpoint} did not answer {what} within {timeout_s:g} s") from None
            except ConnectionException:
                self.drop()
                raise Unreachable(f"{self.endpoint} closed the connection during {what}") from None
            except ModbusIOException as error:
                self.drop()
                raise BadData(f"{self.endpoint} answered {what} with a broken frame: {error}") from None
            except ModbusException as error:
                self.drop()
                raise BadData(f"{self.endpoint}, {what}: {error}") from None
            except asyncio.CancelledError:
                self.drop()
                raise
            finally:
                self._busy = False

    def drop(self) -> None:
        """Close the connection; the next exchange opens a new one."""
        client, self._client = self._client, None
        if client is not None:
            client.close()

    async def _attempt(self, call: Call, what: str, not_after_s: float | None) -> Exchange:
        client = await self._connected()
        if self._silence_s:
            await asyncio.sleep(max(0.0, self._quiet_until_s - time.monotonic()))
        sent_s = time.monotonic()
        if not_after_s is not None and sent_s > not_after_s:
            raise TooLate(f"{self.endpoint} was free {sent_s - not_after_s:.2g} s too late for {what}")
        self._busy = True
        self._heard = b""
        answer = await call(client)
        received_s = time.monotonic()
        if self._silence_s:
            await self._one_frame(client, answer)
        return Exchange(answer, sent_s, received_s)

    async def _one_frame(self, client: Client, answer: ModbusPDU) -> None:
        """Wait for the silence that ends a frame: where more comes before it, there was no frame."""
        await asyncio.sleep(self._silence_s)
        self._quiet_until_s = time.monotonic()
        if not self._heard.endswith(client.ctx.framer.buildFrame(answer)):
            raise ModbusIOException("more came behind it without a pause")

    async def _connected(self) -> Client:
        if self._client is not None and self._client.connected:
            return self._client
        self.drop()
        client = self._new_client()
        try:
            connected = await client.connect()
        except BaseException:
            client.close()
            raise
        if not connected:
            client.close()
            raise Unreachable(
                f"{self.endpoint} cannot be reached: {_NO_PORT if self._uri.serial else _NO_HOST}"
            )
        self.connects += 1
        self._client = client
        return client

    def _new_client(self) -> Client:
        uri = self._uri

        def changed(connected: bool) -> None:
            # A reset while we wait must not cost the whole timeout.
            waiting = client.ctx.response_future
            if not connected and self._busy and self._client is client and not waiting.done():
                waiting.set_exception(ConnectionException("connection lost"))

        def traced(sending: bool, data: bytes) -> bytes:
            if not sending:
                self._heard = data
            return data

        client: Client
        if uri.serial:
            client = AsyncModbusSerialClient(
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
        else:
            client = AsyncModbusTcpClient(
                uri.host,
                port=uri.port,
                timeout=_NO_TIME,
                retries=0,
                reconnect_delay=0,
                trace_connect=changed,
            )
        return client
