"""What is asked of a plant, and its answer: a load drop, a second one during recovery, a rise, a drop under clouds."""

from __future__ import annotations

import math
import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from sim.stability.bench import Bench, Case
from sim.stability.clairvoyant import Command, heard_s, replay
from sim.stability.grid import LOW_LOAD_PU
from sim.stability.judge import NEAR_PU, RESTLESS_S, Figures, figures
from sim.truth import Floats

_BEFORE_S = 10.0
_SHADE_PU = 0.3
_EDGE_S = 10.0
"""A cloud takes the sun down to the first, and gives it back, within the second."""
_RAMP_STEP_S = 0.1
_REVERTED = 0.02
"""Of its way to the reversion value: a DER this close is there."""


@dataclass(frozen=True, slots=True)
class Bound:
    """What the PCS bound counts of our excursion, and of the clairvoyant's on the same plant."""

    ours_s: float
    best_s: float
    fast: bool

    @property
    def judged(self) -> bool:
        """Whether the clairvoyant's is short enough for the design to bound ours."""
        return self.best_s < (1.5 if self.fast else 25.0)

    @property
    def outlasts(self) -> bool:
        """Whether ours then lasts longer than it may."""
        return self.judged and self.ours_s > (2.0 if self.fast else 30.0)


@dataclass(frozen=True, slots=True)
class Answer:
    """How the limiter answered, and the clairvoyant on the same plant, seed and mean margin (over nameplate)."""

    case: Case
    ours: Figures
    best: Figures
    margin_pu: float
    rises: bool = False

    @property
    def ratio(self) -> float:
        """Our response over the clairvoyant's: 1 where none had to respond, infinite where it never came to an end.

        On the way up it is the time until output is within 5 % of nameplate below its final target for good.
        """
        ours_s, best_s = self.ours.response_s, self.best.response_s
        if self.rises and ours_s <= best_s:
            ours_s, best_s = self.ours.back_s, self.best.back_s
        if best_s > 0:
            return ours_s / best_s
        return math.inf if ours_s > 0 else 1.0

    @property
    def oscillation_pu(self) -> float:
        """Peak-to-peak export in minutes 2 to 4 beyond what constant commands give."""
        return max(0.0, self.ours.swing_pu - self.best.swing_pu)

    @property
    def undershoots(self) -> bool:
        """Whether it fell by more than 5 % of nameplate too low and stayed there for longer than it may.

        A rise starts too low: there the ratio says all.
        """
        return (
            not self.rises
            and self.ours.undershoot_pu > NEAR_PU
            and self.ours.back_s > 2 * self.best.response_s
        )

    @property
    def bounds(self) -> dict[str, Bound]:
        """The excursion as the PCS bound counts it, by where the count begins."""
        ours, best, fast = self.ours, self.best, self.case.cell.fast
        return {
            "limit + 0.5 %": Bound(ours.bound_s, best.bound_s, fast=fast),
            "limit": Bound(ours.limit_bound_s, best.limit_bound_s, fast=fast),
        }


def drop(case: Case) -> Answer:
    """The load falls at once."""
    bench = Bench(case)
    return _judged(bench, [(bench.load_to(LOW_LOAD_PU), LOW_LOAD_PU)])


def second_drop(case: Case) -> Answer:
    """The load falls half-way, and the rest of the way while the plant is coming down."""
    bench, cell = Bench(case), case.cell
    half_pu = (LOW_LOAD_PU + cell.high_load_pu) / 2
    first_s = bench.load_to(half_pu)
    recovery_s = cell.period_s + cell.latency_s + cell.slowest_s + 0.4 * bench.travel_s
    bench.loop.run(_draw(case) * recovery_s)
    return _judged(bench, [(first_s, half_pu), (bench.load_to(LOW_LOAD_PU), LOW_LOAD_PU)])


def rise(case: Case) -> Answer:
    """The load comes back at once, from where a drop has taken it."""
    bench, high_pu = Bench(case), case.cell.high_load_pu
    down_s = bench.load_to(LOW_LOAD_PU)
    bench.loop.run(30.0 + 1.5 * bench.travel_s)
    return _judged(bench, [(down_s, LOW_LOAD_PU), (bench.load_to(high_pu), high_pu)], rises=True)


def clouds(case: Case) -> Answer:
    """A cloud passes, and the load falls while the sun comes back."""
    bench = Bench(case)
    bench.sun_to(_SHADE_PU, _EDGE_S)
    bench.loop.run(2 * _EDGE_S)
    bench.sun_to(1.0, _EDGE_S)
    bench.loop.run(_draw(case) * _EDGE_S)
    return _judged(bench, [(bench.load_to(LOW_LOAD_PU), LOW_LOAD_PU)])


ASKED: dict[str, Callable[[Case], Answer]] = {
    "drop": drop,
    "second-drop": second_drop,
    "rise": rise,
    "clouds": clouds,
}


def answer(asked: str, case: Case) -> Answer:
    """What the plant of `case` answers to one of `ASKED`; for a pool of workers."""
    return ASKED[asked](case)


def _draw(case: Case) -> float:
    return random.Random(f"when {case.cell} {case.seed}").uniform(0.2, 1.0)


def _judged(bench: Bench, steps: Sequence[tuple[float, float]], *, rises: bool = False) -> Answer:
    """Run on and judge the last of `steps`, each a time and the load over nameplate from then on."""
    loop, sim, nameplate_w, limit_w = bench.loop, bench.sim, bench.nameplate_w, bench.limit_w
    step_s = steps[-1][0]
    loop.run(step_s + RESTLESS_S[1] - loop.now_s)
    truth = loop.truth.between(bench.ready_s - _BEFORE_S, np.inf)
    before = truth.between(-np.inf, bench.ready_s)
    margin_w = max(0.0, limit_w - float(before.export_w.mean()))
    lost_w = truth.inverter_w[:, list(bench.lost)].sum(axis=1)
    commands: list[Command] = []
    total_w = float(before.output_w[-1])
    ends_s = [*(at_s for at_s, _ in steps[1:]), np.inf]
    for (at_s, _), end_s in zip(steps, ends_s, strict=True):
        during = truth.between(at_s, end_s)
        goal_w = min(nameplate_w, max(0.0, float(during.host_load_w.mean()) + limit_w - margin_w))
        from_s = heard_s(sim, truth, at_s)
        heard = truth.t_s >= from_s
        commands += room_for(truth.t_s[heard], lost_w[heard], from_s, total_w, goal_w, bench.ramp_up_w_per_s)
        total_w = goal_w
    best = replay(sim, truth, bench.ready_s, before.inverter_w[-1].tolist(), commands, bench.lost)
    return Answer(
        bench.case,
        figures(truth, step_s, limit_w, nameplate_w, total_w),
        figures(best, step_s, limit_w, nameplate_w, total_w),
        margin_w / nameplate_w,
        rises=rises,
    )


def room_for(
    t_s: Floats, lost_w: Floats, from_s: float, from_w: float, goal_w: float, ramp_w_per_s: float
) -> list[Command]:
    """Commands for the DERs that hear, which make room for what the lost ones make, and fill it once those revert."""
    most_w, end_w = float(lost_w.max()), float(lost_w[-1])
    room_w = goal_w - most_w
    commands = _ramped(from_s, from_w - most_w, room_w, ramp_w_per_s)
    high = np.flatnonzero(lost_w > end_w + _REVERTED * (most_w - end_w))
    if high.size and high[-1] + 1 < len(t_s):
        commands += _ramped(float(t_s[high[-1]]), room_w, goal_w - end_w, ramp_w_per_s)
    return commands


def _ramped(from_s: float, from_w: float, goal_w: float, ramp_w_per_s: float) -> list[Command]:
    """Commands that take the sum to `goal_w`: down at once, up by the ramp that the site file asks for."""
    steps = math.floor(max(0.0, goal_w - from_w) / (ramp_w_per_s * _RAMP_STEP_S))
    rising = [
        (from_s + i * _RAMP_STEP_S, from_w + i * _RAMP_STEP_S * ramp_w_per_s) for i in range(1, steps + 1)
    ]
    return [*rising, (from_s + (steps + 1) * _RAMP_STEP_S if steps else from_s, goal_w)]
