"""The gateway's end of one connection: presence, records up in order, receipts down."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from importlib.metadata import version

import aiomqtt
from pydantic import ValidationError

from contract.envelope import Envelope, new_id
from contract.mqtt import Session
from contract.records import Presence, Receipt
from contract.topics import down, up
from edge.link.window import Window
from edge.spool import Pending, Spool
from edge.spool.clock import WallClock
from edge.spool.spool import boot_id

LOG = logging.getLogger("dergate.link")
_IDLE_S = 0.5
_BATCH = 20
_BATCH_BYTES = 2 * 2**20


class Uplink:
    """Moves records from the spool to the portal over one session after another.

    Args:
        spool: Emptied only by receipts.
        gateway: Our identity, which the broker's ACL expects in every topic.
        drain: Once set, `run` returns when the spool is empty.
        on_round: Called whenever nothing is left to send, or what was sent is confirmed.
    """

    def __init__(
        self,
        spool: Spool,
        gateway: str,
        drain: asyncio.Event,
        on_round: Callable[[], None] = lambda: None,
    ) -> None:
        self._spool = spool
        self._gateway = gateway
        self._drain = drain
        self._on_round = on_round
        self._window = Window()
        self._wake = asyncio.Event()
        self._connection = new_id()

    def will(self) -> aiomqtt.Will:
        """What the broker announces when this connection dies; to be used for the next connection."""
        self._connection = new_id()
        payload = self._presence(online=False).to_bytes()
        return aiomqtt.Will(up(self._gateway, "status"), payload, qos=1, retain=True)

    async def run(self, session: Session) -> None:
        """Serve one connection until it is lost (BrokerError) or, when draining, the spool is empty."""
        self._window.forget()
        await session.subscribe([down(self._gateway, "receipt")])
        await self._announce(session, online=True)
        LOG.info("connected to the broker; %d records wait for a receipt", self._spool.count())
        receipts = asyncio.create_task(self._receive(session))
        pump = asyncio.create_task(self._pump(session))
        try:
            done, _ = await asyncio.wait({receipts, pump}, return_when=asyncio.FIRST_COMPLETED)
            for task in done:
                task.result()
        finally:
            receipts.cancel()
            pump.cancel()
            await asyncio.gather(receipts, pump, return_exceptions=True)

    async def leave(self, session: Session) -> None:
        """Say that this end is deliberate."""
        await self._announce(session, online=False, timeout_s=2.0)

    async def _announce(self, session: Session, *, online: bool, timeout_s: float = 10.0) -> None:
        payload = self._presence(online=online).to_bytes()
        await session.publish(up(self._gateway, "status"), payload, retain=True, timeout_s=timeout_s)

    def _presence(self, *, online: bool) -> Envelope:
        presence = Presence(online=online, connection=self._connection, version=version("dergate"))
        return Envelope(
            id=new_id(),
            gateway=self._gateway,
            kind="status",
            seq=None,
            time=datetime.now(UTC),
            time_quality=WallClock().quality(),
            mono_s=time.monotonic(),
            boot=boot_id(),
            schema_="presence/1",
            payload=presence.model_dump(mode="json"),
        )

    async def _pump(self, session: Session) -> None:
        seen = -1
        while True:
            changes = self._spool.changes()
            if changes != seen or self._wake.is_set():
                seen = changes
                self._wake.clear()
                await self._send_new(session)
                if self._drain.is_set() and not self._spool.count():
                    return
            await self._send_again(session)
            self._on_round()
            await self._rest()

    async def _rest(self) -> None:
        # A drain that begins with an empty spool is noticed here too: it wakes the pump once.
        if self._drain.is_set():
            self._wake.set()
            await asyncio.sleep(0.05)
            return
        try:
            async with asyncio.timeout(_IDLE_S):
                await self._wake.wait()
        except TimeoutError:
            return

    async def _send_new(self, session: Session) -> None:
        while (room := self._window.room()) > 0:
            records = self._spool.pending(min(room, _BATCH), self._window.last_seq, _BATCH_BYTES)
            if not records:
                return
            await self._publish(session, records)

    async def _send_again(self, session: Session) -> None:
        for record_id in self._window.due(time.monotonic()):
            record = self._spool.get(record_id)
            if record is None:
                self._window.remove([record_id])
            else:
                await self._publish(session, [record])

    async def _publish(self, session: Session, records: Sequence[Pending]) -> None:
        """Publish in order, then wait for the broker; the record itself waits for the portal's receipt."""
        heard = await asyncio.gather(
            *(
                session.publish(
                    up(self._gateway, record.kind), record.body, expiry_s=self._window.expiry_s(record)
                )
                for record in records
            )
        )
        # Not before: a large report may take minutes to send, and its receipt is due only after that.
        now_s = time.monotonic()
        for record, somebody in zip(records, heard, strict=True):
            self._window.add(record, now_s, heard=somebody)
        self._on_round()

    async def _receive(self, session: Session) -> None:
        async for message in session.messages():
            try:
                receipt = Receipt.model_validate_json(bytes(message.payload))
            except ValidationError:
                LOG.warning("a receipt that cannot be read was ignored")
                continue
            self._spool.mark_received(receipt.ids)
            self._window.remove(receipt.ids)
            self._wake.set()
