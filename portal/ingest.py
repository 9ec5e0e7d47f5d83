"""The MQTT worker: store, then tell the gateway, then tell the broker.

A message is acknowledged only after the database commit, and a record's receipt goes to its gateway only then.
Killed in between, the broker delivers again and the gateway sends again; the record is known by its id.
"""

from __future__ import annotations

import asyncio
import logging
import random
import time
from collections.abc import AsyncIterator
from contextlib import suppress
from datetime import UTC, datetime

import aiomqtt
from sqlalchemy.exc import DBAPIError, SQLAlchemyError

from contract.mqtt import BrokerError, BrokerUri, Session, TlsFiles, connect, reconnect_window_s
from contract.records import Receipt
from contract.topics import ALL_STATUS, SHARED_UP, down
from portal.intake import Incoming, Intake

LOG = logging.getLogger("dergate.portal")
_BATCH = 50
_PROVEN_S = 15.0
_HAND_OVER_S = 2.0


class Ingest:
    """One worker; several on one broker share the records between them.

    Args:
        intake: Where records go.
        broker: Where they come from.
        identifier: Names this worker's session at the broker; stable across restarts.
        tls: Needed for `mqtts`.
    """

    def __init__(
        self, intake: Intake, broker: BrokerUri, identifier: str, tls: TlsFiles | None = None
    ) -> None:
        self._intake = intake
        self._broker = broker
        self._identifier = identifier
        self._tls = tls
        self.connected = asyncio.Event()
        self.lost_at: datetime | None = None

    async def run(self) -> None:
        """Serve until cancelled, through every outage of the broker and of the database."""
        said, lost_s = "", time.monotonic()
        while True:
            started_s = time.monotonic()
            try:
                await self._one_connection()
            except BrokerError as error:
                sentence = str(error)
            except SQLAlchemyError as error:
                cause = error.orig if isinstance(error, DBAPIError) else error
                sentence = f"the database refused: {cause}"
            finally:
                self._note_loss()
            if time.monotonic() - started_s > _PROVEN_S:
                said, lost_s = "", time.monotonic()
            if sentence != said:  # one line an outage, not one an attempt
                said = sentence
                LOG.warning("%s; trying again until it works", said)
            window_s = min(30.0, reconnect_window_s(time.monotonic() - lost_s))
            await asyncio.sleep(random.uniform(0.2, window_s))  # noqa: S311 - jitter, no secret

    def _note_loss(self) -> None:
        if self.lost_at is None or self.connected.is_set():
            self.lost_at = datetime.now(UTC)
        self.connected.clear()

    async def _one_connection(self) -> None:
        async with connect(self._broker, self._identifier, tls=self._tls, manual_ack=True) as session:
            # Retained presence is not given to shared subscriptions, hence the second one.
            await session.subscribe([SHARED_UP, ALL_STATUS])
            self.connected.set()
            self.lost_at = None
            messages = session.messages()
            try:
                while True:
                    await self._take(session, await _batch(session, messages))
            except asyncio.CancelledError:
                await _hand_over(session)
                raise

    async def _take(self, session: Session, batch: list[aiomqtt.Message]) -> None:
        incoming = [Incoming(str(message.topic), bytes(message.payload)) for message in batch]
        now = datetime.now(UTC)
        receipts = await asyncio.to_thread(self._intake.store, incoming, now)
        for gateway, ids in receipts.items():
            receipt = Receipt(ids=tuple(ids), time=now)
            await session.publish(down(gateway, "receipt"), receipt.model_dump_json().encode())
        for message in batch:
            session.acknowledge(message)


async def _hand_over(session: Session) -> None:
    """Told to end: the broker must deal nothing more to this worker while others share the work.

    What it had dealt already is sent again by the gateways, to whoever is there.
    """
    with suppress(BrokerError, TimeoutError):
        async with asyncio.timeout(_HAND_OVER_S):
            await session.unsubscribe([SHARED_UP])


async def _batch(session: Session, messages: AsyncIterator[aiomqtt.Message]) -> list[aiomqtt.Message]:
    """Wait for one message, and take with it those that are already here."""
    batch = [await anext(messages)]
    while session.waiting() and len(batch) < _BATCH:
        batch.append(await anext(messages))
    return batch
