"""What one scan of the guard may be given, as a product of choices that know nothing of each other.

Nothing is carried from scan to scan but the guard's own state: any reading may follow any other, so what real
devices do is among it. Times are whole ticks and relative to the scan, so an input is one frozen image.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import dataclass, fields, replace
from typing import NamedTuple

from edge.model.image import DerReading, Image, OutputReading, Override, PccReading
from edge.model.sample import Quality, Sample

TICK_S = 2.0
"""The guard's own constants (patience 2 s, 10 s until it trips) are whole ticks of this length."""
HALF_DAY = 21_600
"""Ticks in half the time for which a trip counts."""
OLDEST = 3
"""No sample in an alphabet is older than this, in ticks."""
FOREVER_S = 1e9

Power = tuple[float, int]
"""A DER's measured output in W, and its age in ticks."""


class Good(NamedTuple):
    """A new good PCC sample: export in W and the age of the oldest instant it can describe, in ticks."""

    export_w: float
    age: int = 0
    phases_w: tuple[float, ...] = ()
    """The same on each limited phase."""

    def on(self, phase: int | None) -> float:
        """The total, or what one phase exports."""
        return self.export_w if phase is None else self.phases_w[phase]


NONE = Sample.none()
TEST_W = 95.0
OVERRIDES: dict[str, tuple[Override, ...]] = {
    "none": (),
    "test": (Override("test", FOREVER_S, pickup_w=TEST_W),),
    "blind": (Override("test", FOREVER_S, blind=True),),
    "remote": (Override("portal", FOREVER_S, pickup_w=TEST_W, test=False),),
}


@dataclass(frozen=True, slots=True)
class Alphabet:
    """The choices for each part of an input; `sample` None is nothing new, "invalid" a new reading without value.

    "torn" is one that has the total and no phase: none at all where phases are limited.
    `power` None is a DER never measured. `feedback` is the contact's value and age, None where it is not wired.
    `restart`: "kept" is a restart with the stored state, "lost" one without any.
    """

    gap: tuple[int, ...] = (1,)
    sample: tuple[Good | str | None, ...] = (None,)
    power: tuple[Power | None, ...] = (None,)
    reachable: tuple[bool, ...] = (False,)
    feedback: tuple[tuple[float, int] | None, ...] = (None,)
    asked_w: tuple[float, ...] = (200.0,)
    ready: tuple[bool, ...] = (False, True)
    entered: tuple[bool, ...] = (True,)
    isolate: tuple[bool, ...] = (False,)
    reset: tuple[bool, ...] = (False,)
    override: tuple[str, ...] = ("none",)
    restart: tuple[str, ...] = ()

    def inputs(self) -> Iterator[Input]:
        """Every input once; a restart looks at nothing, so it comes once for each way."""
        parts = [getattr(self, each.name) for each in fields(self) if each.name != "restart"]
        for chosen in itertools.product(*parts):
            found = Input(*chosen)
            yield found
        for restart in self.restart:
            yield replace(found, gap=1, restart=restart)


@dataclass(frozen=True, slots=True)
class Input:
    """One choice of each; the fields are those of `Alphabet`, in its order."""

    gap: int
    sample: Good | str | None
    power: Power | None
    reachable: bool
    feedback: tuple[float, int] | None
    asked_w: float
    ready: bool
    entered: bool
    isolate: bool
    reset: bool
    override: str
    restart: str | None = None

    @property
    def gap_s(self) -> float:
        """Time since the scan before."""
        return self.gap * TICK_S

    def image(self) -> Image:
        """What the scan sees, `gap_s` after a scan at time 0 that has seen sequence 0."""
        now_s = self.gap_s

        def aged(value: float, ticks: int) -> Sample:
            return Sample.good(value, now_s - ticks * TICK_S, now_s)

        export_w, phases, sequence = NONE, tuple[Sample, ...](), 1
        if self.sample is None:
            sequence = 0
        elif self.sample == "torn":
            export_w = aged(0.0, 0)
        elif isinstance(self.sample, str):
            export_w = Sample.none(Quality.INVALID)
        else:
            export_w = aged(self.sample.export_w, self.sample.age)
            phases = tuple(aged(phase_w, self.sample.age) for phase_w in self.sample.phases_w)
        power_w = NONE if self.power is None else aged(*self.power)
        closed = NONE if self.feedback is None else aged(*self.feedback)
        return Image(
            0,
            PccReading(export_w, NONE, NONE, sequence, phases),
            (DerReading("b", power_w, NONE, reachable=self.reachable),),
            (OutputReading("k", closed),),
            OVERRIDES[self.override],
            reset=self.reset,
        )
