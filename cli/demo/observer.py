"""Watches the agent while the demo plays: its status ten times a second, its counts over restarts."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from cli.demo.verdict import Counts
from contract.client import AgentClient, AgentRefusedError, AgentUnreachableError, socket_path
from contract.status import Status

PERIOD_S = 0.1


@dataclass
class Observer:
    """`status` is the newest answer, None while no agent answers; `shown` is called after each look."""

    site_file: Path
    shown: Callable[[], None]
    status: Status | None = None
    _ended: list[Status] = field(default_factory=list)
    _last: Status | None = None

    async def watch(self) -> None:
        """Ask for ever; a silent agent is told as `status` None."""
        while True:
            with contextlib.suppress(AgentUnreachableError, AgentRefusedError):
                async with AgentClient(socket_path(self.site_file), timeout_s=1.0) as agent:
                    while True:
                        self._seen(await agent.status())
                        self.shown()
                        await asyncio.sleep(PERIOD_S)
            self.status = None
            self.shown()
            await asyncio.sleep(PERIOD_S)

    def counts(self) -> Counts:
        """The agent's counts, those of processes that have ended included."""
        runs = [*self._ended, *([self._last] if self._last else [])]
        total = Counts()
        for run in runs:
            total.trips += run.trips
            total.fallbacks += run.fallbacks
            total.scan_late += run.scan.late
            total.scan_count += run.scan.count
            total.writes_sent += run.writes.sent
            total.writes_verified += run.writes.verified
            total.scan_period_s = run.scan.period_s
            total.scan_p99_s = max(total.scan_p99_s or 0.0, run.scan.p99_s)
            if run.trip.target and run.trips:
                total.targets.append(run.trip.target)
        return total

    def _seen(self, status: Status) -> None:
        if self._last is not None and self._last.pids.agent != status.pids.agent:
            self._ended.append(self._last)
        self.status = self._last = status
