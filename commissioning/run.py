"""One run of one test: what it talks to, and what it has seen so far."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import Any

from commissioning.agent import Agent
from commissioning.changes import Changes, now_text
from commissioning.formula import Formula
from commissioning.recorder import Recorder
from contract.report import Mark
from contract.socket import Accepted, ClearOverridesRequest, OverrideRequest
from edge.model.site import Site

TTL_S = 300.0
"""Overrides are asked for this long; they end sooner, with the test or with the connection."""


class InconclusiveError(Exception):
    """The test cannot say anything; the message is the reason."""


class DisturbedError(InconclusiveError):
    """Something passing disturbed the test: it may be begun anew."""


@dataclass(frozen=True, slots=True)
class Bench:
    """What all tests of a session share."""

    site: Site
    agent: Agent
    recorder: Recorder
    changes: Changes


@dataclass(slots=True)
class Run:
    """What one test has measured; times are monotonic seconds.

    Attributes:
        facts: Figures by name, the site's and the measured.
        trips_before: Trips counted before the test.
        started_s: When it began; the zero of marks and series.
        texts: Texts by name, for `stated`.
        begun: The same as `started_s`, in UTC.
        override_s: When the last override was asked for or ended.
        pickups_w: Pickups in force by this test's overrides: since when, and how low (None: the element's own).
    """

    bench: Bench
    test: str
    facts: dict[str, float | None]
    trips_before: int
    started_s: float = field(default_factory=time.monotonic)
    begun: str = field(default_factory=now_text)
    override_s: float = 0.0
    texts: dict[str, str] = field(default_factory=dict)
    marks: list[Mark] = field(default_factory=list)
    findings: list[dict[str, Any]] = field(default_factory=list)
    pickups_w: list[tuple[float, float | None]] = field(default_factory=list)
    targets_w: list[tuple[float, float | None]] = field(default_factory=list)

    def figure(self, formula: Formula) -> float:
        """What `formula` comes to.

        Raises:
            InconclusiveError: When a figure in it is not known.
        """
        value = formula.evaluate(self.facts)
        if value is None:
            unknown = sorted(name for name in formula.names if self.facts[name] is None)
            raise InconclusiveError(f"{', '.join(unknown) or formula} is not known")
        return value

    def begin(self) -> None:
        """The test starts now: what was waited for before is no part of it."""
        self.started_s, self.begun = time.monotonic(), now_text()

    def mark(self, at_s: float, text: str) -> None:
        """Note an instant for the plot."""
        self.marks.append(Mark(t_s=round(at_s - self.started_s, 3), text=text))

    async def override(
        self,
        *,
        limit_w: float | None = None,
        der: str | None = None,
        pickup_w: float | None = None,
        blind: bool = False,
    ) -> None:
        """Narrow by an override of this connection, from now on."""
        self.override_s = time.monotonic()
        request = OverrideRequest(
            by=f"test {self.test}", ttl_s=TTL_S, limit_w=limit_w, der=der, pickup_w=pickup_w, blind=blind
        )
        await self.bench.agent.ask(request, Accepted)

    async def release(self) -> None:
        """End this test's overrides."""
        self.override_s = time.monotonic()
        await self.bench.agent.ask(ClearOverridesRequest(), Accepted)
        if self.pickups_w and self.pickups_w[-1][1] is not None:
            self.pickups_w.append((self.override_s, None))
        if self.targets_w and self.targets_w[-1][1] is not None:
            self.targets_w.append((self.override_s, None))
