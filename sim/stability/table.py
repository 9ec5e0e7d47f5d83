"""The rows of the design's table for the answers of many plants, each with its goal. Pure."""

from __future__ import annotations

import math
import statistics
from collections.abc import Sequence
from dataclasses import dataclass

from sim.stability.answer import Answer
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
    bounded = [answer for answer in answers if answer.bounded]
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
        Measured("plants that the bound is judged on", len(bounded), ""),
        Measured("plants over the bound", sum(answer.outlasts for answer in bounded), "", 0),
        Measured("mean margin, median", statistics.median(answer.margin_pu for answer in answers), "pu"),
    ]
