"""The agent's scans as they come: kept for the evidence, awaited by the tests."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from functools import partial

from commissioning.agent import Agent
from commissioning.facts import EXPORT_ELEMENTS
from contract.client import AgentUnreachableError
from contract.report import Series
from contract.socket import Scan

SILENCE_S = 15.0
"""No scan for this long means that the agent hangs."""


class Recorder:
    """Follows the stream of one connection until it is cancelled.

    Export older than `stale_s` is no measurement any more: it is kept as not known.
    """

    def __init__(self, stale_s: float) -> None:
        self._stale_s = stale_s
        self.scans: list[Scan] = []
        self._news = asyncio.Event()
        self._lost: AgentUnreachableError | None = None

    async def follow(self, agent: Agent) -> None:
        """Keep every scan; run as a task beside the tests."""
        try:
            async for scan in agent.stream():
                self.scans.append(self._fresh(scan))
                self._news.set()
        except AgentUnreachableError as error:
            self._lost = error
            self._news.set()

    def _fresh(self, scan: Scan) -> Scan:
        known = scan.export_age_s is not None and scan.export_age_s <= self._stale_s
        return scan if known else scan.model_copy(update={"export_w": None})

    async def next(self) -> Scan:
        """The next scan.

        Raises:
            AgentUnreachableError: The agent is gone or silent.
        """
        self._news.clear()
        if self._lost is None:
            try:
                # Not wait_for: on Python 3.11 that loses a cancellation that comes together with the news.
                async with asyncio.timeout(SILENCE_S):
                    await self._news.wait()
            except TimeoutError as error:
                raise AgentUnreachableError(f"the agent has not scanned for {SILENCE_S:g} s") from error
        if self._lost is not None:
            raise self._lost
        return self.scans[-1]

    async def until(self, holds: Callable[[Scan], bool], since_s: float, deadline_s: float) -> Scan | None:
        """The first scan after `since_s` that `holds`, or None when none did by `deadline_s` (monotonic)."""
        for scan in self.since(since_s):
            if holds(scan):
                return scan
        while (scan := await self.next()).at_s <= deadline_s:
            if holds(scan):
                return scan
        return None

    async def run_until(self, end_s: float) -> None:
        """Let the stream run until `end_s` (monotonic)."""
        while (await self.next()).at_s <= end_s:
            pass

    def since(self, start_s: float) -> list[Scan]:
        """The scans from `start_s` (monotonic) on."""
        return [scan for scan in self.scans if scan.at_s >= start_s]


def output_w(scan: Scan) -> float | None:
    """Output of all DERs in sum; None when one of them is not known."""
    known = [value for value in scan.output_w.values() if value is not None]
    return sum(known) if len(known) == len(scan.output_w) else None


def picked_up(scan: Scan) -> bool:
    """Whether an export element (not the PCS bound) is picked up."""
    return any(name.startswith(EXPORT_ELEMENTS) for name in scan.picked_up)


def series_of(scans: Sequence[Scan], start_s: float, limit_w: float) -> tuple[Series, ...]:
    """What the plots show, with time from `start_s`."""
    if not scans:
        return ()
    t_s = tuple(round(scan.at_s - start_s, 3) for scan in scans)

    def series(name: str, unit: str, value: Callable[[Scan], float | None]) -> Series:
        return Series(name=name, unit=unit, t_s=t_s, y=tuple(map(value, scans)))

    ders, contacts = list(scans[0].output_w), list(scans[0].commanded_closed)
    return (
        series("export", "W", lambda scan: scan.export_w),
        series("export limit", "W", lambda _: limit_w),
        *(series(f"{der} output", "W", partial(_output, der)) for der in ders),
        *(series(f"{der} limit", "W", partial(_limit, der)) for der in ders),
        *(series(f"{name} contact", "closed", partial(_closed, name)) for name in contacts),
        series("element", "picked up", lambda scan: float(picked_up(scan))),
    )


def _output(der: str, scan: Scan) -> float | None:
    return scan.output_w.get(der)


def _limit(der: str, scan: Scan) -> float | None:
    return scan.limit_w.get(der)


def _closed(name: str, scan: Scan) -> float | None:
    shown = scan.closed.get(name)
    return None if shown is None else float(shown)
