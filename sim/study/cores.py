"""Runs of a study on the cores of this machine."""

from __future__ import annotations

import multiprocessing
import signal
from collections.abc import Generator, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from itertools import islice

from sim.study.errors import WorkersLostError
from sim.study.job import Job, Row, run_job
from sim.study.plan import Plan

WAITING = 2
"""Jobs handed out for each worker: one that runs, one that waits, so that nobody idles and little is held."""


def on_cores(plan: Plan, jobs: Iterator[Job], workers: int) -> Generator[Row, None, None]:
    """The row of each job as it comes, in no order. Closing the generator ends the workers.

    Raises:
        WorkersLostError: A worker process died.
    """
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["sim.study.job"])
    pool = ProcessPoolExecutor(workers, context, _leave_interrupts_to_the_parent)
    waiting: set[Future[Row]] = set()
    try:
        for job in islice(jobs, WAITING * workers):
            waiting.add(pool.submit(run_job, plan, job))
        while waiting:
            finished, waiting = wait(waiting, return_when=FIRST_COMPLETED)
            for job in islice(jobs, len(finished)):
                waiting.add(pool.submit(run_job, plan, job))
            for future in finished:
                yield future.result()
    except BrokenProcessPool as error:
        raise WorkersLostError("a worker process died, out of memory or killed") from error
    finally:
        pool.shutdown(cancel_futures=True)


def _leave_interrupts_to_the_parent() -> None:
    """Ctrl-C reaches the whole group: the parent alone decides, and the runs on hand are finished."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
