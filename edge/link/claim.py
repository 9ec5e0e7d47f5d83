"""Which link process a spool belongs to: the one that came last."""

from __future__ import annotations

import os
from pathlib import Path

from edge.spool import SpoolError


class Claim:
    """A file beside the spool with the process id of the newest link."""

    def __init__(self, spool: Path) -> None:
        self._file = spool.with_suffix(".link")

    def take(self) -> None:
        """Claim the spool for this process.

        Raises:
            SpoolError: The folder cannot be written.
        """
        fresh = self._file.with_suffix(f".link-{os.getpid()}")
        try:
            fresh.write_text(f"{os.getpid()}\n", encoding="ascii")
            fresh.replace(self._file)
        except OSError as error:
            raise SpoolError(f"{self._file} cannot be written: {error.strerror}") from error

    def is_ours(self) -> bool:
        """Whether no other link has come since."""
        try:
            return self._file.read_text(encoding="ascii").strip() == str(os.getpid())
        except OSError:
            return False
