"""A commissioning session: the lock, the journal replayed, the stream followed, the tests run, the report made."""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import uuid
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

from commissioning.agent import Agent, Connect
from commissioning.changes import Changes, UnrestoredError, now_text
from commissioning.declarations import DISCLAIMER, blanks, declarations, means
from commissioning.facts import stale_s
from commissioning.journal import NAME, Journal
from commissioning.procedure import Procedure, not_run
from commissioning.recorder import Recorder
from commissioning.run import Bench
from commissioning.runner import Progress, run_all
from contract.client import state_dir
from contract.report import DeviceRecord, Report, TestResult, Verdict
from contract.socket import Devices, DevicesRequest, Events, EventsRequest, SiteInForce, SiteRequest
from edge.model.site import Site


class OtherSiteError(Exception):
    """The agent runs another text of the site file than the one at hand."""


@dataclass(frozen=True, slots=True)
class SiteFile:
    """The site file at hand, as it was read: where, what it says, its hash."""

    path: Path
    site: Site
    sha256: str

    @staticmethod
    def of(path: Path, text: str, site: Site) -> SiteFile:
        """The file whose `text` was read as `site`."""
        return SiteFile(path, site, hashlib.sha256(text.encode()).hexdigest())

    @property
    def journal(self) -> Path:
        """Where its journal lies."""
        return state_dir(self.path, self.site.state_dir) / NAME


async def restore(file: SiteFile, connect: Connect) -> int:
    """Put back what an earlier run left changed; how many changes that were.

    Raises:
        JournalError: The journal is held by another run, or cannot be used.
        UnrestoredError: Something could not be put back.
        AgentUnreachableError: No agent.
    """
    with Journal(file.journal) as journal:
        async with connect() as agent:
            return await _replay(Changes(agent, journal), journal)


async def commission(
    file: SiteFile,
    connect: Connect,
    procedures: Sequence[Procedure],
    progress: Progress,
    operator: str,
) -> Report:
    """Put back what is left of earlier runs, run `procedures`, and make the report.

    Raises:
        JournalError, UnrestoredError: As `restore` does.
        OtherSiteError: The agent runs another site file.
        AgentUnreachableError: The agent is not there or went away.
    """
    with Journal(file.journal) as journal:
        async with _connections(connect, stale_s(file.site)) as (agent, recorder):
            changes = Changes(agent, journal)
            await _replay(changes, journal)
            await _same_site(file, agent)
            started_at = now_text()
            await recorder.next()
            bench = Bench(file.site, agent, recorder, changes)
            tests = await run_all(bench, procedures, progress)
            return await _report(file, agent, tests, started_at, operator)


def overall(tests: Sequence[TestResult], blank: Sequence[str]) -> Verdict:
    """Fail where a test failed; pass only where every test was run, those that apply passed, and nothing is blank."""
    verdicts = {test.verdict for test in tests} - {"not-applicable"}
    if "fail" in verdicts:
        return "fail"
    complete = verdicts == {"pass"} and not blank and not not_run(tests)
    return "pass" if complete else "inconclusive"


@asynccontextmanager
async def _connections(connect: Connect, stale_s: float) -> AsyncIterator[tuple[Agent, Recorder]]:
    """A connection to ask on, and one whose stream is recorded meanwhile."""
    async with AsyncExitStack() as stack:
        agent = await stack.enter_async_context(connect())
        streaming = await stack.enter_async_context(connect())
        recorder = Recorder(stale_s)
        task = asyncio.create_task(recorder.follow(streaming))
        try:
            yield agent, recorder
        finally:
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await task


async def _replay(changes: Changes, journal: Journal) -> int:
    count = len(journal.open_changes)
    problems = await changes.restore()
    if problems:
        raise UnrestoredError("\n".join(problems))
    return count


async def _same_site(file: SiteFile, agent: Agent) -> None:
    in_force = await agent.ask(SiteRequest(), SiteInForce)
    if file.sha256 != in_force.sha256:
        raise OtherSiteError(f"{file.path} was changed since the agent read it; restart the agent first")


async def _report(
    file: SiteFile, agent: Agent, tests: tuple[TestResult, ...], started_at: str, operator: str
) -> Report:
    site = file.site
    devices = (await agent.ask(DevicesRequest(), Devices)).devices
    events = (await agent.ask(EventsRequest(last=1), Events)).events
    blank = blanks(site)
    return Report(
        id=str(uuid.uuid4()),
        site=site.site.id,
        site_name=site.site.name,
        method=site.agreement.method.value,
        means=means(site),
        export_limit_w=site.limit_w,
        declarations=declarations(site),
        blanks=blank,
        site_sha256=file.sha256,
        software=f"dergate {version('dergate')}",
        started_at=started_at,
        ended_at=now_text(),
        time_quality=events[-1].time_quality if events else "unknown",
        operator=operator,
        devices=tuple(
            DeviceRecord(
                name=device.name,
                role=device.role,
                manufacturer=device.manufacturer,
                model=device.model,
                version=device.version,
                serial=device.serial,
                nameplate_w=device.nameplate_w,
            )
            for device in devices
        ),
        tests=tests,
        verdict=overall(tests, blank),
        disclaimer=DISCLAIMER,
    )
