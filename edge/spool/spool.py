"""The spool: records in the order of `seq`, kept until the portal says it has them."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import NamedTuple

from pydantic import JsonValue, ValidationError

from contract.envelope import Envelope, EnvelopeError, RecordClass, TimeQuality, new_id
from contract.records import Payload, kind_of, schema_of
from contract.topics import UpKind
from edge.spool import kept, schema
from edge.spool.room import make_room, used_bytes

DEFAULT_QUOTA_BYTES = 256 * 2**20
Signer = Callable[[Envelope], Envelope]


class SpoolError(Exception):
    """The spool cannot be used; the message says why in one sentence."""


class SpoolDamagedError(SpoolError):
    """The file is no spool any more; `set_aside` makes room for a new one."""


class SpoolFull(SpoolError):  # noqa: N818 - the name the design gives it
    """The disk holds no more, nothing of the append was applied."""


class Pending(NamedTuple):
    """A record that waits for its receipt; `body` is the envelope as published."""

    seq: int
    id: str
    kind: UpKind
    body: bytes


@dataclass(frozen=True)
class Draft:
    """A record before it has a place: `mono_s` is monotonic seconds of this boot, `when` the same in UTC."""

    record_class: RecordClass
    payload: Payload | dict[str, JsonValue]
    when: datetime
    time_quality: TimeQuality
    mono_s: float
    kind: str = ""

    def envelope(self, gateway: str, seq: int) -> Envelope:
        """The envelope it travels in; raises EnvelopeError when the content is not one."""
        model = self.payload if isinstance(self.payload, Payload) else None
        try:
            return Envelope.model_validate(
                {
                    "id": new_id(),
                    "gateway": gateway,
                    "kind": kind_of(model) if model else self.kind,
                    "seq": seq,
                    "time": self.when,
                    "time_quality": self.time_quality,
                    "mono_s": self.mono_s,
                    "boot": boot_id(),
                    "schema": schema_of(model) if model else f"{self.kind}/1",
                    "payload": model.model_dump(mode="json") if model else self.payload,
                }
            )
        except ValidationError as error:
            first = error.errors(include_url=False)[0]
            raise EnvelopeError(f"{'.'.join(map(str, first['loc']))}: {first['msg']}") from error


def boot_id() -> str:
    """The kernel's name for this boot; monotonic times compare only within one."""
    return Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()


class Spool:
    """One SQLite file that two processes share: the agent appends, link reads and deletes on receipt.

    Args:
        path: The file; made with its folder when missing.
        gateway: Whose records they are; a file of another gateway is refused.
        quota_bytes: Over this, telemetry is thinned, then dropped, then the oldest events; never evidence.
        signer: Returns the envelope signed, or None to leave `sig` empty.

    Raises:
        SpoolFull: The disk has no room for even an empty spool.
        SpoolError: The file cannot be used.
    """

    def __init__(
        self,
        path: Path,
        gateway: str,
        *,
        quota_bytes: int = DEFAULT_QUOTA_BYTES,
        signer: Signer | None = None,
    ) -> None:
        self._gateway = gateway
        self._quota_bytes = quota_bytes
        self._signer = signer
        with _explained(path):
            path.parent.mkdir(parents=True, exist_ok=True)
            self._db = schema.connect(path)
            try:
                os.chmod(path, 0o600)  # noqa: PTH101 - one call, and the path may be a symlink's target
                owner = schema.ensure(self._db, gateway)
            except BaseException:
                self._db.close()
                raise
        if owner != gateway:
            self._db.close()
            raise SpoolError(f"the spool {path.name} belongs to gateway {owner}, not to {gateway}")
        self._path = path

    def close(self) -> None:
        """Close the file; what is in it stays."""
        self._db.close()

    def append(
        self,
        kind: str,
        record_class: RecordClass,
        payload: Payload | dict[str, JsonValue],
        *,
        when: datetime,
        time_quality: TimeQuality,
        mono_s: float,
    ) -> int:
        """Store one record durably and return its `seq`. See `append_all` for what it raises."""
        return self.append_all([Draft(record_class, payload, when, time_quality, mono_s, kind)])[0]

    def append_all(self, drafts: Sequence[Draft]) -> list[int]:
        """Store records in one transaction: all of them with their `seq`, or none.

        Raises:
            SpoolFull: The disk is full even after dropping what may be dropped.
            EnvelopeError: A draft is no valid record, or too large.
            SpoolError: The file cannot be used.
        """
        with _explained(self._path):
            try:
                return self._append_once(drafts)
            except sqlite3.Error as error:
                if not _is_full(error) or not self._shed(drafts):
                    raise
                return self._append_once(drafts)

    def _append_once(self, drafts: Sequence[Draft]) -> list[int]:
        with self._transaction():
            seqs = [self._insert(draft) for draft in drafts]
            if used_bytes(self._db) > self._quota_bytes:
                # Down to a little less than allowed, so that the next append does not trim again.
                make_room(self._db, int(self._quota_bytes * 0.95), drafts[-1], self._insert)
        return seqs

    def _insert(self, draft: Draft, tombstone_of: str | None = None) -> int:
        seq = int(self._db.execute("SELECT value FROM meta WHERE key = 'next_seq'").fetchone()[0])
        envelope = draft.envelope(self._gateway, seq)
        body = (self._signer(envelope) if self._signer else envelope).to_bytes()
        self._db.execute(
            "INSERT INTO records VALUES (?, ?, ?, ?, ?, ?, ?)",
            (
                seq,
                envelope.id,
                envelope.kind,
                draft.record_class,
                tombstone_of,
                len(body) + schema.OVERHEAD_BYTES,
                body,
            ),
        )
        self._db.execute("UPDATE meta SET value = ? WHERE key = 'next_seq'", (seq + 1,))
        return seq

    def _shed(self, drafts: Sequence[Draft]) -> bool:
        """Drop what the portal has, or telemetry and events worth twice what is to be written; whether there was any."""
        if kept.forget(self._db):
            return True
        needed = 2 * sum(len(draft.envelope(self._gateway, 1).to_bytes()) + 4096 for draft in drafts)
        with self._transaction():
            return make_room(self._db, max(0, used_bytes(self._db) - needed), drafts[-1], self._insert)

    def pending(self, limit: int, after_seq: int = 0, budget_bytes: int = 16 * 2**20) -> list[Pending]:
        """The oldest records beyond `after_seq` that wait for a receipt, in the order of `seq`.

        Stops after the record that reaches `budget_bytes`, so that a few large reports do not fill the memory.
        """
        query = "SELECT seq, id, kind, body FROM records WHERE seq > ? ORDER BY seq LIMIT ?"
        records: list[Pending] = []
        with _explained(self._path):
            for row in self._db.execute(query, (after_seq, limit)):
                records.append(Pending(*row))
                budget_bytes -= len(records[-1].body)
                if budget_bytes <= 0:
                    break
        return records

    def get(self, record_id: str) -> Pending | None:
        """One record that waits, or None when it is not there (any more)."""
        with _explained(self._path):
            row = self._db.execute(
                "SELECT seq, id, kind, body FROM records WHERE id = ?", (record_id,)
            ).fetchone()
            return Pending(*row) if row else None

    def mark_received(self, ids: Sequence[str]) -> int:
        """Forget what the portal has stored, events apart: they are kept for `dergate events` while there is room.

        Unknown ids are no fault. Returns how many wait no longer.
        """
        with _explained(self._path):
            try:
                return self._receive(ids, self._quota_bytes // kept.SHARE)
            except sqlite3.Error as error:
                if not _is_full(error):
                    raise
                kept.forget(self._db)
                return self._receive(ids, 0)

    def _receive(self, ids: Sequence[str], keep_bytes: int) -> int:
        with self._transaction():
            if keep_bytes:
                kept.keep(self._db, ids, keep_bytes)
            delete = "DELETE FROM records WHERE id = ?"
            return sum(self._db.execute(delete, (record_id,)).rowcount for record_id in ids)

    def count(self) -> int:
        """How many records wait."""
        with _explained(self._path):
            return int(self._db.execute("SELECT count(*) FROM records").fetchone()[0])

    def fill(self) -> float:
        """Evidence as a share of the quota; from 0.9 new test runs are to be refused."""
        with _explained(self._path):
            return used_bytes(self._db, RecordClass.EVIDENCE) / self._quota_bytes

    def changes(self) -> int:
        """A number that changes when another process has written: a cheap question for an idle reader."""
        with _explained(self._path):
            return int(self._db.execute("PRAGMA data_version").fetchone()[0])

    @contextmanager
    def _transaction(self) -> Iterator[None]:
        self._db.execute("BEGIN IMMEDIATE")
        try:
            yield
            self._db.execute("COMMIT")
        except BaseException:
            if self._db.in_transaction:  # SQLite has already rolled back after some errors
                self._db.execute("ROLLBACK")
            raise


def _is_full(error: sqlite3.Error) -> bool:
    return getattr(error, "sqlite_errorcode", None) == sqlite3.SQLITE_FULL


@contextmanager
def _explained(path: Path) -> Iterator[None]:
    """Turn what SQLite and the file system raise into one sentence."""
    try:
        yield
    except sqlite3.Error as error:
        if _is_full(error):
            raise SpoolFull(f"the disk is full: the spool {path.name} cannot take the record") from error
        damaged = getattr(error, "sqlite_errorcode", None) in {sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_CORRUPT}
        kind = SpoolDamagedError if damaged else SpoolError
        raise kind(f"the spool {path.name} cannot be used: {error}") from error
    except OSError as error:
        raise SpoolError(f"the spool {path.name} cannot be used: {error.strerror}") from error
