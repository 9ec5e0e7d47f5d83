"""One run of a case on one of the sites, in a folder of its own."""

from __future__ import annotations

import tempfile
import time
from pathlib import Path

from benchmarks.dead.cases import CASES
from benchmarks.dead.record import Record
from benchmarks.dead.rig import Rig
from benchmarks.dead.sites import Kind
from benchmarks.registry import UnmeasuredError

_TRIES = 3
_STARVED = 0.2
"""Of the time that a run took: whoever waited for a core that long was not harmed by us alone."""


def fair_trial(case: str, kind: Kind) -> Record:
    """A trial; again, up to three in all, while something is wrong and the machine had no core for its processes.

    Simulated devices that stand still are no devices, and an agent without a core is another case than the one tried.
    """
    for spoilt in range(_TRIES):
        record = trial(case, kind)
        record.spoilt = spoilt
        if not (record.problems and record.starved):
            break
    return record


def trial(case: str, kind: Kind) -> Record:
    """What it showed; that it could not be brought to an end is a sentence in it."""
    record = Record(kind)
    begun_s = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="dg") as folder:
        rig = Rig(kind, Path(folder))
        try:
            with rig:
                CASES[case](rig, record)
        except UnmeasuredError as error:
            record.say(str(error))
    record.starved = rig.waited_s > _STARVED * (time.monotonic() - begun_s)
    return record
