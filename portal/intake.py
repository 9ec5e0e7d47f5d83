"""Storing what came in: one transaction a batch, each record once by its id.

What cannot be a record is kept apart as it came, and receipted: its gateway can do nothing about it, and would
send it again for ever, until nothing else finds room on the way.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Engine, delete, func, select
from sqlalchemy.exc import DataError, IntegrityError, SQLAlchemyError, StatementError
from sqlalchemy.orm import Session

from contract.envelope import Envelope, EnvelopeError, id_of
from contract.records import Payload, Presence, Status, Tombstone, read_payload
from contract.topics import parse
from portal import gaps, mapper
from portal.tables import Gap, Record, Rejected, Site


@dataclass(frozen=True)
class Incoming:
    """A message as the broker gave it."""

    topic: str
    body: bytes


class Intake:
    """Takes batches of messages into the database."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def store(self, batch: Sequence[Incoming], now: datetime) -> dict[str, list[str]]:
        """Commit a batch, then say by gateway which ids are stored, now or before.

        A message that is no record of the topic's gateway, or that alone cannot be stored, is kept as rejected.

        Raises:
            SQLAlchemyError, OSError, MemoryError: The fault is the database's or the machine's; try again later.
        """
        try:
            return self._commit(batch, now)
        except Exception as error:
            if not _is_the_records_fault(error):
                raise
        receipts: dict[str, list[str]] = {}
        for message in batch:
            for gateway, ids in self._store_alone(message, now).items():
                receipts.setdefault(gateway, []).extend(ids)
        return receipts

    def _store_alone(self, message: Incoming, now: datetime) -> dict[str, list[str]]:
        try:
            return self._commit([message], now)
        except Exception as error:
            if not _is_the_records_fault(error):
                raise
            return self._commit([message], now, f"cannot be stored: {type(error).__name__}: {error}")

    def _commit(
        self, batch: Sequence[Incoming], now: datetime, reason: str | None = None
    ) -> dict[str, list[str]]:
        """One transaction; with a `reason`, what it rejects the whole batch for."""
        receipts: dict[str, list[str]] = {}
        with Session(self._engine) as session, session.begin():
            for message in batch:
                for gateway, record_id in _store_one(session, message, reason, now):
                    receipts.setdefault(gateway, []).append(record_id)
        return receipts


def _is_the_records_fault(error: Exception) -> bool:
    """Whether trying again is in vain: not so when the database or the machine has a fault of its own."""
    if isinstance(error, (DataError, IntegrityError)) or type(error) is StatementError:
        return True
    return not isinstance(error, (SQLAlchemyError, OSError, MemoryError))


def _store_one(
    session: Session, message: Incoming, reason: str | None, now: datetime, /
) -> Iterator[tuple[str, str]]:
    """Take or reject a message; gives the gateway and the id a receipt is owed for, if one is."""
    envelope = reason or _envelope(message)
    if isinstance(envelope, Envelope):
        if _take(session, envelope, now):
            yield envelope.gateway, envelope.id
        return
    topic, record_id = parse(message.topic), id_of(message.body)
    if topic is None or topic.direction != "up" or record_id is None:
        session.add(_rejected(message, envelope, now))
        return
    known = select(Rejected.id).where(Rejected.record_id == record_id, Rejected.topic == message.topic)
    if session.scalars(known).first() is None:
        row = _rejected(message, envelope, now)
        row.record_id, row.body = record_id, message.body
        session.add(row)
    yield topic.gateway, record_id


def _envelope(message: Incoming) -> Envelope | str:
    """The envelope, or why it is refused: a gateway speaks only for itself, on the topic of the kind."""
    topic = parse(message.topic)
    if topic is None or topic.direction != "up":
        return "not a topic of this contract"
    try:
        envelope = Envelope.from_bytes(message.body)
    except EnvelopeError as error:
        return str(error)
    if (envelope.gateway, envelope.kind) != (topic.gateway, topic.kind):
        return f"says {envelope.gateway}/{envelope.kind}, which is not its topic"
    if envelope.seq is None and envelope.schema_ != "presence/1":
        return "a record without seq"
    return envelope


def _rejected(message: Incoming, reason: str, now: datetime) -> Rejected:
    return Rejected(received_at=now, topic=message.topic[:400], reason=reason[:400], size=len(message.body))


def _take(session: Session, envelope: Envelope, now: datetime) -> bool:
    """Apply one envelope; returns whether it is a record, which is owed a receipt."""
    site = _site(session, envelope.gateway, now)
    payload = read_payload(envelope.schema_, envelope.payload)
    if envelope.seq is None:
        if isinstance(payload, Presence):
            _apply_presence(site, payload, now)
        return False
    if session.get(Record, envelope.id) is None:
        _add(session, site, envelope, envelope.seq, payload, now)
        session.flush()
    return True


def _site(session: Session, gateway: str, now: datetime) -> Site:
    site = session.get(Site, gateway)
    if site is None:
        site = Site(gateway=gateway, first_seen=now, last_seen=now)
        site.last_seq = site.status_seq = site.spools_before = 0
        site.online = False
        session.add(site)
        session.flush()
    site.last_seen = now
    return site


def _apply_presence(site: Site, presence: Presence, now: datetime) -> None:
    """A will that arrives after its gateway has come back on another connection changes nothing."""
    if not presence.online and site.connection not in {None, presence.connection}:
        return
    if presence.online != site.online or site.online_changed is None:
        site.online, site.online_changed = presence.online, now
    site.connection = presence.connection


def _add(
    session: Session, site: Site, envelope: Envelope, seq: int, payload: Payload | str, now: datetime, /
) -> None:
    record = mapper.record_row(envelope, payload, now)
    if not _count_seq(session, site, seq, payload, now):
        record.note = "this seq came before under another id: the gateway's spool was made anew"
        _count_spools(session, site, seq)
    session.add(record)
    session.flush()
    if (detail := mapper.detail_row(envelope, payload, now)) is not None:
        session.add(detail)
    if isinstance(payload, Status) and seq > site.status_seq:
        site.status, site.status_seq = envelope.payload, seq


def _count_spools(session: Session, site: Site, seq: int) -> None:
    """A new spool counts from 1 again: from its first record on, only its own statuses compare by `seq`."""
    same = Record.gateway == site.gateway, Record.seq == seq
    before = session.scalar(select(func.count()).select_from(Record).where(*same)) or 0
    if before > site.spools_before:
        site.spools_before, site.status_seq = before, 0


def _count_seq(session: Session, site: Site, seq: int, payload: Payload | str, now: datetime, /) -> bool:
    rows = session.scalars(select(Gap).where(Gap.gateway == site.gateway).order_by(Gap.first_seq)).all()
    before = [gaps.Range(row.first_seq, row.last_seq, row.reason) for row in rows]
    after, site.last_seq, expected = gaps.arrive(before, site.last_seq, seq)
    if isinstance(payload, Tombstone):
        reason = f"{payload.record_class} dropped by the gateway for want of space"
        after = gaps.bury(after, payload.first_seq, payload.last_seq, reason)
    if after != before:
        noticed = {(row.first_seq, row.last_seq): row.noticed_at for row in rows}
        _replace_gaps(
            session, site.gateway, [(gap, noticed.get((gap.first, gap.last), now)) for gap in after]
        )
    return expected


def _replace_gaps(session: Session, gateway: str, kept: Iterable[tuple[gaps.Range, datetime]]) -> None:
    session.execute(delete(Gap).where(Gap.gateway == gateway))
    session.add_all(
        Gap(gateway=gateway, first_seq=gap.first, last_seq=gap.last, reason=gap.reason, noticed_at=noticed_at)
        for gap, noticed_at in kept
    )
