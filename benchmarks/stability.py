"""The limiter on a thinned grid of plants, exact and wrong profiles, quiet and noisy (`dergate sim stability`)."""

from __future__ import annotations

import statistics
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from multiprocessing import get_context

from benchmarks.rows import Row, percentile
from sim.stability import Answer, answer_to, profiles, thinned

THIN = 50
NOISES_PU = (0.002, 0.02)
GOALS = {False: (1.02, None, 1.10), True: (1.10, 1.5, 2.0)}
"""Median, 99 % and worst ratio, by whether profiles are wrong."""
UNDERSHOOT_GOAL, OSCILLATION_GOAL = 0.05, 0.02


def measure(thin: int = THIN) -> list[Row]:
    """Rows for each profile and noise. It is virtual time: all cores may help."""
    rows = []
    with ProcessPoolExecutor(mp_context=get_context("spawn")) as pool:
        for wrong, goals in GOALS.items():
            for noise_pu in NOISES_PU:
                plants = list(profiles(thinned(thin), wrong=wrong))
                found = list(pool.map(partial(answer_to, noise_pu=noise_pu), plants))
                rows += _rows(f"{'wrong' if wrong else 'exact'} profile, noise {noise_pu:.1%}", found, goals)
    return rows


def _rows(name: str, found: list[Answer], goals: tuple[float, float | None, float]) -> list[Row]:
    ratios = [answer.ratio for answer in found]
    said = f"clairvoyant; {len(found)} of 1,500 plants"
    values = (statistics.median(ratios), percentile(ratios, 0.99), max(ratios))
    return [
        *(
            Row(f"grid ratio, {name}, {which}", value, "x", said, value, goal)
            for which, value, goal in zip(("median", "99 %", "worst"), values, goals, strict=True)
        ),
        Row(
            f"grid undershoot, {name}, worst", max(a.undershoot_pu for a in found), "pu", goal=UNDERSHOOT_GOAL
        ),
        Row(
            f"grid oscillation, {name}, worst",
            max(a.oscillation_pu for a in found),
            "pu",
            goal=OSCILLATION_GOAL,
        ),
    ]
