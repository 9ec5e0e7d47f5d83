"""The protective state on disk: written whole or not at all, checked when read, created once on purpose."""

from __future__ import annotations

import hashlib
import json
import os
import threading
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, ValidationError

from edge.agent.wall import Moment
from edge.model.durable import NEW_SITE, STATE_LOST, Durable

_VERSION = 1


class DurableFileError(Exception):
    """The state cannot be created or written; the message is one sentence."""


class _Stored(BaseModel):
    """The file's content; times are wall times in seconds since 1970, UTC.

    `highest_wall_s`, `mono_s`, `boot` and `trusted` are the moment of saving, by which the age of a trip is told.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, allow_inf_nan=False)

    version: int
    tripped: bool
    target: str | None
    lockout: bool
    trips_wall_s: list[float]
    in_service: bool
    highest_wall_s: float
    mono_s: float = 0.0
    boot: str = ""
    trusted: bool = False

    def moment(self) -> Moment:
        """When it was saved."""
        return Moment(self.mono_s, self.highest_wall_s, self.boot, self.trusted)


@dataclass(frozen=True, slots=True)
class Restored:
    """What was found at a start. `highest_wall_s` is the floor under the wall clock, 0 when it is lost."""

    durable: Durable
    highest_wall_s: float
    problem: str | None = None


class DurableFile:
    """One site's `durable.json`.

    A trip is as old as it was at the last saving, and what has certainly passed since then: a clock that is wrong
    makes no counted trip older.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._aside = path.with_suffix(".aside")
        # A saving whose waiter was cancelled runs on in its thread, and the next one uses the same temporary file.
        self._saving = threading.Lock()

    def create(self, now: Moment) -> None:
        """Write the state of a new site.

        Raises:
            DurableFileError: There is a state already, or the folder cannot be written.
        """
        if self._path.exists():
            raise DurableFileError(f"{self._path} exists already: start this site without --new-site")
        self.save(NEW_SITE, now)

    def load(self, now: Moment) -> Restored:
        """The state kept; `STATE_LOST` with the reason when it is missing or damaged."""
        try:
            stored = _decode(self._path.read_bytes())
        except FileNotFoundError:
            why = " (a trip could not be written, so it was set aside)" if self._aside.exists() else ""
            return Restored(STATE_LOST, 0.0, f"{self._path} is missing{why}")
        except (OSError, ValueError) as error:
            return Restored(STATE_LOST, 0.0, f"{self._path} is damaged: {error}")
        saved = stored.moment()
        saved_s = now.mono_s - now.since(saved)
        durable = Durable(
            tripped=stored.tripped,
            target=stored.target,
            lockout=stored.lockout,
            trips_s=tuple(saved_s - (saved.wall_s - trip_s) for trip_s in stored.trips_wall_s),
            in_service=stored.in_service,
        )
        return Restored(durable, stored.highest_wall_s)

    def save(self, durable: Durable, now: Moment) -> None:
        """Replace the file; when this returns the new state survives a power loss.

        Raises:
            DurableFileError: The disk is full or the folder cannot be written; the old state stands.
        """
        stored = _Stored(
            version=_VERSION,
            tripped=durable.tripped,
            target=durable.target,
            lockout=durable.lockout,
            trips_wall_s=[now.wall_s - (now.mono_s - trip_s) for trip_s in durable.trips_s],
            in_service=durable.in_service,
            highest_wall_s=now.wall_s,
            mono_s=now.mono_s,
            boot=now.boot,
            trusted=now.trusted,
        )
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            with self._saving:
                replace_file(self._path, _encode(stored))
                self._aside.unlink(missing_ok=True)
        except OSError as error:
            raise DurableFileError(f"{self._path} cannot be written: {error.strerror}") from error

    def set_aside(self) -> None:
        """Take the state away, so that a start finds none: that is tripped. Needs no room and no file handle.

        Raises:
            DurableFileError: Not even that can be done; the old state stands.
        """
        try:
            with self._saving:
                self._path.replace(self._aside)
                os.sync()
        except OSError as error:
            raise DurableFileError(f"{self._path} cannot be set aside: {error.strerror}") from error


def _encode(stored: _Stored) -> bytes:
    content = stored.model_dump()
    return json.dumps({"content": content, "sha256": _digest(content)}, indent=1).encode() + b"\n"


def _decode(data: bytes) -> _Stored:
    outer: Any = json.loads(data)
    if not isinstance(outer, dict) or set(outer) != {"content", "sha256"}:
        raise ValueError("it is not a state file")
    if _digest(outer["content"]) != outer["sha256"]:
        raise ValueError("its checksum does not match")
    try:
        stored = _Stored.model_validate(outer["content"])
    except ValidationError as error:
        raise ValueError(error.errors(include_url=False)[0]["msg"]) from error
    if stored.version != _VERSION:
        raise ValueError(f"version {stored.version} is not known here")
    return stored


def _digest(content: Any) -> str:
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()


def replace_file(path: Path, data: bytes) -> None:
    """Temporary file, fsync, rename, fsync of the folder.

    The file that was replaced is the next temporary one: what is there to be overwritten needs no room on the disk.
    """
    temporary, before = path.with_suffix(".new"), path.with_suffix(".old")
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(data)
        file.truncate()
        file.flush()
        os.fsync(file.fileno())
    with suppress(
        OSError
    ):  # there is none yet, or the file system has no links: then the next one needs room
        before.unlink(missing_ok=True)
        before.hardlink_to(path)
    temporary.replace(path)
    with suppress(OSError):
        before.replace(temporary)
    folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
