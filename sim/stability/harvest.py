"""How much of what may be generated is: named stretches of days under the sky, with a household behind the meter."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from edge.core.limiter import target_w
from edge.core.noise import SIGMAS
from edge.model.image import Image
from sim.closed_loop import ClosedLoop
from sim.files.load import Appliances, Load
from sim.files.weather import Clouds, Day, WeatherFile
from sim.load import HostLoad
from sim.stability.bench import Case, plant, settings
from sim.stability.grid import LOW_LOAD_PU, Cell
from sim.truth import Flags, Floats, Truth

CURTAILED = 0.3
"""Of the energy available: a day with less is not judged."""

SHARE_GOAL = 0.99

_STEP_S = 0.05
_RUN_IN_S = 120.0
_SETTLED_S = 10.0
"""After a change of the load, or of what holds generation back, the loop has settled."""


@dataclass(frozen=True, slots=True)
class Sky:
    """A named stretch of a day: sun and clouds."""

    name: str
    day: Day
    cover: float | None = None


SKIES = (
    Sky("a clear noon in June", Day(latitude_deg=40, day_of_year=172, start_h=11.5)),
    Sky("broken clouds in June", Day(latitude_deg=40, day_of_year=172, start_h=11.5), 0.4),
    Sky("few clouds in April", Day(latitude_deg=40, day_of_year=105, start_h=11.0), 0.2),
)
PLANTS = (
    Cell(0.2, 0.2, 0.5, 100.0, 0.0),
    Cell(1.0, 0.2, 0.5, 20.0, 0.25),
    Cell(2.0, 0.5, 2.0, 5.0, 0.0),
)


@dataclass(frozen=True, slots=True)
class Harvest:
    """What was generated within the limit over what a clairvoyant generates with the same mean margin.

    The clairvoyant is of the same plant: it knows sun and load beforehand, so dead time and latency cost it nothing, but
    its output moves along the DER's slope. `undelayed_share` is over one that follows every sample of noise at once,
    with the margin that we aim by. `curtailed` is what the limit itself takes of the energy available.

    Over nameplate: `aim_pu` is the mean margin aimed by, `margin_pu` the mean margin: the distance from the limit once
    the loop has settled at it, `distance_pu` the distance whenever it holds generation back.
    """

    case: Case
    sky: str
    share: float
    undelayed_share: float
    curtailed: float
    aim_pu: float
    margin_pu: float
    distance_pu: float

    @property
    def margin_goal_pu(self) -> float:
        """The mean margin may be half a percent, or three σ of the noise."""
        return max(0.005, 3 * self.case.noise_pu)

    @property
    def margin_parts_pu(self) -> dict[str, float]:
        """What the distance from the limit consists of: the mean margin, and what is lost on the way back to it."""
        sigmas_pu = SIGMAS * self.case.noise_pu
        return {
            "three σ of the load's noise": sigmas_pu,
            "σ heard too high or low": self.aim_pu - sigmas_pu,
            "holds, rounding": self.margin_pu - self.aim_pu,
            "on the way up": self.distance_pu - self.margin_pu,
        }


def harvest(case: Case, sky: Sky, duration_s: float = 1800.0) -> Harvest:
    """Run a plant under a sky, appliances coming and going, and judge what follows two minutes of running in."""
    sim, site = plant(case)
    nameplate_w = sim.nameplate_w
    clouds = None if sky.cover is None else Clouds(cover=sky.cover, largest_m=1500.0)
    steps = Appliances(count=6, step_w=0.06 * nameplate_w, on_s=120.0, off_s=240.0)
    load = sim.load.model_copy(update={"base_w": LOW_LOAD_PU * nameplate_w, "steps": steps})
    weather = WeatherFile(day=sky.day, clouds=clouds, seed=case.seed)
    sim = sim.model_copy(update={"load": load, "weather": weather})
    limit_w = case.cell.limit_pu * nameplate_w
    aims_w: list[float] = []

    def on_scan(_: Image, __: float) -> None:
        aims_w.append(limit_w - target_w(loop.settings.core, loop.state.core.limiter.noise))

    loop = ClosedLoop(
        sim, site, seed=case.seed, dt_s=_STEP_S, settings=settings(site, limit_w), on_scan=on_scan
    )
    loop.run(_RUN_IN_S)
    aims_w.clear()
    loop.run(duration_s)
    steady_w = _steady_w(load, len(loop.truth.t_s))[loop.truth.t_s >= _RUN_IN_S]
    truth = loop.truth.between(_RUN_IN_S, np.inf)
    return judged(case, sky.name, truth, steady_w, float(np.mean(aims_w)), nameplate_w)


def _steady_w(load: Load, rows: int) -> Floats:
    """The host load of each row without its noise."""
    still = HostLoad(load.model_copy(update={"noise_w": 0.0}), (1.0, 0.0, 0.0), _STEP_S, load.seed)
    values_w = np.empty(rows)
    for row in range(rows):
        still.step()
        values_w[row] = still.load_w
    return values_w


def judged(case: Case, sky: str, truth: Truth, steady_w: Floats, aim_w: float, nameplate_w: float) -> Harvest:
    """What `truth` comes to; `steady_w` is the host load without its noise."""
    limit_w = case.cell.limit_pu * nameplate_w
    permitted_w = np.minimum(truth.available_w, np.maximum(0.0, truth.host_load_w + limit_w))
    undelayed_w = np.minimum(truth.available_w, np.maximum(0.0, truth.host_load_w + limit_w - aim_w))
    short_w = limit_w - truth.export_w
    held = truth.output_w < truth.available_w - 0.01 * nameplate_w
    moved = np.concatenate(([True], np.diff(steady_w) != 0.0))
    settled = _for_long(held & ~moved, round(_SETTLED_S / truth.dt_s))
    margin_w = float(short_w[settled].mean()) if settled.any() else aim_w
    best_w = feasible_w(
        truth.available_w,
        np.maximum(0.0, steady_w + limit_w - margin_w),
        _reach_w(case, nameplate_w, truth.dt_s),
        float(truth.output_w[0]),
    )
    within_w = float(np.minimum(truth.output_w, permitted_w).sum())
    return Harvest(
        case,
        sky,
        share=within_w / float(np.minimum(best_w, permitted_w).sum()),
        undelayed_share=within_w / float(undelayed_w.sum()),
        curtailed=1.0 - float(permitted_w.sum() / truth.available_w.sum()),
        aim_pu=aim_w / nameplate_w,
        margin_pu=margin_w / nameplate_w,
        distance_pu=float(short_w[held].mean()) / nameplate_w if held.any() else 0.0,
    )


def _for_long(flags: Flags, rows: int) -> Flags:
    """Where `flags` was true in each of the last `rows`."""
    missed = np.concatenate(([0], np.cumsum(~flags)))
    since = np.maximum(np.arange(1, flags.size + 1) - rows, 0)
    long: Flags = missed[1:] == missed[since]
    return long


def _reach_w(case: Case, nameplate_w: float, dt_s: float) -> float:
    """How far the DER's output moves in one row: along its slope; a lag is not held to one."""
    slope_pct_s = case.cell.slope_pct_s
    if slope_pct_s is None:
        return np.inf
    return slope_pct_s * case.wrong[1] / 100 * nameplate_w * dt_s


def feasible_w(available_w: Floats, allowed_w: Floats, reach_w: float, first_w: float) -> Floats:
    """The most that output from `first_w` on can be in each row, never above what is allowed then.

    It moves by at most `reach_w` a row, but for a weaker sun, which acts at once: it comes down early enough for every
    fall of what is allowed, and up no faster.
    """
    highest_w = allowed_w.copy()
    for row in range(len(allowed_w) - 2, -1, -1):
        if available_w[row + 1] > highest_w[row + 1]:
            highest_w[row] = min(highest_w[row], highest_w[row + 1] + reach_w)
    best_w = np.empty_like(allowed_w)
    now_w = first_w
    for row in range(len(allowed_w)):
        now_w = min(available_w[row], highest_w[row], now_w + reach_w)
        best_w[row] = now_w
    return best_w
