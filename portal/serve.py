"""The portal as one process: the MQTT worker and the web pages on one event loop."""

from __future__ import annotations

import asyncio
import hashlib
import signal
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import uvicorn

from contract.mqtt import BrokerUri, TlsFiles
from portal.app import make_app
from portal.database import open_database
from portal.ingest import Ingest
from portal.intake import Intake
from portal.service import Service

_REACH_S = 5.0


class UnreachableError(Exception):
    """The port is in use or the broker does not answer; one sentence."""


class IntakeEndedError(Exception):
    """The worker has ended for a reason nobody foresaw; pages that grow old are not served on."""


@dataclass(frozen=True)
class Options:
    """How to serve."""

    db: Path
    broker: BrokerUri
    host: str
    port: int
    tls: TlsFiles


async def serve(options: Options, ready: Callable[[str], None]) -> None:
    """Serve until a signal; `ready` is called once with the address of the pages.

    Raises:
        UnreachableError: The port is in use, or no broker answers.
        PortalDatabaseError: The database cannot be used.
        IntakeEndedError: The worker has ended.
    """
    listener = _listen(options.host, options.port)
    with listener:
        await _reach(options.broker)
        engine = open_database(options.db)
        try:
            ingest = Ingest(Intake(engine), options.broker, _identifier(options.db), options.tls)
            app = make_app(Service(engine), ingest)
            config = uvicorn.Config(app, log_level="warning", access_log=False, lifespan="off", ws="none")
            server = _Server(config)
            work = asyncio.create_task(ingest.run())
            work.add_done_callback(server.end)
            announce = asyncio.create_task(_announce(server, ingest, listener, ready))
            try:
                await server.serve(sockets=[listener])
                if work.done() and (error := work.exception()):
                    raise IntakeEndedError(
                        f"the intake has ended: {type(error).__name__}: {error}"
                    ) from error
            finally:
                for task in (work, announce):
                    task.cancel()
                await asyncio.gather(work, announce, return_exceptions=True)
        finally:
            engine.dispose()


class _Server(uvicorn.Server):
    """A server whose end by a signal is an ordinary end: uvicorn's own would kill the process by it again."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Stop serving on SIGTERM and SIGINT."""
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self.handle_exit, number, None)
        yield

    def end(self, _: asyncio.Task[None]) -> None:
        """Stop serving because a task has ended."""
        self.should_exit = True


def _listen(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((host, port))
    except OSError as error:
        listener.close()
        raise UnreachableError(f"cannot listen on {host} port {port}: {error.strerror}") from error
    return listener


async def _reach(broker: BrokerUri) -> None:
    try:
        async with asyncio.timeout(_REACH_S):
            _, writer = await asyncio.open_connection(broker.host, broker.port)
    except (OSError, TimeoutError) as error:
        raise UnreachableError(f"no broker answers at {broker}; is it running?") from error
    writer.close()
    with suppress(OSError):
        await writer.wait_closed()


def _identifier(db: Path) -> str:
    """Stable for one database on one machine: the broker keeps this worker's session under it."""
    name = f"{socket.gethostname()}:{db.resolve()}"
    return f"portal-{hashlib.sha256(name.encode()).hexdigest()[:16]}"


async def _announce(
    server: uvicorn.Server, ingest: Ingest, listener: socket.socket, ready: Callable[[str], None]
) -> None:
    while not server.started:  # noqa: ASYNC110 - uvicorn offers no event for it
        await asyncio.sleep(0.02)
    with suppress(TimeoutError):
        async with asyncio.timeout(_REACH_S):
            await ingest.connected.wait()
    host, port = listener.getsockname()[:2]
    ready(f"http://{f'[{host}]' if ':' in host else host}:{port}")
