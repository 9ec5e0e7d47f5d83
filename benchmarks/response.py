"""How fast export is back at the limit after a load drop, on the demo plant, against a clairvoyant controller.

The shipped `step()` runs on the simulated demo site in virtual time (sim/closed_loop.py): telemetry at 2 Hz, poll
phases and load noise drawn by seed, the load dropping 36 kW at random instants. Response time is that of
control.md, from the simulator's truth; the clairvoyant knew the step and its own plant beforehand and issues the
final command on the first meter sample after it: same plant, same load, same mean margin. The profile is exact,
and the meter's noise in the site file is the plant's. A trip ends its run, makes that
drop's ratio infinite, and has a row of its own.
"""

from __future__ import annotations

import random
import statistics
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, replace
from itertools import repeat
from multiprocessing import get_context

from benchmarks.registry import UnmeasuredError
from benchmarks.rows import Row, percentile
from edge.model.site import Site
from edge.model.strict_toml import load
from sim.closed_loop import ClosedLoop
from sim.simfile import DEMO, SimFile, load_simfile
from sim.truth import excursions, response_time_s
from sim.virtual import clairvoyant_time_s

MEDIAN_GOAL, WORST_GOAL, DEMO_GOAL = 1.02, 1.10, 1.5
EXCURSION_GOAL_S = 2.0
"""Fast plants of control.md's grid, of which the demo plant is one."""

NOISES_PU = {"demo noise": None, "noise 0.2 %": 0.002, "noise 2 %": 0.02}
"""Sigma of the host load at 10 Hz over nameplate; None leaves the demo's own, 0.05 %."""

_DROP_W = 36_000.0
_SETTLE_S = 16.0
_JUDGED_S = 6.0
_BACK_S = 10.0
_SEEDS = 24
_DROPS = 5


@dataclass(frozen=True, slots=True)
class Answer:
    """How one load drop went; times in s, excursion above limit + 0.5 % of nameplate.

    `ours_s` is None where the limiter did not bring export back: not at all, or the guard tripped first.
    """

    ours_s: float | None
    clairvoyant_s: float
    excursion_s: float

    @property
    def ratio(self) -> float:
        """Ours over the clairvoyant's; infinite when the limiter did not bring export back."""
        return float("inf") if self.ours_s is None else self.ours_s / self.clairvoyant_s


def demo_site(noise_pu: float | None) -> Site:
    """The shipped site file of the demo, commissioned at this noise."""
    path = DEMO.with_name("demo.site.toml")
    site = load(Site, path.read_text(encoding="utf-8"), str(path))
    if noise_pu is None:
        return site
    return site.model_copy(
        update={"meter": site.meter.model_copy(update={"noise_w": noise_pu * site.nameplate_w})}
    )


def demo_plant(noise_pu: float | None, seed: int) -> SimFile:
    """The shipped plant of the demo without its script."""
    sim = load_simfile(DEMO)
    noise_w = sim.load.noise_w if noise_pu is None else noise_pu * sim.nameplate_w
    noisy = sim.load.model_copy(update={"noise_w": noise_w, "seed": seed})
    return sim.model_copy(update={"load": noisy, "script": ()})


def answers(sim: SimFile, site: Site, seed: int, drops: int = _DROPS) -> tuple[list[Answer], bool]:
    """Load drops at random instants of one run, and whether it ended early because the site tripped."""
    draw = random.Random(seed)
    loop = ClosedLoop(sim, site, seed=seed).run(_SETTLE_S)
    found: list[Answer] = []
    while len(found) < drops and not _tripped(loop):
        loop.run(draw.uniform(0.0, 1.0))
        step_s = loop.load_step(-_DROP_W)
        loop.run(_JUDGED_S)
        answer = _answer(loop, sim, site, step_s)
        found.append(replace(answer, ours_s=None) if _tripped(loop) else answer)
        loop.load_step(_DROP_W)
        loop.run(_BACK_S)
    return found, _tripped(loop)


def _tripped(loop: ClosedLoop) -> bool:
    return any(event.kind == "trip" for event in loop.events)


def _answer(loop: ClosedLoop, sim: SimFile, site: Site, step_s: float) -> Answer:
    until_s = step_s + _JUDGED_S
    truth = loop.truth.between(step_s - _BACK_S, until_s)
    best_s = clairvoyant_time_s(sim, truth, step_s, site.limit_w, until_s)
    if not best_s:
        raise UnmeasuredError("the clairvoyant controller did not bring export back, or never had to")
    after = truth.between(step_s, until_s)
    return Answer(
        response_time_s(truth, step_s, site.limit_w, sim.nameplate_w, until_s),
        best_s,
        max((one.duration_s for one in excursions(after, site.limit_w, sim.nameplate_w)), default=0.0),
    )


def measure(seeds: Sequence[int] = range(1, _SEEDS + 1)) -> list[Row]:
    """Rows for each noise. It is virtual time: all cores may help."""
    rows = []
    with ProcessPoolExecutor(mp_context=get_context("spawn")) as pool:
        for name, noise_pu in NOISES_PU.items():
            runs = list(pool.map(_run, seeds, repeat(noise_pu)))
            found = [answer for answers_of_run, _ in runs for answer in answers_of_run]
            rows += _rows(name, found, trips=sum(tripped for _, tripped in runs))
    return rows


def _run(seed: int, noise_pu: float | None) -> tuple[list[Answer], bool]:
    return answers(demo_plant(noise_pu, seed), demo_site(noise_pu), seed)


def _rows(name: str, found: list[Answer], trips: int) -> list[Row]:
    if not found:
        raise UnmeasuredError(f"with {name} the site tripped before the first load drop was judged")
    ratios = [answer.ratio for answer in found]
    best_s = statistics.median(answer.clairvoyant_s for answer in found)
    said = f"clairvoyant {best_s:.2f} s (median of {len(found)} drops)"

    def ratio(which: str, value: float, goal: float | None) -> Row:
        return Row(f"response ratio, {name}, {which}", value, "x", said, value, goal)

    excursions_s = [answer.excursion_s for answer in found]
    return [
        ratio("median", statistics.median(ratios), MEDIAN_GOAL),
        ratio("99 %", percentile(ratios, 0.99), DEMO_GOAL),
        ratio("worst", max(ratios), WORST_GOAL),
        Row(f"excursion, {name}, median", statistics.median(excursions_s), "s"),
        Row(f"excursion, {name}, worst", max(excursions_s), "s", goal=EXCURSION_GOAL_S),
        Row(f"trips in normal running, {name}", trips, "", f"{len(found)} drops were judged", goal=0),
    ]
