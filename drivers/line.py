"""One Modbus wire: a TCP connection or a serial port, one exchange at a time.

pymodbus frames and parses; patience, retries and reconnecting are ours. After a timeout, a reset or a
cancelled exchange the connection is dropped, so that a late answer can never be taken for the next one. A serial
line has nothing to drop: what may still come on it is kept in mind (`drivers/lost.py`) and not taken when it comes.
"""

from __future__ import annotations

import asyncio
import termios
import time
from dataclasses import dataclass

from pymodbus.exceptions import ConnectionException, ModbusException, ModbusIOException
from pymodbus.pdu import ModbusPDU

from drivers.client import new_client
from drivers.errors import BadData, Timeout, TooLate, Unreachable
from drivers.lost import LostAnswers
from drivers.question import Client, Question, misfit, refuses_length, shape
from drivers.uri import ModbusUri

_NO_PORT = "the serial port cannot be opened"
_NO_HOST = "nothing accepts a connection, or one stands already and the device takes no other"

# Modbus over serial line 2.5.1.1: 3.5 characters of silence between frames, 1.75 ms above 19200 baud.
_SILENT_CHARS = 3.5
_BITS_PER_CHAR = 11
_MIN_SILENCE_S = 0.00175
_EXCEPTION = 0x80


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
        self._open: Question | None = None
        self._quiet_until_s = 0.0
        self._heard = b""
        chars_s = _SILENT_CHARS * _BITS_PER_CHAR / uri.baud
        self._silence_s = max(_MIN_SILENCE_S, chars_s) if uri.serial else 0.0

    async def exchange(
        self, question: Question, timeout_s: float, what: str, *, not_after_s: float | None = None
    ) -> Exchange:
        """Send one request and wait for its answer; connecting counts against the time as well.

        Where the device refuses its length, the plain one follows within the same time.

        Args:
            question: the request.
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
                    return await self._attempt(question, what, timeout_s, not_after_s)
            except TimeoutError:
                connected, heard = self._client is not None, bool(self._heard)
                self._fail(silent=not heard)
                if not connected:
                    raise Unreachable(f"{self.endpoint} cannot be reached within {timeout_s:g} s") from None
                if heard and self._uri.serial:
                    raise BadData(f"{self.endpoint} answered {what} with no whole frame") from None
                raise Timeout(f"{self.endpoint} did not answer {what} within {timeout_s:g} s") from None
            except ConnectionException:
                self._fail()
                raise Unreachable(f"{self.endpoint} closed the connection during {what}") from None
            except ModbusIOException as error:
                self._fail()
                raise BadData(f"{self.endpoint} answered {what} with a broken frame: {error}") from None
            except ModbusException as error:
                self._fail()
                raise BadData(f"{self.endpoint}, {what}: {error}") from None
            except (BadData, asyncio.CancelledError):
                self._fail()
                raise
            finally:
                self._open = None
                self._heard = b""

    def drop(self) -> None:
        """Close the connection; the next exchange opens a new one."""
        client, self._client = self._client, None
        if client is not None:
            client.close()

    def _fail(self, *, silent: bool = False) -> None:
        """Drop the connection; what was asked for may still come, and who was silent may be deaf to its length."""
        self.drop()
        asked = self._open
        if asked is not None:
            now_s = time.monotonic()
            self.lost.add(asked.unit, asked.shape, now_s)
            if silent and asked.plain is not None:
                self.lost.silent(asked.unit, asked.function, now_s)

    async def _attempt(
        self, question: Question, what: str, timeout_s: float, not_after_s: float | None
    ) -> Exchange:
        client = await self._connected()
        now_s = time.monotonic()
        due_s = self.lost.due_s(question.unit, question.shape, timeout_s / 2, now_s)
        if due_s > now_s:
            await asyncio.sleep(due_s - now_s)
        done = await self._asked(client, question, what, not_after_s)
        if question.plain is not None and refuses_length(done.answer):
            self.lost.forget(question.unit)
            return await self._asked(client, question.plain, what, not_after_s)
        self.lost.answered(question.unit, question.function, longer=question.plain is not None)
        return done

    async def _asked(
        self, client: Client, question: Question, what: str, not_after_s: float | None
    ) -> Exchange:
        if self._silence_s:
            await asyncio.sleep(max(0.0, self._quiet_until_s - time.monotonic()))
        sent_s = time.monotonic()
        if not_after_s is not None and sent_s > not_after_s:
            raise TooLate(f"{self.endpoint} was free {sent_s - not_after_s:.2g} s too late for {what}")
        self._open = question
        self._heard = b""
        answer = await question.call(client)
        while not question.answered_by(answer) and self.lost.owes(
            answer.dev_id, shape(answer), time.monotonic()
        ):
            self.lost.late(answer.dev_id, time.monotonic())
            self._heard = b""
            client.ctx.response_future = asyncio.Future()
            answer = await client.ctx.response_future
        received_s = time.monotonic()
        if not question.answered_by(answer):
            raise BadData(f"{self.endpoint} answered {what} with {misfit(question, answer)}")
        if self._silence_s:
            await self._one_frame(client, answer)
        return Exchange(answer, sent_s, received_s)

    async def _one_frame(self, client: Client, answer: ModbusPDU) -> None:
        """Wait for the silence that ends a frame: more of this unit before it makes both doubtful.

        Anything else behind it is what an idle line without bias shows while the drivers turn around.
        """
        await asyncio.sleep(self._silence_s)
        self._quiet_until_s = time.monotonic()
        behind = self._heard.partition(client.ctx.framer.buildFrame(answer))[2]
        function = answer.function_code & ~_EXCEPTION
        heads = (bytes((answer.dev_id, function)), bytes((answer.dev_id, function | _EXCEPTION)))
        if behind and any(head.startswith(behind[:2]) for head in heads):
            raise ModbusIOException("more came behind it without a pause")

    async def _connected(self) -> Client:
        if self._client is not None and self._client.connected:
            return self._client
        self.drop()
        client = self._new_client()
        try:
            connected = await client.connect()
        except termios.error as error:
            client.close()
            raise Unreachable(
                f"{self.endpoint} cannot be reached: the port does not take this baud rate, parity"
                f" or number of stop bits ({error.args[-1]})"
            ) from None
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
        def lost() -> None:
            # A reset while we wait must not cost the whole timeout.
            waiting = client.ctx.response_future
            if self._open and self._client is client and not waiting.done():
                waiting.set_exception(ConnectionException("connection lost"))

        def heard(data: bytes) -> None:
            # What comes before the answer is whole comes again with the rest of it; behind it, only the rest.
            self._heard = self._heard + data if client.ctx.response_future.done() else data

        client = new_client(self._uri, lost, heard)
        return client
