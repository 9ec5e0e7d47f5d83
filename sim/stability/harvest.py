"""How much of what may be generated is: named stretches of days under the sky, with a household behind the meter."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from edge.core.limiter import target_w
from edge.model.image import Image
from sim.closed_loop import ClosedLoop
from sim.files.load import Appliances
from sim.files.weather import Clouds, Day, WeatherFile
from sim.stability.bench import Case, plant, settings
from sim.stability.grid import LOW_LOAD_PU, Cell
from sim.truth import Truth

CURTAILED = 0.3
"""Of the energy available: a day with less is not judged."""

SHARE_GOAL = 0.99

_STEP_S = 0.05
_RUN_IN_S = 120.0


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
    """What was generated within the limit over what a clairvoyant generates with the margin that we aim by.

    `curtailed` is what the limit itself takes of the energy available, `aim_pu` the mean margin aimed by and
    `margin_pu` the mean distance from the limit while that holds generation back, both over nameplate.
    """

    case: Case
    sky: str
    share: float
    curtailed: float
    aim_pu: float
    margin_pu: float

    @property
    def margin_goal_pu(self) -> float:
        """The mean margin may be half a percent, or three σ of the noise."""
        return max(0.005, 3 * self.case.noise_pu)


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
    return judged(case, sky.name, loop.truth.between(_RUN_IN_S, np.inf), float(np.mean(aims_w)), nameplate_w)


def judged(case: Case, sky: str, truth: Truth, aim_w: float, nameplate_w: float) -> Harvest:
    """What `truth` comes to. The clairvoyant has no delays: at each instant it makes what sun, load and margin allow."""
    limit_w = case.cell.limit_pu * nameplate_w
    allowed_w = np.maximum(0.0, truth.host_load_w + limit_w)
    permitted_w = np.minimum(truth.available_w, allowed_w)
    best_w = np.minimum(truth.available_w, np.maximum(0.0, allowed_w - aim_w))
    held = truth.output_w < truth.available_w - 0.01 * nameplate_w
    return Harvest(
        case,
        sky,
        share=float(np.minimum(truth.output_w, permitted_w).sum() / best_w.sum()),
        curtailed=1.0 - float(permitted_w.sum() / truth.available_w.sum()),
        aim_pu=aim_w / nameplate_w,
        margin_pu=float((limit_w - truth.export_w[held]).mean()) / nameplate_w if held.any() else 0.0,
    )
