"""What a section of a feeder sees of sites with limits: export above the sum of their limits, second by second.

Two readings of the same runs:

`net` is what a meter at the head of the section would show above the sum of the limits if all export were at the
PCCs: sites below their limits make room for those above. `gross` adds up only what sites export above their own
limits, as if every other site sat exactly at its limit: it does not count on anybody's load or clouds, and is what
planning that already counts the sum of the limits has to add.

It is conditional on the scenario's event: a share of time is of the time around the event, not of a year. There
are no lines, no losses and no voltage between the sites.
"""

from __future__ import annotations

import random
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from sim.study.file import MINUTE_S, Feeder, StudyFile
from sim.study.job import Job, Outcome, Row

Whole = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]

PLANNING_SHARE = 0.999
"""Planning may count on the one-minute mean that all but a thousandth of the time stays at or below."""


@dataclass(frozen=True)
class Sections:
    """So many sections under one seed each: powers in W, a row for each section, a column for each second.

    `lone_peaks_w` adds up the peak above its limit of each site, whenever it came; `left_out` counts sections
    with a run that broke.
    """

    feeder: Feeder
    limits_w: Floats
    nameplate_w: Floats
    net_w: Whole
    gross_w: Whole
    lone_peaks_w: Whole
    left_out: int

    @property
    def count(self) -> int:
        """How many sections there are."""
        return len(self.limits_w)

    def over_pu(self, over_w: Whole) -> Floats:
        """`net_w` or `gross_w` over the nameplate behind the section."""
        pu: Floats = over_w / self.nameplate_w[:, None]
        return pu

    def peaks_pu(self, over_w: Whole) -> Floats:
        """The coincident peak of each section, mean of a second, over its nameplate."""
        peaks: Floats = self.over_pu(over_w).max(axis=1)
        return peaks

    def minutes_pu(self, over_w: Whole) -> Floats:
        """The mean of every minute that begins with a second, over nameplate; a row for each section."""
        sums = np.cumsum(np.pad(self.over_pu(over_w), ((0, 0), (1, 0))), axis=1)
        minutes: Floats = (sums[:, MINUTE_S:] - sums[:, :-MINUTE_S]) / MINUTE_S
        return minutes

    def planning_pu(self, over_w: Whole) -> float:
        """What the one-minute mean above the sum of limits stays at or below in 99.9 % of all minutes."""
        return float(np.quantile(self.minutes_pu(over_w), PLANNING_SHARE, method="higher"))

    @property
    def per_limits(self) -> Floats:
        """Nameplate over the sum of limits, by section; not a number for sections that may not export at all."""
        ratio: Floats = self.nameplate_w / np.where(self.limits_w > 0, self.limits_w, np.nan)
        return ratio

    @property
    def planning_of_limits(self) -> float:
        """`planning_pu` of the gross reading over the sum of limits."""
        minutes = self.minutes_pu(self.gross_w) * self.per_limits[:, None]
        return float(np.quantile(minutes, PLANNING_SHARE, method="higher"))

    @property
    def coincidence(self) -> Floats:
        """The coincident peak over the sum of the sites' own peaks, of each section in which there was one."""
        some = self.lone_peaks_w > 0
        factor: Floats = self.gross_w.max(axis=1)[some] / self.lone_peaks_w[some]
        return factor


def sections(study: StudyFile, table: pa.Table, seconds: Iterable[Row]) -> Sections | None:
    """Put the sites that were not refused behind sections, in their order; None when they do not fill one.

    Args:
        study: The study; it must have a feeder.
        table: All runs without their seconds, as `Store.table` gives them.
        seconds: `site`, `seed` and `over_w` of all runs, in any order; read once, one row held at a time.
    """
    feeder = study.feeder
    assert feeder is not None
    runs = {Job(row["site"], row["seed"]): row for row in table.select(_COLUMNS).to_pylist()}
    groups = _groups(study, feeder, runs)
    whole = [group for group in groups if all(runs[job]["outcome"] == Outcome.RAN for job in group)]
    if not whole:
        return None
    place = {job: index for index, group in enumerate(whole) for job in group}
    sums = _Sums(len(whole))
    for row in seconds:
        job = Job(row["site"], row["seed"])
        if job in place:
            over_w = np.asarray(row["over_w"][feeder.from_s :], dtype=np.int64)
            sums.add(place[job], over_w, _placed(over_w, study, feeder, job))
    return Sections(
        feeder=feeder,
        limits_w=np.array([sum(runs[job]["limit_w"] for job in group) for group in whole]),
        nameplate_w=np.array([sum(runs[job]["nameplate_w"] for job in group) for group in whole]),
        net_w=sums.net_w,
        gross_w=sums.gross_w,
        lone_peaks_w=sums.lone_peaks_w,
        left_out=len(groups) - len(whole),
    )


_COLUMNS = ["site", "seed", "outcome", "limit_w", "nameplate_w"]


def _groups(study: StudyFile, feeder: Feeder, runs: Mapping[Job, Row]) -> list[list[Job]]:
    """The jobs of each section: so many sites in a row that were not refused, under one seed."""
    fit = sorted({job.site for job, row in runs.items() if row["outcome"] != Outcome.REFUSED})
    behind = [fit[first : first + feeder.sites] for first in range(0, len(fit), feeder.sites)]
    return [
        [Job(site, seed) for site in sites]
        for sites in behind
        for seed in range(study.seeds)
        if len(sites) == feeder.sites and all(Job(site, seed) in runs for site in sites)
    ]


class _Sums:
    """Adds up sites, section by section, in whole watts: the order does not matter."""

    def __init__(self, count: int) -> None:
        self.lone_peaks_w: Whole = np.zeros(count, dtype=np.int64)
        self.net_w: Whole = np.zeros((count, 0), dtype=np.int64)
        self.gross_w = self.net_w

    def add(self, section: int, over_w: Whole, placed_w: Whole) -> None:
        if not self.net_w.size:
            self.net_w = np.zeros((len(self.lone_peaks_w), len(placed_w)), dtype=np.int64)
            self.gross_w = self.net_w.copy()
        self.net_w[section] += placed_w
        self.gross_w[section] += np.maximum(placed_w, 0)
        self.lone_peaks_w[section] += max(0, int(over_w.max()))


def _placed(over_w: Whole, study: StudyFile, feeder: Feeder, job: Job) -> Whole:
    """The run in its section's time.

    A common event is at the same second of every run. A scattered one puts the run at a moment of its own into the
    window, round its end; before and after it the site sits at its limit.
    """
    if feeder.event == "common":
        return over_w
    moment = random.Random(f"{study.seed}/{job.site}/moment/{job.seed}").randrange(feeder.window_s)
    window_w = np.zeros(feeder.window_s, dtype=np.int64)
    window_w[: len(over_w)] = over_w
    moved_w: Whole = np.roll(window_w, moment)
    return moved_w
