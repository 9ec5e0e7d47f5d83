"""The spool's tables, and how its file is opened."""

from __future__ import annotations

import sqlite3
import time
from pathlib import Path

from contract.envelope import RecordClass

VERSION = 2
_BUSY_S = 10.0
OVERHEAD_BYTES = 200
"""What a row costs beside its body: id, index entries, page slack."""

# `size` is what a record is charged against the quota; the triggers keep the sums exact within each transaction.
_TABLES = """
CREATE TABLE meta (key TEXT PRIMARY KEY, value NOT NULL) WITHOUT ROWID;
CREATE TABLE records (
    seq INTEGER PRIMARY KEY,
    id TEXT NOT NULL UNIQUE,
    kind TEXT NOT NULL,
    class TEXT NOT NULL,
    tombstone_of TEXT,
    size INTEGER NOT NULL,
    body BLOB NOT NULL
);
CREATE INDEX by_class ON records (class, seq);
CREATE TRIGGER grown AFTER INSERT ON records BEGIN
    UPDATE meta SET value = value + NEW.size WHERE key = 'bytes:' || NEW.class;
END;
CREATE TRIGGER shrunk AFTER DELETE ON records BEGIN
    UPDATE meta SET value = value - OLD.size WHERE key = 'bytes:' || OLD.class;
END;
"""

# Events that the portal has: nothing waits in here, it is what the site can still show of its past.
_KEPT = "CREATE TABLE kept (seq INTEGER PRIMARY KEY, size INTEGER NOT NULL, body BLOB NOT NULL)"


def connect(path: Path) -> sqlite3.Connection:
    """Open the file with a commit that is on the disk when it returns (WAL, synchronous=FULL)."""
    db = sqlite3.connect(path, timeout=_BUSY_S, isolation_level=None, check_same_thread=False)
    try:
        _to_wal(db)
        db.execute("PRAGMA synchronous=FULL")
    except sqlite3.Error:
        db.close()
        raise
    return db


def _to_wal(db: sqlite3.Connection) -> None:
    # Changing the journal mode does not wait for the busy timeout when two processes open a new file at once.
    deadline = time.monotonic() + _BUSY_S
    while True:
        try:
            db.execute("PRAGMA journal_mode=WAL")
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode != sqlite3.SQLITE_BUSY or time.monotonic() > deadline:
                raise
            time.sleep(0.01)
        else:
            return


def ensure(db: sqlite3.Connection, gateway: str) -> str:
    """Create the tables once; return the gateway the file belongs to."""
    db.execute("BEGIN IMMEDIATE")
    try:
        version = int(db.execute("PRAGMA user_version").fetchone()[0])
        if version == 0:
            for statement in _statements():
                db.execute(statement)
            rows = [("gateway", gateway), ("next_seq", 1), *((f"bytes:{name}", 0) for name in RecordClass)]
            db.executemany("INSERT INTO meta VALUES (?, ?)", rows)
        if version < VERSION:
            db.execute(_KEPT)
            db.execute(f"PRAGMA user_version={VERSION}")
        owner = str(db.execute("SELECT value FROM meta WHERE key = 'gateway'").fetchone()[0])
        db.execute("COMMIT")
    except sqlite3.Error:
        if db.in_transaction:
            db.execute("ROLLBACK")
        raise
    return owner


def _statements() -> list[str]:
    statements, buffer = [], ""
    for line in _TABLES.splitlines(keepends=True):
        buffer += line
        if sqlite3.complete_statement(buffer):
            statements.append(buffer.strip())
            buffer = ""
    return statements
