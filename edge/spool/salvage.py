"""A damaged spool is kept for whoever can read it, and does not keep a site from being controlled."""

from __future__ import annotations

import time
from pathlib import Path

from edge.spool.spool import Spool, SpoolDamagedError, SpoolError


def set_aside_if_damaged(path: Path, gateway: str) -> str | None:
    """Open the spool once; if it is damaged, rename it and what belongs to it. What happened, or None.

    Raises:
        SpoolError: It cannot be used for another reason, or not be renamed.
    """
    try:
        Spool(path, gateway).close()
    except SpoolDamagedError as error:
        kept = path.with_name(f"{path.name}.damaged-{int(time.time())}")
        _rename(path, kept)
        return f"{error}; it was kept as {kept.name} and a new one begun"
    return None


def _rename(path: Path, kept: Path) -> None:
    try:
        for suffix in ("", "-wal", "-shm"):
            part = path.with_name(path.name + suffix)
            if part.exists():
                part.rename(kept.with_name(kept.name + suffix))
    except OSError as error:
        raise SpoolError(f"the damaged spool {path.name} cannot be set aside: {error.strerror}") from error
