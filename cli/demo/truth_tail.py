"""The newest row of the simulator's truth, read from the end of its file while it is being written."""

from __future__ import annotations

import os
from pathlib import Path

from sim.truth import Row
from sim.truthlog import row_of

TAIL_BYTES = 4096


def last_row(path: Path) -> Row | None:
    """The last whole row, None when there is none yet."""
    with path.open("rb") as file:
        file.seek(0, os.SEEK_END)
        file.seek(max(0, file.tell() - TAIL_BYTES))
        lines = file.read().split(b"\n")[1:-1]
    return row_of(lines[-1].decode().split(",")) if lines else None
