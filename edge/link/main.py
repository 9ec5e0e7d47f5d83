"""The link process: connect, serve, and connect again for as long as it takes."""

from __future__ import annotations

import asyncio
import logging
import random
import time
from contextlib import suppress
from pathlib import Path

from contract.mqtt import BrokerError, BrokerUri, TlsFiles, connect, reconnect_window_s
from edge.link.notify import Rounds
from edge.link.uplink import LOG, Uplink
from edge.spool import Spool, SpoolError

_PROVEN_S = 15.0
"""A connection that lasted this long was a working one; its end begins a new outage."""


async def run_link(
    spool_path: Path,
    gateway: str,
    broker: BrokerUri,
    *,
    tls: TlsFiles | None = None,
    stop: asyncio.Event,
    drain: asyncio.Event | None = None,
) -> None:
    """Carry records from the spool to the portal until `stop`, or until the spool is empty after `drain`.

    Raises:
        SpoolError: The spool cannot be opened.
    """
    spool = Spool(spool_path, gateway)
    try:
        link = _Link(spool, gateway, broker, tls, drain or asyncio.Event())
        work = asyncio.create_task(link.keep_connected())
        stopped = asyncio.create_task(stop.wait())
        await asyncio.wait({work, stopped}, return_when=asyncio.FIRST_COMPLETED)
        for task in (work, stopped):
            task.cancel()
        outcome, _ = await asyncio.gather(work, stopped, return_exceptions=True)
        if isinstance(outcome, Exception):
            raise outcome
    finally:
        spool.close()


class _Link:
    """One gateway's link over all its connections."""

    def __init__(
        self, spool: Spool, gateway: str, broker: BrokerUri, tls: TlsFiles | None, drain: asyncio.Event, /
    ) -> None:
        self._spool = spool
        self._broker = broker
        self._identifier = f"gateway-{gateway}"
        self._tls = tls
        self._drain = drain
        self._rounds = Rounds()
        self._uplink = Uplink(spool, gateway, drain, self._rounds.completed)
        self._said = ""
        self._lost_s = time.monotonic()

    async def keep_connected(self) -> None:
        while not (self._drain.is_set() and not self._spool.count()):
            started_s = time.monotonic()
            try:
                await self._one_connection()
            except (BrokerError, SpoolError) as error:
                if time.monotonic() - started_s > _PROVEN_S:
                    self._said, self._lost_s = "", time.monotonic()
                self._say_once(str(error))
                self._rounds.completed()
                window_s = reconnect_window_s(time.monotonic() - self._lost_s)
                await _sleep_unless(self._drain, random.uniform(0.2, window_s))  # noqa: S311 - jitter

    async def _one_connection(self) -> None:
        will = self._uplink.will()
        async with connect(self._broker, self._identifier, tls=self._tls, will=will) as session:
            try:
                await self._uplink.run(session)
            finally:
                # Without this, an end on purpose would look like a connection that died.
                with suppress(BrokerError):
                    await self._uplink.leave(session)

    def _say_once(self, sentence: str) -> None:
        """One line an outage, not one an attempt."""
        if sentence != self._said:
            self._said = sentence
            LOG.warning("%s; trying again until it works, nothing is lost meanwhile", sentence)


async def _sleep_unless(drain: asyncio.Event, seconds: float) -> None:
    # A drain cuts a long jitter short once; after that it retries at an easy pace.
    if drain.is_set():
        await asyncio.sleep(min(seconds, 1.0))
        return
    with suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            await drain.wait()


def log_to_stderr() -> None:
    """One line for each thing worth knowing; for the process entry points."""
    logging.basicConfig(level=logging.INFO, format="dergate link: %(message)s")
    logging.getLogger("mqtt").setLevel(logging.ERROR)
