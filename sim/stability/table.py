"""The rows of the design's table for the answers of many plants, each with its goal. Pure."""

from __future__ import annotations

import math
import statistics
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from sim.stability.answer import Answer, Bound
from sim.stability.judge import NEAR_PU

RATIO_GOALS = {False: (1.02, None, 1.10), True: (1.10, 1.5, 2.0)}
"""Median, 99 % and worst response over the clairvoyant's, by whether profiles are wrong."""
OSCILLATION_GOAL_PU = 0.02


@dataclass(frozen=True, slots=True)
class Measured:
    """One figure of the table. `goal` is the most that it may be, None where the design sets none."""

    name: str
    value: float
    unit: str
    goal: float | None = None

    @property
    def met(self) -> bool | None:
        """Whether the goal is met; None without one."""
        return None if self.goal is None else self.value <= self.goal


def table(answers: Sequence[Answer], *, wrong: bool) -> list[Measured]:
    """What the design asks of these plants."""
    ratios = sorted(answer.ratio for answer in answers)
    values = (statistics.median(ratios), ratios[math.ceil(0.99 * len(ratios)) - 1], ratios[-1])
    return [
        *(
            Measured(f"response ratio, {which}", value, "x", goal)
            for which, value, goal in zip(
                ("median", "99 %", "worst"), values, RATIO_GOALS[wrong], strict=True
            )
        ),
        Measured("undershoot, worst", max(answer.ours.undershoot_pu for answer in answers), "pu"),
        Measured(
            f"plants more than {NEAR_PU:.0%} too low for too long",
            sum(answer.undershoots for answer in answers),
            "",
            0,
        ),
        Measured(
            "oscillation, worst", max(answer.oscillation_pu for answer in answers), "pu", OSCILLATION_GOAL_PU
        ),
        *(
            row
            for start in answers[0].bounds
            for row in _bound(start, [one.bounds[start] for one in answers])
        ),
        Measured("mean margin, median", statistics.median(answer.margin_pu for answer in answers), "pu"),
    ]


def _bound(start: str, bounds: Sequence[Bound]) -> Iterator[Measured]:
    """The count from `start` on: on how many plants it is judged, how many of them are over, the longest of those."""
    judged = [bound for bound in bounds if bound.judged]
    yield Measured(f"bound from {start}, plants judged", len(judged), "")
    yield Measured(f"bound from {start}, plants over it", sum(bound.outlasts for bound in judged), "", 0)
    if judged:
        yield Measured(f"bound from {start}, longest", max(bound.ours_s for bound in judged), "s")
        yield Measured(
            f"bound from {start}, longest of the clairvoyant", max(bound.best_s for bound in judged), "s"
        )
