"""The simulator's truth, read from its file while it is being written."""

from __future__ import annotations

from pathlib import Path

from sim.truth import Row
from sim.truthlog import row_of


class Follower:
    """Yields the rows that were added since the last look; a torn last line waits for its end."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._offset = 0
        self._header_seen = False

    def rows(self) -> list[Row]:
        """New whole rows, in order."""
        with self._path.open("rb") as file:
            file.seek(self._offset)
            fresh = file.read()
        whole = fresh[: fresh.rfind(b"\n") + 1]
        self._offset += len(whole)
        lines = whole.decode().splitlines()
        if lines and not self._header_seen:
            self._header_seen = True
            lines = lines[1:]
        return [row_of(line.split(",")) for line in lines]
