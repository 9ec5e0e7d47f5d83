"""A law in the place of the limiter, on one plant, in virtual time.

Everything around it is what the limiter has around it: the virtual meter and inverter with their polling, the write and
its rounding, the read-back, the re-assertion. The guard is in nobody's way: no element is armed and its bound is out.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

from benchmarks.peers.law import Law, Seen, Task, Tuning
from benchmarks.peers.plants import JUDGED_FROM_S, NAMEPLATE_W, Case, plant, settings
from edge.model.commands import Commands, DerLimit, OutputCommand, Reasons
from edge.model.image import Image
from edge.model.site import Site
from edge.step import Settings, State
from sim.closed_loop import ClosedLoop
from sim.metrics import Bearings, measure

DT_S = 0.1
"""The step of the physics: noise is drawn that often, and no delay of the grid is shorter."""

_EVER_S = float("inf")


@dataclass(frozen=True, slots=True)
class Ours:
    """The shipped `step()`. The margin's bounds in % of nameplate; None leaves them at their defaults."""

    floor_pct: float | None = None
    cap_pct: float | None = None

    def on(self, site: Site) -> Site:
        """The site with these bounds."""
        bounds = {"margin_floor_pct": self.floor_pct, "margin_cap_pct": self.cap_pct}
        given = {key: value for key, value in bounds.items() if value is not None}
        return site.model_copy(update={"control": site.control.model_copy(update=given)})


@dataclass(frozen=True, slots=True)
class SeesTheLoad:
    """Nobody's law, for reference: it knows the true host load at each scan, without a meter in between."""


Contender = Tuning | Ours | SeesTheLoad


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a run came to, of the plant's truth.

    `over_wh` is the energy of excursions above the limit for each kW of nameplate, `within_wh` what was generated within
    the limit and `permitted_wh` the most that could be, `writes` counts limits that differ from the one before.
    """

    hours: float
    over_wh: float
    longest_s: float
    within_wh: float
    permitted_wh: float
    writes: int


def outcome(contender: Contender, case: Case) -> Outcome:
    """Run `contender` on `case`."""
    sim, site = plant(case)
    if isinstance(contender, Ours):
        site = contender.on(site)
    loop = ClosedLoop(sim, site, seed=case.seed, dt_s=DT_S, settings=settings(site, case.task_limit_w))
    task = Task(NAMEPLATE_W, case.task_limit_w)
    if isinstance(contender, SeesTheLoad):
        loop.control = InPlace(lambda _seen: loop.plant.site.host_load_w + task.limit_w, task)
    elif not isinstance(contender, Ours):
        loop.control = InPlace(contender.law(task), task)
    loop.run(case.duration_s)
    return _judged(loop, task, case.duration_s)


def _judged(loop: ClosedLoop, task: Task, end_s: float) -> Outcome:
    truth = loop.truth.between(JUDGED_FROM_S, end_s)
    limits_w = [written.limit_w for written in loop.written if written.at_s >= JUDGED_FROM_S]
    changes = sum(one != other for one, other in pairwise(limits_w))
    metrics = measure(truth, (), 0, Bearings(task.limit_w, task.nameplate_w, 0.0, (), None))
    return Outcome(
        hours=(end_s - JUDGED_FROM_S) / 3600.0,
        over_wh=metrics.energy_over_wh / (task.nameplate_w / 1000.0),
        longest_s=metrics.longest_excursion_s,
        within_wh=metrics.harvest_pu * metrics.permitted_wh,
        permitted_wh=metrics.permitted_wh,
        writes=changes,
    )


class InPlace:
    """A law where `step()` would be: it gets the same images at the same scans."""

    def __init__(self, law: Law, task: Task) -> None:
        self._law = law
        self._nameplate_w = task.nameplate_w
        self._limit_w = task.nameplate_w
        self._sequence = -1
        self._came_s = 0.0

    def __call__(
        self, image: Image, settings: Settings, state: State, now_s: float
    ) -> tuple[State, Commands, Reasons]:
        """One scan; nothing changes until meter and inverter have been heard."""
        if image.pcc.sequence != self._sequence:
            self._sequence, self._came_s = image.pcc.sequence, now_s
        seen = self._seen(image, now_s)
        limit_w = None if seen is None else self._law(seen)
        if limit_w is not None:
            self._limit_w = min(max(limit_w, 0.0), self._nameplate_w)
        limits = tuple(DerLimit(plant.name, self._limit_w) for plant in settings.core.ders)
        outputs = tuple(OutputCommand(output.name, closed=True) for output in image.outputs)
        return state, Commands(limits, outputs), Reasons(())

    def _seen(self, image: Image, now_s: float) -> Seen | None:
        (der,) = image.ders
        export_w = image.pcc.export_w.fresh(now_s, _EVER_S)
        output_w = der.output_w.fresh(now_s, _EVER_S)
        limit_w = der.limit_w.fresh(now_s, _EVER_S)
        if export_w is None or output_w is None or limit_w is None:
            return None
        return Seen(
            now_s, export_w, self._came_s, output_w, der.output_w.oldest_s, limit_w, der.limit_w.oldest_s
        )
