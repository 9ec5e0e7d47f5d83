"""The plants and days on which everybody is judged.

Plants are drawn evenly from the grid of `sim.stability`, with 0.2 % and 2 % of noise in turn, profiles exact and wrong in
turn. Days are named stretches of sun and household on three plants of the grid. One inverter of 3 kW behind one meter:
the size for which a peer documents its watts; times and slopes do not depend on it.
"""

from __future__ import annotations

import math
import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from edge.core.settings import CoreSettings
from edge.guard import budget
from edge.guard.settings import GuardSettings
from edge.model.site import Site
from edge.step import Settings
from sim.files.load import Appliances
from sim.files.script import ScriptEvent
from sim.files.weather import Clouds, Day, WeatherFile
from sim.scenario import load_scenario
from sim.simfile import SimFile
from sim.stability.bench import DEADBAND_PCT, DER_POLL_S
from sim.stability.grid import LAG_S, MOST_WRONG, Cell, grid, thinned
from sim.study.file import SHIPPED
from sim.study.variant import Seeds, variant

NAMEPLATE_W = 3000.0
JUDGED_FROM_S = 120.0
"""Two minutes of ordinary running come before."""

NOISES_PU = (0.002, 0.02)
LOW_LOAD_PU = 0.1

_STEP_S = 60.0
_WIGGLE_S, _WIGGLE_PU = 15.0, 0.1
_EXACT = (1.0, 1.0)


@dataclass(frozen=True, slots=True)
class Weather:
    """A named stretch of a day: sun, clouds, and the noise of the load."""

    name: str
    day: Day
    cover: float | None
    noise_pu: float
    duration_s: float = 360.0


DAYS = (
    Weather("clear noon in June", Day(latitude_deg=40, day_of_year=172, start_h=11.8), None, 0.002),
    Weather("broken clouds in June", Day(latitude_deg=40, day_of_year=172, start_h=11.8), 0.4, 0.002),
    Weather("restless load in April", Day(latitude_deg=40, day_of_year=105, start_h=11.8), 0.2, 0.02),
)
DAY_CELLS = (
    Cell(0.2, 0.2, 0.5, 100.0, 0.0),
    Cell(1.0, 0.2, 0.5, 20.0, 0.25),
    Cell(2.0, 0.5, 2.0, 5.0, -0.05),
)


@dataclass(frozen=True, slots=True)
class Case:
    """One run: a plant, by what factors it differs from its profile, the noise, the seed; a day, or steps of the load."""

    cell: Cell
    wrong: tuple[float, float]
    noise_pu: float
    seed: int
    day: Weather | None = None

    @property
    def duration_s(self) -> float:
        """How long it runs, the time that is not judged included."""
        return JUDGED_FROM_S + (4 * _STEP_S if self.day is None else self.day.duration_s)

    @property
    def task_limit_w(self) -> float:
        """The limit on export in W."""
        return self.cell.limit_pu * NAMEPLATE_W

    def classes(self) -> Iterator[str]:
        """The classes of plants that it belongs to, in words."""
        if self.day is not None:
            yield f"day: {self.day.name}"
            return
        cell = self.cell
        slope = "1 s lag" if cell.slope_pct_s is None else f"{cell.slope_pct_s:g} %/s"
        yield f"meter period {cell.period_s:g} s"
        yield f"meter latency {cell.latency_s:g} s"
        yield f"dead time {cell.dead_time_s:g} s"
        yield f"slope {slope}"
        yield f"limit {cell.limit_pu:g}"
        yield f"noise {self.noise_pu:.1%}"
        yield f"profile {'exact' if self.wrong == _EXACT else 'wrong'}"


def cases(thin: int, seed: int) -> list[Case]:
    """One plant out of `thin` of the grid with steps of the load, then the days; `seed` draws load, noise and clouds."""
    cells = thinned(grid(), thin)
    draw = random.Random(1)
    wrong = [(_factor(draw), _factor(draw)) for _ in cells]
    stepping = [
        Case(cell, _EXACT if index // 2 % 2 else wrong[index], NOISES_PU[index % 2], seed + index)
        for index, cell in enumerate(cells)
    ]
    days = [
        Case(cell, _EXACT, day.noise_pu, seed + 10 * number + row, day)
        for number, day in enumerate(DAYS)
        for row, cell in enumerate(DAY_CELLS)
    ]
    return stepping + days


def _factor(draw: random.Random) -> float:
    """By what a profile may be wrong: from half to twice."""
    return float(MOST_WRONG ** draw.uniform(-1.0, 1.0))


def plant(case: Case) -> tuple[SimFile, Site]:
    """The sim file and the site file of a case."""
    cell = case.cell
    base = load_scenario(str(SHIPPED / "scenarios" / "reversion.toml"))
    drawn = {
        "nameplate_w": NAMEPLATE_W,
        "limit_pu": max(0.0, cell.limit_pu),
        "dead_time_s": cell.dead_time_s,
        "slope_pct_per_s": cell.told_slope_pct_s,
        "dead_time_ratio": case.wrong[0],
        "slope_ratio": case.wrong[1],
        "meter_period_s": cell.period_s,
        "meter_latency_s": cell.latency_s,
        "load_pu": cell.high_load_pu if case.day is None else LOW_LOAD_PU,
        "load_noise_pu": case.noise_pu,
    }
    made = variant(base, drawn, Seeds(case.seed, case.seed))
    device: dict[str, float] = {"deadband_pct": DEADBAND_PCT}
    if cell.slope_pct_s is None:
        device |= {"slope_pct_s": 1e6, "lag_s": LAG_S / case.wrong[1]}
    unit = made.sim.inverter[0].model_copy(update=device)
    sim = made.sim.model_copy(update={"inverter": (unit,), "script": _script(case)})
    der = made.site_file.der[0].model_copy(update={"poll_s": DER_POLL_S})
    site = made.site_file.model_copy(update={"der": (der,)})
    return (sim if case.day is None else _under_the_sky(sim, case.seed, case.day)), site


def _script(case: Case) -> tuple[ScriptEvent, ...]:
    """Small steps to learn from, then: down to a tenth, back, half-way down, back."""
    if case.day is not None:
        return ()
    high_w, low_w = case.cell.high_load_pu * NAMEPLATE_W, LOW_LOAD_PU * NAMEPLATE_W
    small = [
        (index * _WIGGLE_S, high_w - (_WIGGLE_PU * NAMEPLATE_W if index % 2 else 0.0))
        for index in range(2, int(JUDGED_FROM_S / _WIGGLE_S))
    ]
    large = [
        (JUDGED_FROM_S + (index + 0.1) * _STEP_S, load_w)
        for index, load_w in enumerate((low_w, high_w, (low_w + high_w) / 2, high_w))
    ]
    return tuple(ScriptEvent(at_s=at_s, load_w=load_w) for at_s, load_w in (*small, *large))


def _under_the_sky(sim: SimFile, seed: int, day: Weather) -> SimFile:
    """The plant on a day: a household of appliances that come and go."""
    clouds = None if day.cover is None else Clouds(cover=day.cover, wind_m_s=10.0, largest_m=1500.0)
    steps = Appliances(count=6, step_w=0.08 * NAMEPLATE_W, on_s=60.0, off_s=90.0)
    return sim.model_copy(
        update={
            "weather": WeatherFile(day=day.day, clouds=clouds, seed=seed),
            "load": sim.load.model_copy(update={"steps": steps}),
        }
    )


def settings(site: Site, limit_w: float) -> Settings:
    """What a site compiles to, with any limit and without the guard's bound: it is the limiter that is judged."""
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


def classes(of: Sequence[Case]) -> list[str]:
    """All classes of some cases, each once, in the order in which they come."""
    return list(dict.fromkeys(name for case in of for name in case.classes()))
