"""A plant of the grid with the shipped `step()` in virtual time, run in, and ready for what is asked of it."""

from __future__ import annotations

import math
import random
from collections.abc import Sequence
from dataclasses import dataclass, replace

from edge.core.settings import CoreSettings
from edge.guard import budget
from edge.guard.settings import GuardSettings
from edge.model.site import Der, Site
from edge.step import Settings
from sim.closed_loop import ClosedLoop
from sim.files.fault import Fault, FaultKind
from sim.files.inverter import InverterFile
from sim.files.script import ScriptEvent
from sim.scenario import load_scenario
from sim.simfile import SimFile
from sim.stability.grid import LAG_S, Cell, Unheard, Unit, profiles
from sim.study.file import SHIPPED
from sim.study.variant import Seeds, variant

DEADBAND_PCT = 0.2
DER_POLL_S = 1.0
METER_POLL_S = 0.1
"""At most: a meter is asked five times a period, and a slow one this often."""

_LEARN_S = 120.0
_COMES_AND_GOES_S = 15.0
_COMES_AND_GOES_PU = 0.1
_ROUND_W = 1e-6
_FAULTS = {Unheard.SILENT: FaultKind.SILENCE, Unheard.IGNORES: FaultKind.WRITE_IGNORED}
_QUICK_S, _SLOW_S = 0.02, 0.05
"""Steps of the physics for plants that answer within a second or two, and for others."""


@dataclass(frozen=True, slots=True)
class Case:
    """A plant, the noise of its load over nameplate (10 Hz), and what its device does over what its profile says.

    `wrong` are the factors of dead time and slope.
    """

    cell: Cell
    noise_pu: float = 0.002
    wrong: tuple[float, float] = (1.0, 1.0)
    seed: int = 1


def cases(cells: Sequence[Cell], noise_pu: float, *, wrong: bool) -> list[Case]:
    """Each plant with a profile that is exact, or wrong by the plant's own factors."""
    return [Case(cell, noise_pu, factors) for cell, factors in profiles(cells, wrong=wrong)]


class Bench:
    """A plant in its closed loop, run in.

    Attributes:
        travel_s: How long its slowest DER takes over its whole range.
        ready_s: When it was run in: export has settled at the limit.
    """

    def __init__(self, case: Case) -> None:
        self.case = case
        self.sim, self.site = plant(case)
        self.nameplate_w = self.sim.nameplate_w
        self.limit_w = case.cell.limit_pu * self.nameplate_w
        self.travel_s = max(100.0 / unit.slope_pct_s + unit.lag_s for unit in self.sim.inverter)
        phase = random.Random(f"{case.cell} {case.seed}").random()
        self._settles_s = 15.0 + self.travel_s
        self._rests_s = 20.0 + 0.2 * self.travel_s + phase * case.cell.period_s
        quick = case.cell.period_s < 0.5 and self.travel_s < 5.0
        self.loop = ClosedLoop(
            self.sim,
            self.site,
            seed=case.seed,
            dt_s=_QUICK_S if quick else _SLOW_S,
            settings=settings(self.site, self.limit_w),
            faults=self._faults(),
        )
        self.ramp_up_w_per_s = self.nameplate_w * self.site.control.ramp_up_pct_per_s / 100
        self._run_in()
        self.ready_s = self.loop.now_s

    @property
    def lost(self) -> tuple[int, ...]:
        """The DERs that nobody can command after the step, by their place."""
        return () if self.case.cell.unheard is None else (len(self.sim.inverter) - 1,)

    def _faults(self) -> tuple[Fault, ...]:
        """What becomes of a DER that is not heard: early is half-way through the run-in."""
        cell = self.case.cell
        if cell.unheard is None:
            return ()
        at_s = self._settles_s + (_LEARN_S / 2 if cell.early else _LEARN_S + self._rests_s)
        return (Fault(kind=_FAULTS[cell.unheard], target=self.sim.inverter[-1].role, at_s=at_s),)

    def _run_in(self) -> None:
        """Start, and two minutes of ordinary running to learn from, in which a load comes and goes."""
        loop = self.loop
        loop.run(self._settles_s)
        for _ in range(round(_LEARN_S / (2 * _COMES_AND_GOES_S))):
            for sign in (-1.0, 1.0):
                loop.load_step(sign * _COMES_AND_GOES_PU * self.nameplate_w)
                loop.run(_COMES_AND_GOES_S)
        loop.run(self._rests_s)

    def load_to(self, load_pu: float) -> float:
        """Bring the host load there now; the time of the first row that shows it."""
        load_w = load_pu * self.nameplate_w
        return self.loop.load_step(load_w - self.loop.plant.site.load.load_w)

    def sun_to(self, sun_pu: float, ramp_s: float) -> None:
        """Bring the sun there evenly."""
        self.loop.plant.apply(ScriptEvent(at_s=0.0, sun_pu=sun_pu, ramp_s=ramp_s))


def plant(case: Case) -> tuple[SimFile, Site]:
    """The sim file and the site file of a case."""
    cell, wrong = case.cell, case.wrong
    base = load_scenario(str(SHIPPED / "scenarios" / "reversion.toml"))
    drawn = {
        "ders": len(cell.units),
        "limit_pu": max(0.0, cell.limit_pu),
        "dead_time_s": cell.dead_time_s,
        "slope_pct_per_s": cell.told_slope_pct_s,
        "dead_time_ratio": wrong[0],
        "slope_ratio": wrong[1],
        "meter_period_s": cell.period_s,
        "meter_latency_s": cell.latency_s,
        "load_pu": cell.high_load_pu,
        "load_noise_pu": case.noise_pu,
    }
    made = variant(base, drawn, Seeds(case.seed, case.seed))
    meter = made.site_file.meter.model_copy(update={"poll_s": min(cell.period_s / 5, METER_POLL_S)})
    both = [
        _der(case, unit, device, der)
        for unit, device, der in zip(cell.units, made.sim.inverter, made.site_file.der, strict=True)
    ]
    return made.sim.model_copy(
        update={"inverter": tuple(device for device, _ in both), "script": ()}
    ), made.site_file.model_copy(update={"der": tuple(der for _, der in both), "meter": meter})


def _der(case: Case, unit: Unit, device: InverterFile, der: Der) -> tuple[InverterFile, Der]:
    """A DER as it is, and as the site file tells of it. `variant` shared nameplates out evenly."""
    dead_ratio, slope_ratio = case.wrong
    nameplate_w = unit.share * len(case.cell.units) * device.nameplate_w
    real: dict[str, float] = {
        "nameplate_w": nameplate_w,
        "deadband_pct": DEADBAND_PCT,
        "dead_time_s": unit.dead_time_s * dead_ratio,
        "slope_pct_s": unit.told_slope_pct_s * slope_ratio,
    }
    if unit.slope_pct_s is None:
        real |= {"slope_pct_s": 1e6, "lag_s": LAG_S / slope_ratio}
    told: dict[str, object] = {
        "nameplate_w": nameplate_w,
        "dead_time_s": unit.dead_time_s,
        "slope_pct_per_s": unit.told_slope_pct_s,
        "poll_s": DER_POLL_S,
    }
    if der.reversion is not None:
        safe_w = math.floor(max(0.0, case.cell.limit_pu) * nameplate_w + _ROUND_W)
        told["reversion"] = der.reversion.model_copy(update={"safe_w": safe_w})
    return device.model_copy(update=real), der.model_copy(update=told)


def settings(site: Site, limit_w: float) -> Settings:
    """What the site compiles to, with any limit, whether or not the guard would take it.

    The PCS bound counts and never ends, since it is the limiter that is judged: on slow plants the guard would force
    a fallback in the middle.
    """
    core = CoreSettings.of(
        site, stale_s=budget.security(site).total_s, dropouts_w=(), command_s=budget.COMMAND_ON_WIRE_S
    )
    guard = GuardSettings.of(site)
    endless = replace(guard.pcs, pickup_w=limit_w, dropout_w=limit_w, delay_s=math.inf)
    return Settings(
        core=replace(core, ceiling_w=limit_w, limit_w=limit_w),
        guard=replace(guard, pcs=endless, force_fallback_after_s=math.inf),
        noise_w=site.meter.noise_w,
    )
