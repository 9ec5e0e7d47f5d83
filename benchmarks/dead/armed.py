"""`python -m benchmarks.dead.armed run SITE...`: the shipped command in a process that can be harmed from outside.

SIGUSR1 blocks the event loop until SIGUSR2; the file that DERGATE_HARM_CLOCK names holds, as a double, by how much
the wall clock is off; DERGATE_HARM_FILE_BYTES is the most that a file may grow to, as on a disk without room.
Nothing of the product knows of it.
"""

from __future__ import annotations

import mmap
import os
import resource
import runpy
import signal
import struct
import time
from pathlib import Path


def arm() -> None:
    """Make this process' main thread and wall clock ones that can be harmed."""
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGUSR2})
    signal.signal(signal.SIGUSR1, _block)
    clock = os.environ.get("DERGATE_HARM_CLOCK")
    if clock:
        _step_by(clock)
    file_bytes = os.environ.get("DERGATE_HARM_FILE_BYTES")
    if file_bytes:
        _, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
        resource.setrlimit(resource.RLIMIT_FSIZE, (int(file_bytes), hard))


def _block(*_: object) -> None:
    """Runs in the main thread, which is the event loop's: nothing of it goes on until SIGUSR2 comes."""
    signal.sigwait({signal.SIGUSR2})


def _step_by(path: str) -> None:
    true_time = time.time
    with Path(path).open("rb") as file:
        shown = mmap.mmap(file.fileno(), 8, access=mmap.ACCESS_READ)
    time.time = lambda: true_time() + float(struct.unpack("d", shown[:8])[0])


if __name__ == "__main__":
    arm()
    runpy.run_module("cli.main", run_name="__main__", alter_sys=True)
