"""How fast, and how calmly, the limiter answers on every plant of the grid of control.md: 1,500 of them.

One DER behind one meter, in virtual time with the shipped `step()`. Two minutes of ordinary running, in which a load
of a tenth of nameplate comes and goes, are there to learn from; then host load falls at full sun. The guard's bound
is taken out, since it is the limiter that is judged: on slow plants it would force a fallback in the middle.
"""

from __future__ import annotations

import math
import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import product

from edge.core.settings import CoreSettings
from edge.guard import budget
from edge.guard.settings import GuardSettings
from edge.model.site import Site
from edge.step import Settings
from sim.closed_loop import ClosedLoop
from sim.metrics import Bearings, measure
from sim.scenario import load_scenario
from sim.simfile import SimFile
from sim.study.file import SHIPPED
from sim.study.variant import Seeds, variant
from sim.truth import excursions, response_time_s
from sim.virtual import clairvoyant_time_s

PERIODS_S = (0.1, 0.2, 0.5, 1.0, 2.0)
LATENCIES_S = (0.0, 0.2, 0.5, 1.0)
DEAD_TIMES_S = (0.1, 0.5, 1.0, 2.0, 3.0)
SLOPES_PCT_S = (2.5, 5.0, 20.0, 100.0, None)
"""None is a first-order lag that takes 1 s to 90 % of a step."""
LIMITS_PU = (-0.05, 0.0, 0.25)

LAG_S = 1.0
LAG_SLOPE_PCT_S = 90.0
"""What the profile of a DER with a lag says."""
DEADBAND_PCT = 0.2
DER_POLL_S = 1.0
MOST_WRONG = 2.0

_LEARN_S = 120.0
_COMES_AND_GOES_S = 15.0
_COMES_AND_GOES_PU = 0.1
_LOW_LOAD_PU = 0.1
_CALM_S = 60.0


@dataclass(frozen=True, slots=True)
class Cell:
    """One plant of the grid. Times in s, slope in % of nameplate a second, limit over nameplate."""

    period_s: float
    latency_s: float
    dead_time_s: float
    slope_pct_s: float | None
    limit_pu: float

    @property
    def told_slope_pct_s(self) -> float:
        """The slope that an exact profile states."""
        return LAG_SLOPE_PCT_S if self.slope_pct_s is None else self.slope_pct_s

    @property
    def high_load_pu(self) -> float:
        """Host load before it falls: the plant is held at its limit, and below its nameplate."""
        return min(0.9, 0.95 - self.limit_pu)


@dataclass(frozen=True, slots=True)
class Answer:
    """How a plant answered. Times in s, the others over nameplate.

    `ratio` is infinite where export never came back, 1 where even the clairvoyant had nothing to do.
    `bound_s` is the longest excursion above limit + 0.5 %, `best_s` the clairvoyant's response.
    """

    cell: Cell
    noise_pu: float
    wrong: tuple[float, float]
    ratio: float
    best_s: float
    undershoot_pu: float
    oscillation_pu: float
    bound_s: float
    margin_pu: float


def grid() -> list[Cell]:
    """All plants."""
    return [
        Cell(*values) for values in product(PERIODS_S, LATENCIES_S, DEAD_TIMES_S, SLOPES_PCT_S, LIMITS_PU)
    ]


def thinned(thin: int) -> list[Cell]:
    """One plant out of `thin`, drawn evenly from the whole grid, the same at each call."""
    cells = grid()
    random.Random(thin).shuffle(cells)
    return cells[::thin]


def profiles(cells: Sequence[Cell], *, wrong: bool) -> Iterator[tuple[Cell, tuple[float, float]]]:
    """Each plant with the factors by which its dead time and slope differ from its profile, 0.5 to 2."""
    draw = random.Random(1)
    for cell in cells:
        factors = [MOST_WRONG ** draw.uniform(-1.0, 1.0) for _ in range(2)] if wrong else [1.0, 1.0]
        yield cell, (factors[0], factors[1])


def answer(cell: Cell, wrong: tuple[float, float], noise_pu: float, seed: int = 1) -> Answer:
    """Run one plant; `wrong` are the factors of what the device does over what its profile says."""
    sim, site = _plant(cell, wrong, noise_pu, seed)
    nameplate_w = sim.nameplate_w
    limit_w = cell.limit_pu * nameplate_w
    loop = ClosedLoop(
        sim, site, seed=seed, dt_s=0.02 if cell.period_s < 0.5 else 0.05, settings=_settings(site, limit_w)
    )
    travel_s = 100.0 / sim.inverter[0].slope_pct_s + sim.inverter[0].lag_s
    loop.run(15.0 + travel_s)
    for _ in range(round(_LEARN_S / (2 * _COMES_AND_GOES_S))):
        for sign in (-1.0, 1.0):
            loop.load_step(sign * _COMES_AND_GOES_PU * nameplate_w)
            loop.run(_COMES_AND_GOES_S)
    loop.run(10.0 + 0.2 * travel_s)
    step_s = loop.load_step((_LOW_LOAD_PU - cell.high_load_pu) * nameplate_w)
    waits_s = cell.period_s + cell.latency_s + sim.inverter[0].dead_time_s
    loop.run(10.0 + 2.5 * (travel_s + waits_s) + _CALM_S)
    return _judged(loop, sim, Answer(cell, noise_pu, wrong, 1.0, 0.0, 0.0, 0.0, 0.0, 0.0), step_s, limit_w)


def _judged(loop: ClosedLoop, sim: SimFile, found: Answer, step_s: float, limit_w: float) -> Answer:
    nameplate_w, end_s = sim.nameplate_w, loop.now_s
    truth = loop.truth.between(step_s - 10.0, end_s)
    best_s = clairvoyant_time_s(sim, truth, step_s, limit_w, end_s) or 0.0
    ours_s = response_time_s(truth, step_s, limit_w, nameplate_w, end_s)
    ratio = math.inf if ours_s is None else ours_s / best_s if best_s else 1.0
    metrics = measure(truth, (), 0, Bearings(limit_w, nameplate_w, 0.0, ((step_s, end_s),), None))
    before = truth.between(step_s - 10.0, step_s)
    return replace(
        found,
        ratio=ratio,
        best_s=best_s,
        undershoot_pu=metrics.undershoot_pu,
        oscillation_pu=metrics.oscillation_pu,
        bound_s=max((one.duration_s for one in excursions(truth, limit_w, nameplate_w)), default=0.0),
        margin_pu=(limit_w - float(before.export_w.mean())) / nameplate_w,
    )


def _plant(cell: Cell, wrong: tuple[float, float], noise_pu: float, seed: int) -> tuple[SimFile, Site]:
    base = load_scenario(str(SHIPPED / "scenarios" / "reversion.toml"))
    drawn = {
        "limit_pu": max(0.0, cell.limit_pu),
        "dead_time_s": cell.dead_time_s,
        "slope_pct_per_s": cell.told_slope_pct_s,
        "dead_time_ratio": wrong[0],
        "slope_ratio": wrong[1],
        "meter_period_s": cell.period_s,
        "meter_latency_s": cell.latency_s,
        "load_pu": cell.high_load_pu,
        "load_noise_pu": noise_pu,
    }
    made = variant(base, drawn, Seeds(seed, seed))
    device: dict[str, float] = {"deadband_pct": DEADBAND_PCT}
    if cell.slope_pct_s is None:
        device |= {"slope_pct_s": 1e6, "lag_s": LAG_S / wrong[1]}
    unit = made.sim.inverter[0].model_copy(update=device)
    der = made.site_file.der[0].model_copy(update={"poll_s": DER_POLL_S})
    return made.sim.model_copy(update={"inverter": (unit,), "script": ()}), made.site_file.model_copy(
        update={"der": (der,)}
    )


def _settings(site: Site, limit_w: float) -> Settings:
    """What the site compiles to, with any limit and without the bound, whether or not the guard would take it."""
    core = CoreSettings.of(
        site, stale_s=budget.security(site).total_s, dropouts_w=(), command_s=budget.COMMAND_ON_WIRE_S
    )
    guard = GuardSettings.of(site)
    unbound = replace(guard.pcs, pickup_w=math.inf, dropout_w=math.inf)
    return Settings(
        core=replace(core, ceiling_w=limit_w, limit_w=limit_w),
        guard=replace(guard, pcs=unbound),
        noise_w=site.meter.noise_w,
    )


def answer_to(wanted: tuple[Cell, tuple[float, float]], noise_pu: float) -> Answer:
    """`answer` to a plant with its factors, for a pool of workers."""
    return answer(*wanted, noise_pu)
