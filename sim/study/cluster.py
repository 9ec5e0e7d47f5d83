"""Runs of a study on an existing Dask cluster. Its workers need the same dergate installed, with the extra `sim`."""

from __future__ import annotations

import uuid
from collections.abc import Generator, Iterator
from concurrent.futures import CancelledError
from itertools import islice
from typing import Any

from distributed import Client, KilledWorker, as_completed

from sim.study.errors import NoClusterError, WorkersLostError
from sim.study.job import Job, Outcome, Row, run_job
from sim.study.plan import Plan

IN_FLIGHT = 256
"""Jobs known to the scheduler at a time: enough for a few hundred cores, little to hold."""

CONNECT_S = 10.0


def on_cluster(plan: Plan, jobs: Iterator[Job], address: str) -> Generator[Row, None, None]:
    """The row of each job as it comes, in no order. Closing the generator cancels what is not done.

    A worker that dies loses nothing: the scheduler gives its jobs to another, and a job comes out the same
    wherever it runs. A job that took several workers with it is a row with that error.

    Raises:
        NoClusterError: Nobody answers at `address`, or there is no worker.
        WorkersLostError: The scheduler is gone, or the workers cannot run the study.
    """
    with _client(address) as client:
        study = uuid.uuid4().hex
        known: dict[str, Job] = {}

        def submit(count: int) -> list[Any]:
            given = {f"study-{study}-{job.site}-{job.seed}": job for job in islice(jobs, count)}
            known.update(given)
            return [client.submit(run_job, plan, job, key=key, pure=False) for key, job in given.items()]

        finished = as_completed(submit(IN_FLIGHT), loop=client.loop)
        for future in finished:
            row = _row(future, plan, known.pop(future.key))
            finished.update(submit(1))
            yield row


def _client(address: str) -> Any:
    try:
        client = Client(address, timeout=CONNECT_S, set_as_default=False)
    except (OSError, ValueError) as error:
        raise NoClusterError(f"{address}: no Dask scheduler answers: {error}") from error
    try:
        client.wait_for_workers(1, timeout=CONNECT_S)
    except TimeoutError as error:
        client.close()
        raise NoClusterError(f"{address}: the scheduler has no workers") from error
    return client


def _row(future: Any, plan: Plan, job: Job) -> Row:
    try:
        row: Row = future.result()
    except KilledWorker as error:
        drawn = plan.study.family.drawn(plan.study.seed, job.site)
        reason = f"KilledWorker: {error}"
        return {"site": job.site, "seed": job.seed, "outcome": Outcome.ERROR, "reason": reason, **drawn}
    except CancelledError as error:
        raise WorkersLostError("the scheduler is gone") from error
    except Exception as error:
        raise WorkersLostError(
            f"the workers cannot run the study: {type(error).__name__}: {error}"
        ) from error
    return row
