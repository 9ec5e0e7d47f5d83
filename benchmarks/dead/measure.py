"""Dead and hung: the table of control.md, case by case, with the times it took. On real processes, over Modbus."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from benchmarks.dead.cases import BY_ROOT, CASES
from benchmarks.dead.harm import can_mount
from benchmarks.dead.record import Record
from benchmarks.dead.sites import CONTACT, REVERSION, SHIPPED, Kind
from benchmarks.dead.trial import fair_trial
from benchmarks.progress import SHOWN
from benchmarks.rows import Row

_GONE = "dead and hung"
_GONE_RUNS, _OTHER_RUNS = 10, 3
_SIDE_BY_SIDE = 3


def measure() -> list[Row]:
    """Rows of the table; times are of the clock of this machine, and most of them are the devices' own timers."""
    planned = list(_planned())
    records = []
    with ThreadPoolExecutor(_SIDE_BY_SIDE) as pool:
        for (case, kind), record in zip(
            planned, pool.map(lambda plan: fair_trial(*plan), planned), strict=True
        ):
            records.append(record)
            SHOWN.tell(
                f"{len(records)} of {len(planned)} runs, the last was {case!r} on the site {kind.name!r}"
            )
    return rows([(case, record) for (case, _), record in zip(planned, records, strict=True)])


def _planned() -> Iterator[tuple[str, Kind]]:
    with tempfile.TemporaryDirectory(prefix="dg") as folder:
        is_root = can_mount(Path(folder))
    for case in CASES:
        if case in BY_ROOT and not is_root:
            continue
        runs = _GONE_RUNS if case == _GONE else _OTHER_RUNS
        yield from [(case, CONTACT)] * runs + [(case, REVERSION)] * runs
    yield from [(_GONE, SHIPPED)] * _OTHER_RUNS


def rows(runs: Sequence[tuple[str, Record]]) -> list[Row]:
    """The worst of each time of each case on each site, and how many things were not as they must be."""
    found: dict[tuple[str, float], list[float]] = {}
    for _, record in runs:
        for timing in record.timings:
            key = f"{record.kind.name}, {timing.what}", timing.bound_s
            found.setdefault(key, []).append(timing.took_s)
    table = [
        Row(what, max(took_s), "s", f"worst of {len(took_s)}, best {min(took_s):.2f} s", goal=bound_s)
        for (what, bound_s), took_s in found.items()
    ]
    wrong = [f"{case}, {sentence}" for case, record in runs for sentence in record.wrong]
    spoilt = sum(record.spoilt for _, record in runs)
    said = "; ".join(wrong) or f"{len(runs)} runs; {spoilt} more were spoilt by a machine without a free core"
    return [*table, Row("dead and hung: not as it must be", len(wrong), "", said, goal=0)]
