"""One run of a case on one of the sites, in a folder of its own."""

from __future__ import annotations

import tempfile
from pathlib import Path

from benchmarks.dead.cases import CASES
from benchmarks.dead.record import Record
from benchmarks.dead.rig import Rig
from benchmarks.dead.sites import Kind
from benchmarks.registry import UnmeasuredError


def trial(case: str, kind: Kind) -> Record:
    """What it showed; that it could not be brought to an end is a sentence in it."""
    record = Record(kind)
    with tempfile.TemporaryDirectory(prefix="dg") as folder:
        try:
            with Rig(kind, Path(folder)) as rig:
                CASES[case](rig, record)
        except UnmeasuredError as error:
            record.say(str(error))
    return record
