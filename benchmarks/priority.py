"""Real-time priority for a measurement, as the shipped systemd unit gives it to the agent."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator

PRIORITY = 20
"""CPUSchedulingPriority of deploy/systemd/dergate-agent.service."""


@contextlib.contextmanager
def as_deployed() -> Iterator[str]:
    """Run this process and what it starts like the unit runs the agent, where that is permitted.

    Gives in words how it runs: on a shared machine at ordinary priority, other people's work is measured too.
    """
    policy, parameters = os.sched_getscheduler(0), os.sched_getparam(0)
    try:
        os.sched_setscheduler(0, os.SCHED_RR, os.sched_param(PRIORITY))
    except PermissionError:
        yield "ordinary priority"
        return
    try:
        yield "real-time priority, as the unit"
    finally:
        os.sched_setscheduler(0, policy, parameters)
