"""The client to the agent's local socket, and where that socket is found."""

from __future__ import annotations

import asyncio
import hashlib
import itertools
import os
import tempfile
from collections.abc import AsyncIterator
from pathlib import Path
from types import TracebackType
from typing import Self, TypeVar

from pydantic import BaseModel, ValidationError

from contract.socket import Accepted, Answer, Question, Request, Scan, StatusRequest, StreamRequest
from contract.status import Status

R = TypeVar("R", bound=BaseModel)
_LINE_LIMIT = 16 * 2**20


class AgentUnreachableError(Exception):
    """No agent answers on its socket."""


class AgentRefusedError(Exception):
    """The agent answered, and said why not."""


def runtime_dir() -> Path:
    """The folder of this user's agent sockets: short, private, gone after a reboot."""
    base = os.environ.get("DERGATE_RUNTIME_DIR") or os.environ.get("XDG_RUNTIME_DIR")
    return Path(base) / "dergate" if base else Path(tempfile.gettempdir()) / f"dergate-{os.getuid()}"


def socket_path(site_file: Path) -> Path:
    """The socket of the agent that runs `site_file`."""
    digest = hashlib.sha256(str(site_file.resolve()).encode()).hexdigest()[:12]
    return runtime_dir() / f"{digest}.sock"


def state_dir(site_file: Path, declared: str | None = None) -> Path:
    """The folder of a site's durable state: as declared (relative to the site file), or beside the file."""
    if declared is None:
        return site_file.resolve().with_suffix(".state")
    return site_file.resolve().parent / declared


def running_sockets() -> list[Path]:
    """Sockets of agents that may be running for this user."""
    return sorted(runtime_dir().glob("*.sock"))


class AgentClient:
    """One connection to an agent. Overrides asked for on it end with it.

    Use as `async with AgentClient(path) as agent: status = await agent.status()`.
    """

    def __init__(self, path: Path, timeout_s: float = 10.0) -> None:
        self._path = path
        self._timeout_s = timeout_s
        self._ids = itertools.count(1)
        self._reader: asyncio.StreamReader
        self._writer: asyncio.StreamWriter

    async def __aenter__(self) -> Self:
        try:
            async with asyncio.timeout(self._timeout_s):
                self._reader, self._writer = await asyncio.open_unix_connection(
                    str(self._path), limit=_LINE_LIMIT
                )
        except (OSError, TimeoutError) as error:
            raise AgentUnreachableError("no agent is running for this site") from error
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._writer.close()

    async def ask(self, request: Request, answer: type[R], timeout_s: float | None = None) -> R:
        """Send one request and wait for its answer.

        Raises:
            AgentRefusedError: The agent said why not.
            AgentUnreachableError: The agent is gone or silent.
        """
        try:
            async with asyncio.timeout(timeout_s or self._timeout_s):
                number = await self._send(request)
                while True:
                    reply = await self._receive()
                    if reply.id == number:
                        return answer.model_validate(self._result(reply))
        except TimeoutError as error:
            raise AgentUnreachableError("the agent does not answer in time") from error

    async def status(self) -> Status:
        """The whole picture."""
        return await self.ask(StatusRequest(), Status)

    async def stream(self) -> AsyncIterator[Scan]:
        """Yield one `Scan` after each scan. Use a connection of its own for it."""
        await self.ask(StreamRequest(), Accepted)
        while True:
            yield Scan.model_validate(self._result(await self._receive()))

    async def _send(self, request: Request) -> int:
        number = next(self._ids)
        self._writer.write(Question(id=number, request=request).model_dump_json().encode() + b"\n")
        try:
            await self._writer.drain()
        except OSError as error:
            raise AgentUnreachableError(f"the agent is gone: {error}") from error
        return number

    async def _receive(self) -> Answer:
        try:
            line = await self._reader.readline()
        except OSError as error:
            raise AgentUnreachableError(f"the agent is gone: {error}") from error
        if not line:
            raise AgentUnreachableError("the agent closed the connection")
        try:
            return Answer.model_validate_json(line)
        except ValidationError as error:
            raise AgentUnreachableError(
                "the agent's answer is not understood; is it another version?"
            ) from error

    @staticmethod
    def _result(reply: Answer) -> dict[str, object]:
        if reply.error is not None:
            raise AgentRefusedError(reply.error)
        return reply.result or {}
