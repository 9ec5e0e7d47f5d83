"""What is done to the agent's process from outside, and undone. Works as root and as the agent's own user."""

from __future__ import annotations

import resource
import signal
import subprocess
from pathlib import Path
from typing import Protocol, Self

from benchmarks.dead.rig import Rig

_ROOM = 2 * 2**20
_BLOCK = 4096


class Disk(Protocol):
    """A way to run out of room, for the state folder of one rig."""

    file_bytes: int | None
    """What an agent that starts now is to be given as the most that a file may grow to."""

    def fill(self) -> None:
        """From now on nothing new can be written."""

    def free(self) -> None:
        """There is room again."""


class NoGrowth:
    """A `Disk`: no file may grow (RLIMIT_FSIZE, EFBIG), of the running agent and of one that starts; for any user."""

    def __init__(self, rig: Rig) -> None:
        self._rig = rig
        self.file_bytes: int | None = None

    def fill(self) -> None:
        """From now on nothing grows."""
        self.file_bytes = 0
        _set_soft(self._rig.agent.pid, resource.RLIMIT_FSIZE, 0)

    def free(self) -> None:
        """Files may grow again."""
        self.file_bytes = None
        if self._rig.agent.poll() is None:
            _set_soft(self._rig.agent.pid, resource.RLIMIT_FSIZE, None)


class SmallDisk:
    """A `Disk`: a file system of its own that is filled to the last block (ENOSPC); for root only.

    Use as a context manager around the rig's agents: it is mounted on the state folder.
    """

    file_bytes: int | None = None

    def __init__(self, rig: Rig) -> None:
        self._folder = rig.state_dir
        self._ballast = rig.state_dir / "ballast"

    def __enter__(self) -> Self:
        self._folder.mkdir()
        _run("mount", "-t", "tmpfs", "-o", f"size={_ROOM}", "tmpfs", str(self._folder))
        return self

    def __exit__(self, *_: object) -> None:
        _run("umount", "--lazy", str(self._folder))

    def fill(self) -> None:
        """Take every block that is left."""
        try:
            with self._ballast.open("wb", buffering=0) as file:
                while True:
                    file.write(bytes(_BLOCK))
        except OSError:
            return

    def free(self) -> None:
        """Give them back."""
        self._ballast.unlink()


def can_mount(folder: Path) -> bool:
    """Whether a file system can be mounted here by this user."""
    try:
        _run("mount", "-t", "tmpfs", "-o", "size=4096", "tmpfs", str(folder))
        _run("umount", str(folder))
    except (OSError, subprocess.CalledProcessError):
        return False
    return True


def block(rig: Rig) -> None:
    """The agent's event loop hangs; its other threads run on."""
    rig.agent.send_signal(signal.SIGUSR1)


def unblock(rig: Rig) -> None:
    """It goes on."""
    rig.agent.send_signal(signal.SIGUSR2)


def take_handles(rig: Rig) -> None:
    """No file, socket or pipe can be opened any more; those that are open stay, and a socket that closes is lost."""
    open_ = {int(entry.name): entry for entry in Path(f"/proc/{rig.agent.pid}/fd").iterdir()}
    kept = {number for number, entry in open_.items() if not str(entry.readlink()).startswith("socket:")}
    _set_soft(rig.agent.pid, resource.RLIMIT_NOFILE, min(set(range(len(kept) + 1)) - kept))


def give_handles(rig: Rig) -> None:
    """They can be opened again."""
    _set_soft(rig.agent.pid, resource.RLIMIT_NOFILE, None)


def _set_soft(pid: int, limit: int, value: int | None) -> None:
    """Set the soft limit of a process; None: as high as it may go."""
    _, hard = resource.prlimit(pid, limit)
    resource.prlimit(pid, limit, (hard if value is None else value, hard))


def _run(*command: str) -> None:
    subprocess.run(command, check=True, capture_output=True)
