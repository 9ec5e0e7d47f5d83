"""The limiter on thinned grids of plants: drops, second drops, rises, clouds (`dergate sim stability`).

Several DERs behind one meter, and one of them lost, are grids of their own. Limits on phases and in kVA, and storage in
each PCS mode, are not on the grid: shipped scenarios say how long each was beyond what was agreed.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from concurrent.futures import Executor, ProcessPoolExecutor
from functools import partial
from itertools import product
from multiprocessing import get_context

from benchmarks.progress import SHOWN
from benchmarks.rows import Row
from sim.run import run
from sim.scenario import load_scenario
from sim.stability.answer import ASKED, Answer, answer
from sim.stability.bench import Case, cases
from sim.stability.grid import Cell, fast, grid, mixed, thinned, unheard
from sim.stability.harvest import CURTAILED, PLANTS, SHARE_GOAL, SKIES, Harvest, Sky, harvest
from sim.stability.table import table

THIN, AGAIN_THIN, MIXED_THIN, UNHEARD_THIN = 50, 150, 4, 12
NOISES_PU = (0.002, 0.02)
BEYOND_GOAL_S = 2.0
AGREED = (
    "phase-load-drop",
    "phase-unbalanced-load",
    "apparent-power",
    "storage-export-only",
    "storage-import-only",
    "storage-no-exchange",
    "storage-export-limited",
    "storage-import-limited",
    "storage-absorbs-surplus",
)


def measure(thin: int = THIN, again_thin: int = AGAIN_THIN) -> list[Row]:
    """Rows for each profile and noise. It is virtual time: all cores may help."""
    every = grid()
    grids: dict[str, tuple[str, Sequence[Cell]]] = {
        "grid": ("drop", thinned(every, thin)),
        "fast grid": ("drop", fast()),
        "several DERs": ("drop", thinned(mixed(), MIXED_THIN)),
        "one of several DERs lost": ("drop", thinned(unheard(), UNHEARD_THIN)),
    }
    grids |= {asked: (asked, thinned(every, again_thin)) for asked in ASKED if asked != "drop"}
    rows = []
    with ProcessPoolExecutor(mp_context=get_context("spawn")) as pool:
        for (name, (asked, cells)), wrong, noise_pu in product(grids.items(), (False, True), NOISES_PU):
            said = f"{name}, {'wrong' if wrong else 'exact'} profile, noise {noise_pu:.1%}"
            found = list(_answers(pool, said, asked, cases(cells, noise_pu, wrong=wrong)))
            rows += [
                Row(f"{said}: {figure.name}", figure.value, figure.unit, goal=figure.goal)
                for figure in table(found, wrong=wrong)
            ]
        for noise_pu in NOISES_PU:
            SHOWN.tell(f"harvest, noise {noise_pu:.1%}")
            rows += _harvest(list(pool.map(harvest, *_days(noise_pu))), noise_pu)
        rows += [
            Row(f"{name}: longest beyond what was agreed", beyond_s, "s", goal=BEYOND_GOAL_S)
            for name, beyond_s in zip(AGREED, pool.map(longest_beyond_s, AGREED), strict=True)
        ]
    return rows


def _answers(pool: Executor, said: str, asked: str, plants: Sequence[Case]) -> Iterator[Answer]:
    for number, found in enumerate(pool.map(partial(answer, asked), plants), 1):
        SHOWN.tell(f"{said}: {number} of {len(plants)} plants")
        yield found


def longest_beyond_s(scenario: str) -> float:
    """The longest time in which a shipped scenario was beyond any of its limits: total, phase, kVA, storage."""
    done = run(load_scenario(scenario)).metrics
    return max(
        done.longest_excursion_s,
        done.longest_phase_excursion_s,
        done.longest_va_excursion_s,
        done.longest_taken_s,
        done.longest_sent_s,
    )


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
        Row(
            f"{said}: the same against one without delay or slope",
            max(1.0 - day.undelayed_share for day in judged),
            "",
        ),
        Row(f"{said}: mean margin, worst", margin_pu, "pu", goal=judged[0].margin_goal_pu),
        Row(f"{said}: mean distance from the limit, worst", max(day.distance_pu for day in judged), "pu"),
    ]
