"""Verified writes: whole points in as few requests as possible, then read back and compare bit by bit."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

from drivers.bus import MAX_WRITE, Bus
from drivers.errors import BadData, ModbusException, OutOfRange
from drivers.protocol import Outcome, Value, WriteResult
from drivers.sunspec.discovery import ModelRef
from drivers.sunspec.encode import Rounding, encode
from drivers.sunspec.plan import Group, Point


@dataclass(frozen=True, slots=True)
class Job:
    """One point to be written: where, which words, and the value they stand for."""

    key: str
    point: Point
    words: Sequence[int]
    value: Value


def plan_jobs(
    group: Group,
    values: Mapping[str, Value],
    exponents: Mapping[str, int | None],
    *,
    prefix: str = "",
    rounding: Rounding = "nearest",
) -> list[Job]:
    """Encode values for points of one group.

    Args:
        group: the group that holds the points.
        values: engineering values by point name.
        exponents: scale factors by point name, as the device states them now.
        prefix: put before the names in results.
        rounding: see `encode`.

    Raises:
        OutOfRange: an unknown or read-only point, a value that does not fit, or part of a sync group.
    """
    unknown = [name for name in values if name not in group.points]
    if unknown:
        raise OutOfRange(f"{group.spec.name} has no point {', '.join(unknown)}")
    if group.spec.sync and set(values) != set(group.points):
        raise OutOfRange(f"{group.spec.name} is written whole: {', '.join(group.points)}")
    jobs: list[Job] = []
    for name, value in values.items():
        point = group.points[name]
        if not point.spec.writable:
            raise OutOfRange(f"{name} is read-only")
        jobs.append(Job(prefix + name, point, encode(point, value, exponents.get(name), rounding), value))
    return sorted(jobs, key=lambda job: job.point.offset)


def requests(jobs: Sequence[Job]) -> list[list[Job]]:
    """Group jobs that lie side by side, each group within one request."""
    runs: list[list[Job]] = [[jobs[0]]] if jobs else []
    for before, job in pairwise(jobs):
        size = job.point.end - runs[-1][0].point.offset
        if job.point.offset == before.point.end and size <= MAX_WRITE:
            runs[-1].append(job)
        else:
            runs.append([job])
    return runs


async def send(bus: Bus, unit: int, ref: ModelRef, jobs: Sequence[Job]) -> tuple[int, str]:
    """Write all jobs; how many requests were taken, and the reason when the device refuses one."""
    for done, run in enumerate(requests(jobs)):
        words = [word for job in run for word in job.words]
        try:
            await bus.write(unit, ref.address + run[0].point.offset, words)
        except ModbusException as error:
            return done, str(error)
    return len(jobs), ""


def judge(jobs: Sequence[Job], words: Sequence[int], found: Mapping[str, Value | None]) -> WriteResult:
    """Compare what was written with the model's registers read back.

    Args:
        jobs: what was written.
        words: the model's registers from its ID on.
        found: the same, decoded, by the jobs' keys.
    """
    wanted = {job.key: job.value for job in jobs}
    if any(job.point.end > len(words) for job in jobs):
        raise BadData("the read-back does not cover what was written")
    wrong = [job.key for job in jobs if list(words[job.point.offset : job.point.end]) != list(job.words)]
    shown = {key: found.get(key) for key in wanted}
    if wrong:
        return WriteResult(Outcome.MISMATCH, wanted, shown, f"reads back differently: {', '.join(wrong)}")
    return WriteResult(Outcome.VERIFIED, wanted, shown)
