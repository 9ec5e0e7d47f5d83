"""One agent for one site: an advisory lock on the state folder, gone with the process that holds it."""

from __future__ import annotations

import fcntl
import os
from pathlib import Path


class SiteLockedError(Exception):
    """Another agent runs this site, or the folder cannot be used; the message is one sentence."""


class SiteLock:
    """Held from construction until `release` or the end of the process.

    Raises:
        SiteLockedError: Another agent holds it, or the state folder cannot be written.
    """

    def __init__(self, folder: Path) -> None:
        try:
            folder.mkdir(parents=True, exist_ok=True)
            self._descriptor = os.open(folder / "agent.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError as error:
            raise SiteLockedError(f"the state folder {folder} cannot be used: {error.strerror}") from error
        try:
            fcntl.flock(self._descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            os.close(self._descriptor)
            raise SiteLockedError(f"another agent runs this site already (state in {folder})") from error

    def release(self) -> None:
        """Let another agent run the site."""
        os.close(self._descriptor)
