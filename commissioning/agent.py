"""What commissioning needs of the agent: two narrow connections, and nothing else of the site."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager
from typing import Protocol, TypeVar

from pydantic import BaseModel

from contract.socket import Request, Scan
from contract.status import Status

R = TypeVar("R", bound=BaseModel)


class Agent(Protocol):
    """One connection to the agent; `contract.client.AgentClient` is the real one."""

    async def ask(self, request: Request, answer: type[R], timeout_s: float | None = None) -> R:
        """Send one request and wait for its answer."""
        ...

    async def status(self) -> Status:
        """The whole picture."""
        ...

    def stream(self) -> AsyncIterator[Scan]:
        """One `Scan` after each scan, on a connection of its own."""
        ...


Connect = Callable[[], AbstractAsyncContextManager[Agent]]
"""Opens a connection; overrides asked for on it end with it."""
