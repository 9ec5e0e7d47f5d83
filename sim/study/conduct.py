"""Conducts a study: hands out what is not done yet, keeps what comes back."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator

from sim.study.job import Job, Row
from sim.study.plan import Plan
from sim.study.store import Store

Runner = Callable[[Plan, Iterator[Job]], Generator[Row, None, None]]


def jobs_of(plan: Plan) -> Iterator[Job]:
    """Every run of the study: all seeds of a site before the next site."""
    return (Job(site, seed) for site in range(plan.study.sites) for seed in range(plan.study.seeds))


def conduct(plan: Plan, store: Store, runner: Runner, told: Callable[[Row], None]) -> None:
    """Run what `store` does not have; each row is told as it comes. Whatever ends it, what came is kept."""
    rows = runner(plan, (job for job in jobs_of(plan) if job not in store.done))
    try:
        for row in rows:
            store.add(row)
            told(row)
    finally:
        rows.close()
        store.flush()
