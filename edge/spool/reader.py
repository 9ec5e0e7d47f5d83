"""Reading a spool's events without being its writer: while the agent runs, after it ended, after a power loss."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import cast
from urllib.parse import quote

from contract.envelope import Envelope, EnvelopeError
from contract.records import Event, read_payload
from edge.spool.spool import SpoolError

_BUSY_S = 5.0
_WAITING = "SELECT seq, body FROM records WHERE kind = 'event'"
_KEPT = "SELECT seq, body FROM kept"


@dataclass(frozen=True)
class StoredEvent:
    """An event as it lies in the spool."""

    seq: int
    envelope: Envelope
    event: Event


@dataclass
class Found:
    """Events, newest first, and a sentence for each thing that could not be read."""

    events: list[StoredEvent] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)


def read_events(path: Path, last: int | None = None, seq: int | None = None) -> Found:
    """The newest `last` events (all when None), captures not counted but among them; or only the one at `seq`.

    What is damaged is told and left out; what can be read is read.

    Raises:
        SpoolError: There is no spool, or nothing of it can be read.
    """
    found = Found()
    try:
        with closing(_open(path)) as db:
            _collect(db, found, last, seq)
    except sqlite3.Error as error:
        sentence = f"the spool {path} cannot be read: {error}"
        if not found.events:
            raise SpoolError(sentence) from error
        found.problems.append(f"{sentence}; what is older is not shown")
    return found


def _open(path: Path) -> sqlite3.Connection:
    if not path.is_file():
        raise SpoolError(f"there is no spool at {path}: has an agent run here?")
    return sqlite3.connect(f"file:{quote(str(path.resolve()))}?mode=ro", uri=True, timeout=_BUSY_S)


def _collect(db: sqlite3.Connection, found: Found, last: int | None, seq: int | None) -> None:
    left = last
    for number, body in _rows(db, seq):
        event = _read(number, body)
        if isinstance(event, str):
            found.problems.append(event)
            continue
        found.events.append(event)
        if left is not None and event.event.type != "capture":
            left -= 1
            if left == 0:
                return


def _rows(db: sqlite3.Connection, seq: int | None) -> Iterator[tuple[int, bytes]]:
    tables = {name for (name,) in db.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
    parts = [query for table, query in (("records", _WAITING), ("kept", _KEPT)) if table in tables]
    if "records" not in tables:
        raise sqlite3.DatabaseError("it is no spool")
    union = " UNION ALL ".join(parts)
    one = "" if seq is None else "WHERE seq = :seq"
    query = f"SELECT seq, body FROM ({union}) {one} ORDER BY seq DESC"  # noqa: S608 - of constants alone
    return cast("Iterator[tuple[int, bytes]]", db.execute(query, {"seq": seq} if one else {}))


def _read(seq: int, body: object) -> StoredEvent | str:
    try:
        envelope = Envelope.from_bytes(body if isinstance(body, bytes) else str(body).encode())
    except EnvelopeError as error:
        return f"record {seq} is damaged: {error}"
    payload = read_payload(envelope.schema_, envelope.payload)
    if not isinstance(payload, Event):
        return f"record {seq} cannot be read: {payload if isinstance(payload, str) else 'it is no event'}"
    return StoredEvent(seq, envelope, payload)
