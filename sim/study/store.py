"""Rows on the disk: a folder of Parquet files, each written whole, and a note of which study they belong to.

A study that is killed keeps every file it wrote. Any reader of Parquet takes the folder `runs` as one table.
"""

from __future__ import annotations

import hashlib
import json
import os
import time
import typing
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import BinaryIO

import pyarrow as pa
import pyarrow.parquet as pq

from sim.metrics import Metrics
from sim.study.job import Job, Row
from sim.study.plan import Plan

BATCH_ROWS = 250
BATCH_S = 5.0
"""A study that is killed loses no more than this much of what it had done."""


class OtherStudyError(Exception):
    """The folder cannot be used for this study; one sentence."""


class Store:
    """The results of one study in `folder`.

    Raises:
        OtherStudyError: The folder holds results and `resume` is not set, or they are another study's.
        OSError: The folder cannot be written.
    """

    def __init__(self, folder: Path, plan: Plan, *, resume: bool) -> None:
        self.folder = folder
        self._parts = folder / "runs"
        self._schema = schema(plan)
        self._rows: list[Row] = []
        self._written_s = time.monotonic()
        _claim(folder / "study.json", fingerprint(plan), resume=resume)
        self._parts.mkdir(exist_ok=True)
        for torn in self._parts.glob(".*"):
            torn.unlink()
        self.done = {Job(row["site"], row["seed"]) for row in self.rows(("site", "seed"))}
        self._next = max((int(path.stem.rpartition("-")[2]) + 1 for path in self._files()), default=0)

    def add(self, row: Row) -> None:
        """Take a row; it is on the disk after its batch, or `flush`. One that is there already is left out."""
        job = Job(row["site"], row["seed"])
        if job not in self.done:
            self.done.add(job)
            self._rows.append(row)
        if len(self._rows) >= BATCH_ROWS or time.monotonic() - self._written_s > BATCH_S:
            self.flush()

    def flush(self) -> None:
        """Write what is held as one more file: whole, or not at all."""
        self._written_s = time.monotonic()
        if not self._rows:
            return
        path = self._parts / f"part-{self._next:05d}.parquet"
        torn = path.with_name(f".{path.name}")
        with torn.open("wb") as file:
            pq.write_table(pa.Table.from_pylist(self._rows, self._schema), file, compression="zstd")
            _to_disk(file)
        os.replace(torn, path)  # noqa: PTH105 - one call, atomic
        self._next += 1
        self._rows.clear()

    def rows(self, columns: Sequence[str]) -> Iterator[Row]:
        """What is on the disk, file by file, with only these columns."""
        for path in self._files():
            yield from _read(path, list(columns)).to_pylist()

    def table(self) -> pa.Table:
        """All that is on the disk, ordered by site and seed, without the feeder's seconds."""
        columns = [name for name in self._schema.names if name != "over_w"]
        parts = [_read(path, columns) for path in self._files()]
        whole = pa.concat_tables(parts) if parts else self._schema.empty_table().select(columns)
        return whole.sort_by([("site", "ascending"), ("seed", "ascending")])

    def _files(self) -> list[Path]:
        return sorted(self._parts.glob("part-*.parquet"))


def schema(plan: Plan) -> pa.Schema:
    """The columns: which run, what became of it, its parameters, its metrics, a feeder's seconds."""
    known = typing.get_type_hints(Metrics)
    fields = [
        pa.field("site", pa.int32()),
        pa.field("seed", pa.int32()),
        pa.field("outcome", pa.string()),
        pa.field("reason", pa.string()),
        *(pa.field(name, pa.float64()) for name in plan.study.family.names if name not in known),
        *(pa.field(name, pa.int64() if kind is int else pa.float64()) for name, kind in known.items()),
        pa.field("over_w", pa.list_(pa.int32())),
    ]
    return pa.schema(fields)


def fingerprint(plan: Plan) -> str:
    """Of everything that a row depends on: not how many sites and seeds there are, so that more can be added."""
    asked = plan.study.model_dump(mode="json", exclude={"name", "asks", "scenario", "sites", "seeds"})
    base = plan.base.model_dump(mode="json", exclude={"expect", "shows", "known_failure", "lesson"})
    files = [plan.base.sim.model_dump(mode="json"), plan.base.site_file.model_dump(mode="json")]
    whole = json.dumps([asked, base, files], sort_keys=True)
    return hashlib.sha256(whole.encode()).hexdigest()


def _claim(note: Path, mark: str, *, resume: bool) -> None:
    if note.exists():
        if not resume:
            raise OtherStudyError(f"{note.parent}: holds results already; --resume goes on with them")
        if _mark_in(note) != mark:
            raise OtherStudyError(f"{note.parent}: holds the results of another study; give another --out")
        return
    note.parent.mkdir(parents=True, exist_ok=True)
    torn = note.with_name(f".{note.name}")
    with torn.open("wb") as file:
        file.write(json.dumps({"fingerprint": mark}).encode() + b"\n")
        _to_disk(file)
    os.replace(torn, note)  # noqa: PTH105 - one call, atomic


def _mark_in(note: Path) -> str:
    try:
        return str(json.loads(note.read_text(encoding="utf-8"))["fingerprint"])
    except (ValueError, KeyError, TypeError) as error:
        raise OtherStudyError(f"{note}: is damaged, so whose results these are is not known") from error


def _read(path: Path, columns: list[str]) -> pa.Table:
    try:
        return pq.read_table(path, columns=columns)
    except pa.ArrowException as error:
        raise OtherStudyError(f"{path}: is damaged; without it, --resume does its runs again") from error


def _to_disk(file: BinaryIO) -> None:
    """Everything written to `file`, whatever becomes of the power."""
    file.flush()
    os.fsync(file.fileno())
