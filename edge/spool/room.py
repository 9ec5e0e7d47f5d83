"""Making room in a spool that is over its quota: what is dropped, and the tombstones that name it.

Telemetry is thinned (every second record of its older half, again and again, so that the past grows sparser),
then dropped from the oldest; then events from the oldest. Evidence is never touched.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import TYPE_CHECKING, Literal

from contract.envelope import RecordClass
from contract.records import Tombstone

if TYPE_CHECKING:
    from edge.spool.spool import Draft

KEEP_THINNED = 120
"""Telemetry is no longer thinned, but dropped, when fewer records than this are left."""

Droppable = Literal["event", "telemetry"]
Insert = Callable[["Draft", str | None], int]


def make_room(db: sqlite3.Connection, target_bytes: int, pattern: Draft, insert: Insert) -> bool:
    """Drop until at most `target_bytes` are used or only evidence is left; inside the caller's transaction.

    Args:
        db: The spool's connection.
        target_bytes: How much may stay.
        pattern: Gives the tombstones their time.
        insert: Stores a tombstone in the place it is given.

    Returns:
        Whether anything was dropped.
    """
    telemetry = _thin(db, target_bytes) + _drop_oldest(db, "telemetry", target_bytes)
    events = _drop_oldest(db, "event", target_bytes)
    if telemetry:
        _bury(db, "telemetry", telemetry, pattern, insert)
    if events:
        _bury(db, "event", events, pattern, insert)
    return bool(telemetry or events)


def used_bytes(db: sqlite3.Connection, record_class: RecordClass | None = None) -> int:
    """What the records of a class, or all of them, take up."""
    key = f"bytes:{record_class}" if record_class else "bytes:%"
    return int(db.execute("SELECT sum(value) FROM meta WHERE key LIKE ?", (key,)).fetchone()[0])


def _seqs(db: sqlite3.Connection, record_class: Droppable) -> list[int]:
    rows = db.execute("SELECT seq FROM records WHERE class = ? ORDER BY seq", (record_class,))
    return [int(seq) for (seq,) in rows]


def _thin(db: sqlite3.Connection, target_bytes: int) -> list[int]:
    dropped: list[int] = []
    while used_bytes(db) > target_bytes and len(seqs := _seqs(db, "telemetry")) >= KEEP_THINNED:
        victims = seqs[: len(seqs) // 2 : 2]
        db.executemany("DELETE FROM records WHERE seq = ?", [(seq,) for seq in victims])
        dropped += victims
    return dropped


def _drop_oldest(db: sqlite3.Connection, record_class: Droppable, target_bytes: int) -> list[int]:
    return list(_delete_while_over(db, _seqs(db, record_class), target_bytes))


def _delete_while_over(db: sqlite3.Connection, seqs: list[int], target_bytes: int) -> Iterator[int]:
    for seq in seqs:
        if used_bytes(db) <= target_bytes:
            return
        db.execute("DELETE FROM records WHERE seq = ?", (seq,))
        yield seq


def _bury(
    db: sqlite3.Connection, record_class: Droppable, dropped: list[int], pattern: Draft, insert: Insert
) -> None:
    """Leave one tombstone; it takes over the range, and the place, of an earlier one that was not yet sent."""
    first, last, count = min(dropped), max(dropped), len(dropped)
    earlier = db.execute("SELECT seq, body FROM records WHERE tombstone_of = ?", (record_class,)).fetchone()
    if earlier:
        seq, body = earlier
        before = Tombstone.model_validate(json.loads(body)["payload"])
        first, last = min(first, before.first_seq), max(last, before.last_seq, seq)
        count += before.count + 1
        db.execute("DELETE FROM records WHERE seq = ?", (seq,))
    stone = Tombstone(record_class=record_class, first_seq=first, last_seq=last, count=count)
    insert(replace(pattern, record_class=RecordClass.EVIDENCE, payload=stone), record_class)
