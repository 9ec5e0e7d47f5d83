"""The limiter on a thinned grid of plants: drops, second drops, rises, clouds (`dergate sim stability`)."""

from __future__ import annotations

from concurrent.futures import ProcessPoolExecutor
from functools import partial
from multiprocessing import get_context

from benchmarks.rows import Row
from sim.stability.answer import ASKED, answer
from sim.stability.bench import Case, cases
from sim.stability.grid import fast, thinned
from sim.stability.harvest import CURTAILED, PLANTS, SHARE_GOAL, SKIES, Harvest, Sky, harvest
from sim.stability.table import table

THIN, AGAIN_THIN = 50, 150
NOISES_PU = (0.002, 0.02)


def measure(thin: int = THIN, again_thin: int = AGAIN_THIN) -> list[Row]:
    """Rows for each profile and noise. It is virtual time: all cores may help."""
    grids = {"grid": ("drop", thinned(thin)), "fast grid": ("drop", fast())}
    grids |= {asked: (asked, thinned(again_thin)) for asked in ASKED if asked != "drop"}
    rows = []
    with ProcessPoolExecutor(mp_context=get_context("spawn")) as pool:
        for name, (asked, cells) in grids.items():
            for wrong in (False, True):
                for noise_pu in NOISES_PU:
                    plants = cases(cells, noise_pu, wrong=wrong)
                    found = list(pool.map(partial(answer, asked), plants))
                    said = f"{name}, {'wrong' if wrong else 'exact'} profile, noise {noise_pu:.1%}"
                    rows += [
                        Row(f"{said}: {figure.name}", figure.value, figure.unit, goal=figure.goal)
                        for figure in table(found, wrong=wrong)
                    ]
        for noise_pu in NOISES_PU:
            rows += _harvest(list(pool.map(harvest, *_days(noise_pu))), noise_pu)
    return rows


def _days(noise_pu: float) -> tuple[list[Case], list[Sky]]:
    wanted = [(Case(cell, noise_pu), sky) for cell in PLANTS for sky in SKIES]
    return [case for case, _ in wanted], [sky for _, sky in wanted]


def _harvest(days: list[Harvest], noise_pu: float) -> list[Row]:
    judged = [day for day in days if day.curtailed >= CURTAILED]
    said = f"harvest, noise {noise_pu:.1%}"
    lost = max(1.0 - day.share for day in judged)
    margin_pu = max(day.margin_pu for day in judged)
    return [
        Row(
            f"{said}: energy short of the clairvoyant's, worst of {len(judged)} days",
            lost,
            "",
            goal=1.0 - SHARE_GOAL,
        ),
        Row(f"{said}: mean margin, worst", margin_pu, "pu", goal=judged[0].margin_goal_pu),
    ]
