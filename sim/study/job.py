"""One run of a study as one function: the same row wherever it is called."""

from __future__ import annotations

import math
import random
from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Any

import numpy as np

from edge.step import UnfitError
from sim.run import Run, run
from sim.study.file import StudyFile
from sim.study.plan import Plan
from sim.study.variant import Seeds, variant

Row = dict[str, Any]


class Outcome(StrEnum):
    """What became of a run: it ran, the product refused the site, or something broke."""

    RAN = "ran"
    REFUSED = "refused"
    ERROR = "error"


@dataclass(frozen=True, slots=True, order=True)
class Job:
    """A site of the family and which of its runs, both from 0."""

    site: int
    seed: int


def run_job(plan: Plan, job: Job) -> Row:
    """Run `job`: its parameters, its outcome with the reason, its metrics, and `over_w` where a feeder asks.

    Nothing is raised but what ends the process: a study goes on whatever becomes of one run.
    """
    study = plan.study
    drawn = study.family.drawn(study.seed, job.site)
    row: Row = {"site": job.site, "seed": job.seed, "outcome": Outcome.RAN, "reason": None, **drawn}
    try:
        done = run(variant(plan.base, drawn, seeds_of(study, job)), file_seeds=True)
    except UnfitError as error:
        return {**row, "outcome": Outcome.REFUSED, "reason": error.problems[0]}
    except Exception as error:  # noqa: BLE001 - a broken run is a row with its error
        return {**row, "outcome": Outcome.ERROR, "reason": f"{type(error).__name__}: {error}"}
    over_w = over_by_second_w(done) if study.feeder else None
    return {**asdict(done.metrics), **row, "over_w": over_w}


def seeds_of(study: StudyFile, job: Job) -> Seeds:
    """Clouds pass over all sites of a feeder at once where its event is common; all else is the site's own."""
    own = random.Random(f"{study.seed}/{job.site}/run/{job.seed}").getrandbits(31)
    if study.feeder is None or study.feeder.event == "scattered":
        return Seeds(own, own)
    return Seeds(own, random.Random(f"{study.seed}/weather/{job.seed}").getrandbits(31))


def over_by_second_w(done: Run) -> list[int]:
    """Export above the limit as the mean of each whole second, in whole W; negative below the limit.

    Whole numbers, so that a feeder's sum does not depend on the order of its sites.
    """
    width = round(1.0 / done.truth.dt_s)
    seconds = math.floor(len(done.truth.t_s) / width)
    over_w = done.truth.export_w[: seconds * width] - done.metrics.limit_w
    by_second: list[int] = np.rint(over_w.reshape(seconds, width).mean(axis=1)).astype(int).tolist()
    return by_second
