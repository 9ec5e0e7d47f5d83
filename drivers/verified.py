"""Registers of one model that are written, read back and compared, together with their scale factor."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from drivers.bus import Bus
from drivers.errors import OutOfRange
from drivers.protocol import Outcome, Value
from drivers.sunspec.discovery import ModelRef
from drivers.sunspec.window import Window
from drivers.sunspec.write import Job, plan_jobs, send


@dataclass(frozen=True, slots=True)
class Written:
    """A write with its read-back, in the model's units."""

    outcome: Outcome
    reason: str
    exponent: int | None
    wanted: Mapping[str, float | None]
    found: Mapping[str, float | None]


class VerifiedBlock:
    """Some points of a model that share a scale factor.

    When that factor is no longer the one used for a write, the write is repeated with the new one.
    """

    def __init__(self, bus: Bus, unit: int, ref: ModelRef, points: Sequence[str], scale: str) -> None:
        self._bus = bus
        self._unit = unit
        self._scale = scale
        self._window = Window(ref, (*points, scale))
        self._last: dict[str, float | None] = {}

    async def _read(self) -> Sequence[int]:
        ref = self._window.ref
        words = (await self._bus.read(self._unit, ref.address, self._window.count)).words
        self._last = self._window.decode(words)
        return words

    @property
    def _exponent(self) -> int | None:
        exponent = self._last.get(self._scale)
        return None if exponent is None else int(exponent)

    async def _write(self, values: Callable[[], Mapping[str, Value]]) -> Written:
        """Write points, percent rounded down, and compare what they read back as."""
        if not self._last:
            await self._read()
        done = await self._attempt(values())
        return done if done.exponent == self._exponent else await self._attempt(values())

    async def _attempt(self, values: Mapping[str, Value]) -> Written:
        exponent = self._exponent
        exponents = dict.fromkeys(values, exponent)
        try:
            jobs = plan_jobs(self._window.group, values, exponents, rounding="down")
        except OutOfRange as error:
            return Written(Outcome.REFUSED, str(error), exponent, {}, {})
        done, refusal = await send(self._bus, self._unit, self._window.ref, jobs)
        words = await self._read()
        wanted, found = self._window.decode(_overlaid(words, jobs)), self._last
        if refusal:
            outcome = Outcome.MISMATCH if done else Outcome.REFUSED
            return Written(outcome, refusal, exponent, wanted, found)
        wrong = [job.key for job in jobs if list(words[job.point.offset : job.point.end]) != list(job.words)]
        if wrong:
            reason = f"reads back differently: {', '.join(wrong)}"
            return Written(Outcome.MISMATCH, reason, exponent, wanted, found)
        return Written(Outcome.VERIFIED, "", exponent, wanted, found)


def _overlaid(words: Sequence[int], jobs: Sequence[Job]) -> list[int]:
    """The registers as they would read if every job had been taken."""
    result = list(words)
    for job in jobs:
        result[job.point.offset : job.point.end] = job.words
    return result
