"""Events that the portal has receipted, kept on the gateway as long as there is room for them."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence

SHARE = 8
"""They may take up this part of the quota, beside it."""


def keep(db: sqlite3.Connection, ids: Sequence[str], quota_bytes: int) -> None:
    """Keep the events among these records, and drop the oldest kept while they take more than the quota.

    Inside the caller's transaction.
    """
    copy = "INSERT INTO kept SELECT seq, size, body FROM records WHERE id = ? AND kind = 'event'"
    db.executemany(copy, [(record_id,) for record_id in ids])
    over_bytes = int(db.execute("SELECT coalesce(sum(size), 0) FROM kept").fetchone()[0]) - quota_bytes
    for seq, size in (
        db.execute("SELECT seq, size FROM kept ORDER BY seq").fetchall() if over_bytes > 0 else ()
    ):
        if over_bytes <= 0:
            return
        db.execute("DELETE FROM kept WHERE seq = ?", (seq,))
        over_bytes -= size


def forget(db: sqlite3.Connection) -> bool:
    """Drop them all, because the disk is full; whether there were any."""
    return db.execute("DELETE FROM kept").rowcount > 0
