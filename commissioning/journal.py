"""The journal of changes: what has to be put back, on disk before it is changed.

JSON lines in the site's state folder. An entry is on the disk before the device hears of the change and is
closed when the old value was read back. A run that was killed leaves its entries open; the next one puts them
back first. The file's lock keeps two runs apart and goes with the process.
"""

from __future__ import annotations

import fcntl
import json
import os
import uuid
from pathlib import Path
from types import TracebackType
from typing import Literal, Self

from pydantic import BaseModel, ConfigDict, ValidationError

NAME = "commissioning.journal"


class JournalError(Exception):
    """The journal cannot be used; the message is one sentence."""


class BusyError(JournalError):
    """Another commissioning run holds the journal."""


class Line(BaseModel):
    """Base of the journal's lines."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)


class Change(Line):
    """A change about to be made: `before` is what puts it back, in the model's real units."""

    kind: Literal["change"] = "change"
    id: str
    at: str
    test: str
    device: str
    model: int
    before: dict[str, int | float]
    after: dict[str, int | float]


class Closed(Line):
    """The change with this id was put back and read back."""

    kind: Literal["closed"] = "closed"
    id: str
    at: str


class Journal:
    """One site's journal, held by this process alone while open.

    Use as `with Journal(path) as journal:`.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._fd = -1
        self._open: dict[str, Change] = {}

    def __enter__(self) -> Self:
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            self._fd = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
            fcntl.flock(self._fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
            _sync_folder(self._path.parent)
            self._open = self._replay()
        except BlockingIOError as error:
            self._close()
            raise BusyError("another commissioning run is under way on this site") from error
        except OSError as error:
            self._close()
            raise JournalError(f"{self._path}: {error.strerror}") from error
        except JournalError:
            self._close()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._close()

    @property
    def open_changes(self) -> tuple[Change, ...]:
        """Changes not yet put back, newest first."""
        return tuple(reversed(self._open.values()))

    def change(
        self,
        at: str,
        test: str,
        device: str,
        model: int,
        before: dict[str, int | float],
        after: dict[str, int | float],
    ) -> Change:
        """Put a change on the disk; only then may it be made.

        Raises:
            JournalError: It is not on the disk.
        """
        entry = Change(
            id=uuid.uuid4().hex, at=at, test=test, device=device, model=model, before=before, after=after
        )
        self._append(entry)
        self._open[entry.id] = entry
        return entry

    def close(self, change: Change, at: str) -> None:
        """The change was put back and read back.

        Raises:
            JournalError: That is not on the disk; it will be put back once more, which does no harm.
        """
        self._append(Closed(id=change.id, at=at))
        del self._open[change.id]

    def _append(self, line: Line) -> None:
        data = line.model_dump_json().encode() + b"\n"
        try:
            start = os.lseek(self._fd, 0, os.SEEK_END)
            written = os.write(self._fd, data)
            if written != len(data):
                os.ftruncate(self._fd, start)
                raise JournalError(f"{self._path}: the disk is full")
            os.fsync(self._fd)
        except OSError as error:
            raise JournalError(f"{self._path}: {error.strerror}") from error

    def _replay(self) -> dict[str, Change]:
        """Open changes. A last line without its end never came to be, and neither did its change."""
        data = os.pread(self._fd, os.fstat(self._fd).st_size, 0)
        whole = data[: data.rfind(b"\n") + 1]
        if whole != data:
            os.ftruncate(self._fd, len(whole))
        found: dict[str, Change] = {}
        for number, text in enumerate(whole.splitlines(), start=1):
            line = self._read(text, number)
            if isinstance(line, Change):
                found[line.id] = line
            else:
                found.pop(line.id, None)
        return found

    def _read(self, text: bytes, number: int) -> Change | Closed:
        try:
            kind = json.loads(text).get("kind")
            return (Closed if kind == "closed" else Change).model_validate_json(text)
        except (ValueError, AttributeError, ValidationError) as error:
            raise JournalError(
                f"{self._path}:{number}: the journal is damaged; see by hand what earlier tests changed"
            ) from error

    def _close(self) -> None:
        if self._fd >= 0:
            os.close(self._fd)
            self._fd = -1


def _sync_folder(folder: Path) -> None:
    fd = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)
