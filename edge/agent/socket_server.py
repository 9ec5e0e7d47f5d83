"""The agent's local socket: lines of JSON in, lines of JSON out. A bad line gets an answer, never a crash."""

from __future__ import annotations

import asyncio
import contextlib
import json
import socket
from pathlib import Path

from pydantic import ValidationError

from contract.message import Message
from contract.socket import Answer, Question, StreamRequest
from edge.agent.broadcast import FellBehindError
from edge.agent.requests import RefusedError, Requests
from edge.agent.summary import scan_of
from edge.agent.supervise import end_all
from edge.agent.tell import log

LINE_LIMIT = 16 * 2**20
_UNREAD_LIMIT = 4 * 2**20
_PROBE_S = 0.5


class SocketTakenError(Exception):
    """Somebody answers on the socket already, or it cannot be made."""


class SocketServer:
    """Serves the requests of one agent at a path."""

    def __init__(self, path: Path, requests: Requests) -> None:
        self._path = path
        self._requests = requests
        self._connections: set[asyncio.Task[None]] = set()
        self._server: asyncio.Server | None = None

    async def start(self) -> None:
        """Listen.

        Raises:
            SocketTakenError: Another agent answers there, or the folder cannot be used.
        """
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            self._path.parent.chmod(0o700)
            if self._path.exists():
                await self._clear_stale()
            self._server = await asyncio.start_unix_server(self._connected, self._path, limit=LINE_LIMIT)
            self._path.chmod(0o600)
        except OSError as error:
            raise SocketTakenError(f"the socket {self._path} cannot be made: {error.strerror}") from error

    async def stop(self) -> None:
        """Close every connection and remove the socket."""
        if self._server is not None:
            self._server.close()
        await end_all(tuple(self._connections))
        self._path.unlink(missing_ok=True)

    async def _clear_stale(self) -> None:
        """Remove the socket of an agent that is gone; one that answers stays."""
        probe = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        probe.settimeout(_PROBE_S)
        with probe:
            try:
                probe.connect(str(self._path))
            except ConnectionRefusedError:
                self._path.unlink(missing_ok=True)
                return
        raise SocketTakenError(f"an agent answers on {self._path} already")

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        if task is not None:
            self._connections.add(task)
            task.add_done_callback(self._connections.discard)
        connection = _Connection(self._requests, reader, writer)
        try:
            await connection.serve()
        except (OSError, asyncio.IncompleteReadError, FellBehindError):
            pass  # the other side went away, or does not read
        finally:
            self._requests.gone(connection)
            writer.close()
            with contextlib.suppress(OSError):
                await writer.wait_closed()


class _Connection:
    def __init__(
        self, requests: Requests, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        self._requests = requests
        self._reader = reader
        self._writer = writer

    async def serve(self) -> None:
        while True:
            try:
                line = await self._reader.readline()
            except ValueError:
                await self._say(Answer(id=0, error=f"a line is longer than {LINE_LIMIT // 2**20} MiB"))
                return
            if not line:
                return
            await self._answer(line)

    async def _answer(self, line: bytes) -> None:
        try:
            question = Question.model_validate_json(line)
        except ValidationError as error:
            await self._say(Answer(id=_id_in(line), error=_why(error)))
            return
        try:
            result = await self._requests.carry_out(question.request, self)
        except RefusedError as error:
            await self._say(Answer(id=question.id, error=str(error)))
            return
        except Exception as error:  # noqa: BLE001 - whatever a request meets, control and its neighbours go on
            log.exception("a request failed: %s", question.request.op)
            await self._say(Answer(id=question.id, error=f"the agent failed at this: {error}"))
            return
        if isinstance(question.request, StreamRequest):
            await self._stream(question.id, result)
        else:
            await self._say(_answer(question.id, result))

    async def _stream(self, number: int, accepted: Message) -> None:
        """Every scan from now on, until the other side closes."""
        gone = asyncio.ensure_future(self._closed())
        with self._requests.scans.listen() as scans:
            await self._say(_answer(number, accepted))
            try:
                while not gone.done():
                    scan = asyncio.ensure_future(scans.next())
                    await asyncio.wait({scan, gone}, return_when=asyncio.FIRST_COMPLETED)
                    if not scan.done():
                        scan.cancel()
                        return
                    await self._say(_answer(number, scan_of(scan.result())))
            finally:
                gone.cancel()

    async def _closed(self) -> None:
        with contextlib.suppress(OSError):
            await self._reader.read(1)

    async def _say(self, answer: Answer) -> None:
        if self._writer.transport.get_write_buffer_size() > _UNREAD_LIMIT:
            raise FellBehindError
        self._writer.write(answer.model_dump_json().encode() + b"\n")
        await self._writer.drain()


def _answer(number: int, result: Message) -> Answer:
    return Answer(id=number, result=result.model_dump(mode="json"))


def _id_in(line: bytes) -> int:
    """The id of a question that cannot be read otherwise, 0 when there is none."""
    try:
        found = json.loads(line)
    except ValueError:
        return 0
    number = found.get("id") if isinstance(found, dict) else None
    return number if isinstance(number, int) and not isinstance(number, bool) else 0


def _why(error: ValidationError) -> str:
    first = error.errors(include_url=False)[0]
    where = ".".join(str(part) for part in first["loc"])
    return f"the request is not understood: {f'{where}: ' if where else ''}{first['msg']}"
