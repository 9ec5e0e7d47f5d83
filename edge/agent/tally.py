"""How often of late: excursions summed up in steps of ten minutes of wall time, for 30 days. Pure.

An excursion is counted when it begins, and what it lasts and exports is added as it goes: one that the agent did not
see the end of counts for as long as it was seen. A step counts as long as any part of it is within the time asked for.
"""

from __future__ import annotations

from dataclasses import dataclass, field

DAY_S = 86_400.0
MONTH_S = 30 * DAY_S
STEP_S = 600.0


@dataclass(frozen=True, slots=True)
class Sum:
    """A sum over excursions: how many, how long in s, how much above the limit in Wh."""

    count: int = 0
    duration_s: float = 0.0
    energy_wh: float = 0.0

    def __add__(self, other: Sum) -> Sum:
        return Sum(
            self.count + other.count,
            self.duration_s + other.duration_s,
            self.energy_wh + other.energy_wh,
        )


class Tally:
    """The steps that are not older than 30 days, by their number since 1970."""

    def __init__(self, steps: dict[int, Sum] | None = None) -> None:
        self.steps = dict(steps or {})

    def add(self, what: Sum, wall_s: float) -> None:
        """Add to the step of a wall time, and forget what is older than 30 days."""
        number = int(wall_s // STEP_S)
        if number not in self.steps:
            self.steps = {step: known for step, known in self.steps.items() if _within(step, wall_s, MONTH_S)}
        self.steps[number] = self.steps.get(number, Sum()) + what

    def over(self, span_s: float, wall_s: float) -> Sum:
        """The sum over the last `span_s`, at most ten minutes more."""
        recent = (known for step, known in self.steps.items() if _within(step, wall_s, span_s))
        return sum(recent, Sum())


@dataclass
class Tallies:
    """Of the whole site, and of each phase with a limit of its own."""

    site: Tally = field(default_factory=Tally)
    phases: dict[str, Tally] = field(default_factory=dict)

    def of(self, phase: str | None) -> Tally:
        """That of the site, or of one phase."""
        return self.site if phase is None else self.phases.setdefault(phase, Tally())

    def steps(self) -> Steps:
        """What there is to keep; a copy."""
        had = {phase: dict(each.steps) for phase, each in self.phases.items() if each.steps}
        return Steps(dict(self.site.steps), had)


@dataclass(frozen=True, slots=True)
class Steps:
    """The steps of all tallies, those of the phases by phase."""

    site: dict[int, Sum] = field(default_factory=dict)
    phases: dict[str, dict[int, Sum]] = field(default_factory=dict)


def _within(step: int, wall_s: float, span_s: float) -> bool:
    return (step + 1) * STEP_S > wall_s - span_s
