"""Runs of a study on the cores of this machine."""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
import time
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
    pool = ProcessPoolExecutor(workers, context, _settle, (os.getpid(),))
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


def _settle(parent: int) -> None:
    """Ctrl-C reaches the whole group: the parent alone decides, and the runs on hand are finished.

    A worker whose parent was killed ends by itself; nobody else would end it.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_follow, args=(parent,), daemon=True).start()


def _follow(parent: int) -> None:
    while _lives(parent):
        time.sleep(1.0)
    os._exit(1)


def _lives(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    return True
