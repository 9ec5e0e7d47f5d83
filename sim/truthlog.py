"""The truth as a CSV file: written while the plant runs, read by whoever judges it."""

from __future__ import annotations

import csv
from itertools import pairwise
from pathlib import Path
from typing import TextIO

from sim.truth import Row, Truth


def columns(inverters: int) -> list[str]:
    """Names of the columns for so many inverters; powers in W, times in s of the monotonic clock."""
    units = [f"inverter_{number}_w" for number in range(1, inverters + 1)]
    return ["t_s", "export_w", "host_load_w", *units, "coil_closed", "meter_sampled", "event"]


class TruthLog:
    """Writes rows; the caller says when to flush."""

    def __init__(self, path: Path, inverters: int) -> None:
        self._file: TextIO = path.open("w", encoding="utf-8", newline="")
        self._writer = csv.writer(self._file, lineterminator="\n")
        self._writer.writerow(columns(inverters))

    def write(self, row: Row, t_s: float) -> None:
        """Write `row` with the time `t_s`."""
        powers = [f"{power_w:.1f}" for power_w in (row.export_w, row.host_load_w, *row.inverter_w)]
        self._writer.writerow(
            [f"{t_s:.4f}", *powers, int(row.coil_closed), int(row.meter_sampled), row.event]
        )

    def flush(self) -> None:
        """Hand what was written to the system."""
        self._file.flush()

    def close(self) -> None:
        """Flush and close the file."""
        self._file.close()


class Follower:
    """Reads a truth file while it is written: yields the rows added since the last look; a torn line waits."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._offset = 0
        self._header_seen = False

    def rows(self) -> list[Row]:
        """New whole rows, in order."""
        with self._path.open("rb") as file:
            file.seek(self._offset)
            fresh = file.read()
        whole = fresh[: fresh.rfind(b"\n") + 1]
        self._offset += len(whole)
        lines = whole.decode().splitlines()
        if lines and not self._header_seen:
            self._header_seen = True
            lines = lines[1:]
        return [row_of(line.split(",")) for line in lines]


def read_truth(path: Path) -> Truth:
    """Read a truth file, also one that is still being written: a torn last line is left out.

    Raises:
        OSError: When the file cannot be read.
        ValueError: When it is not a truth file or holds fewer than two rows.
    """
    text = path.read_text(encoding="utf-8")
    whole = text[: text.rfind("\n") + 1]
    header, *lines = list(csv.reader(whole.splitlines())) or [[]]
    if header != columns(len(header) - 6):
        raise ValueError(f"{path}: not a truth file")
    if len(lines) < 2:
        raise ValueError(f"{path}: fewer than two rows")
    truth = Truth.of([row_of(line) for line in lines])
    if any(later <= earlier for earlier, later in pairwise(truth.t_s.tolist())):
        raise ValueError(f"{path}: times must rise")
    return truth


def row_of(line: list[str]) -> Row:
    """One line's fields as a row."""
    t_s, export_w, host_load_w, *units, coil_closed, meter_sampled, event = line
    return Row(
        t_s=float(t_s),
        export_w=float(export_w),
        host_load_w=float(host_load_w),
        inverter_w=tuple(float(power_w) for power_w in units),
        coil_closed=coil_closed == "1",
        meter_sampled=meter_sampled == "1",
        event=event,
    )
