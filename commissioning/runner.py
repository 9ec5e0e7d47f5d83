"""Runs procedures one after another and makes each a result; whatever happens, what was changed is put back."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Sequence
from typing import Any, Protocol

from commissioning import vocabulary as words
from commissioning.actions import do
from commissioning.changes import UnrestoredError
from commissioning.facts import element_under_test, site_facts
from commissioning.formula import Facts
from commissioning.measuring import measure
from commissioning.procedure import Procedure
from commissioning.recorder import output_w, series_of
from commissioning.run import Bench, DisturbedError, InconclusiveError, Run
from contract.client import AgentRefusedError
from contract.report import Measurement, Series, TestResult, Verdict
from contract.socket import Scan
from contract.status import Status

_REST_S = 3.0
"""Output has to stand still for this long before a test begins."""
_PATIENCE_S = 60.0
"""How much longer than it should take it is waited for."""

ATTEMPTS = 3
"""How often a test is begun when the host load, or the like, disturbs it."""

_WORTH_NAMING = frozenset({"differs", "not readable"})
_NAMED = 6
"""As many findings are named in a summary; the report's tables have all."""


class Progress(Protocol):
    """Who is told how far the tests are."""

    def test_begins(self, procedure: Procedure) -> None:
        """A test starts."""

    def step_begins(self, text: str) -> None:
        """A step of it starts."""

    def test_ends(self, result: TestResult) -> None:
        """It is over."""


async def run_all(
    bench: Bench, procedures: Sequence[Procedure], progress: Progress
) -> tuple[TestResult, ...]:
    """Run `procedures` in order.

    Raises:
        AgentUnreachableError: The agent went away; the journal keeps what is to be put back.
    """
    results = []
    for procedure in procedures:
        progress.test_begins(procedure)
        result = await run_test(bench, procedure, progress)
        progress.test_ends(result)
        results.append(result)
    return tuple(results)


async def run_test(bench: Bench, procedure: Procedure, progress: Progress) -> TestResult:
    """Run one procedure, put back what it changed, and judge it; begun anew where something passing disturbed it."""
    for attempt in range(1, ATTEMPTS + 1):
        try:
            result = await _attempt(bench, procedure, progress, last=attempt == ATTEMPTS)
        except DisturbedError as error:
            progress.step_begins(f"once more: {error}")
            continue
        if attempt > 1:
            note = f" Attempt {attempt}: something passing disturbed the one before."
            result = result.model_copy(update={"summary": result.summary + note})
        break
    return result


async def _attempt(bench: Bench, procedure: Procedure, progress: Progress, *, last: bool) -> TestResult:
    """Run it once.

    Raises:
        DisturbedError: It was disturbed, everything is put back, and this is not the last attempt.
    """
    status = await bench.agent.status()
    run = Run(bench, procedure.id, site_facts(bench.site, status).named(), status.trips)
    if procedure.applies == "export-element" and element_under_test(status) is None:
        return _result(run, procedure, "not-applicable", "The site has no export element.")
    runs: list[Facts] = []
    reason: InconclusiveError | AgentRefusedError | None = None
    try:
        runs = [facts async for facts in _shots(run, procedure, progress)]
    except (InconclusiveError, AgentRefusedError) as error:
        reason = error
    except (asyncio.CancelledError, Exception):
        if problems := await _put_back(run):
            raise UnrestoredError("\n".join(problems)) from None
        raise
    if problems := await _put_back(run):
        return _result(run, procedure, "fail", "; ".join(problems), restored=False)
    if isinstance(reason, DisturbedError) and not last:
        raise reason
    if reason is not None:
        said = str(reason)
        return _result(run, procedure, "inconclusive", f"{said[:1].upper()}{said[1:]}.")
    measured = measure(procedure, runs, run.texts)
    verdict, summary = _judged(procedure, measured, run.findings)
    return _result(run, procedure, verdict, summary, measured)


async def _shots(run: Run, procedure: Procedure, progress: Progress) -> AsyncIterator[Facts]:
    """Run the steps as often as the procedure says; the figures of each time."""
    if procedure.moves_the_plant:
        progress.step_begins("waiting for the site to be at rest")
        await _at_rest(run)
    for _ in range(procedure.repeat):
        await _steps(run, procedure, progress)
        yield dict(run.facts)


async def _steps(run: Run, procedure: Procedure, progress: Progress) -> None:
    for step in procedure.step:
        progress.step_begins(_telling(step.word))
        await do(run, step.word)


async def _at_rest(run: Run) -> None:
    """Wait until the site regulates, nothing is narrowed by a test, and output has stopped moving.

    Raises:
        InconclusiveError: It does not come to rest.
    """
    facts, recorder = run.facts, run.bench.recorder
    patience_s = _PATIENCE_S + (facts["enter_service_s"] or 0) + 2 * (facts["climb_s"] or 0)
    band_w, deadline_s = 2 * (facts["band_w"] or 0), time.monotonic() + patience_s
    since_s = time.monotonic()
    low_w = high_w = None
    while (scan := await recorder.next()).at_s < deadline_s:
        now_w = output_w(scan)
        if scan.mode != "regulating" or scan.tripped or now_w is None:
            since_s, low_w, high_w = scan.at_s, None, None
            continue
        low_w, high_w = min(now_w, low_w or now_w), max(now_w, high_w or now_w)
        if high_w - low_w > band_w:
            since_s, low_w, high_w = scan.at_s, now_w, now_w
        elif scan.at_s - since_s >= _REST_S:
            run.begin()
            return
    raise InconclusiveError(
        _restless(await run.bench.agent.status(), recorder.scans[-1], facts["band_w"] or 0)
    )


def _restless(status: Status, scan: Scan, band_w: float) -> str:
    """Why the site may not come to rest, as far as can be told from outside."""
    target = f", target {status.trip.target}" if status.trip.target else ""
    said = f"the site did not come to rest ({status.mode}{target})"
    made_w = output_w(scan)
    if made_w is not None and made_w <= band_w and scan.export_w is not None and scan.export_w > band_w:
        said += (
            f"; the DERs are at rest and yet the meter shows {scan.export_w / 1e3:.1f} kW of export:"
            " look at its sign and the direction of its CTs"
        )
    return said


async def _put_back(run: Run) -> list[str]:
    try:
        await run.release()
    except AgentRefusedError as error:
        return [f"the overrides could not be ended: {error}"]
    return await run.bench.changes.restore()


def _judged(
    procedure: Procedure, measured: Sequence[Measurement], findings: Sequence[dict[str, Any]]
) -> tuple[Verdict, str]:
    failed = [item for item in measured if item.passed is False]
    judged = sum(item.passed is not None for item in measured)
    if not failed:
        return "pass", f"{procedure.purpose} {judged} of {judged} checks passed.{_unseen(findings)}"
    differing = [row for row in findings if row["verdict"] in _WORTH_NAMING]
    named = [
        f"{row['der']} {row['setting']} ({row['reason'] or row['verdict']})" for row in differing[:_NAMED]
    ]
    more = [f"and {len(differing) - _NAMED} more"] if len(differing) > _NAMED else []
    return "fail", f"{'; '.join([*map(_told, failed), *named, *more])}."


def _unseen(findings: Sequence[dict[str, Any]]) -> str:
    """What a pass does not cover."""
    count = sum(row["verdict"] == "not supported" for row in findings)
    return (
        f" {count} settings cannot be read over the DERs' interfaces and need other evidence."
        if count
        else ""
    )


def _told(item: Measurement) -> str:
    value = "did not happen or is not known" if item.value is None else f"{item.value:g} {item.unit}"
    return f"{item.name}: {value}, allowed {item.allowed} {item.unit}"


def _telling(word: words.Action) -> str:
    name = type(word).__name__
    spaced = "".join(f" {letter.lower()}" if letter.isupper() else letter for letter in name).strip()
    return f"{spaced} {word.until}" if isinstance(word, words.Wait) else spaced


def _result(
    run: Run,
    procedure: Procedure,
    verdict: Verdict,
    summary: str,
    measured: tuple[Measurement, ...] = (),
    *,
    restored: bool = True,
) -> TestResult:
    return TestResult(
        id=procedure.id,
        title=procedure.title,
        source=procedure.source,
        verdict=verdict,
        summary=summary,
        started_at=run.begun,
        duration_s=round(time.monotonic() - run.started_s, 1),
        measurements=measured,
        series=_series(run) if procedure.moves_the_plant else (),
        marks=tuple(sorted(run.marks, key=lambda mark: mark.t_s)),
        findings=tuple(run.findings),
        restored=restored,
    )


def _series(run: Run) -> tuple[Series, ...]:
    scans = run.bench.recorder.since(run.started_s)
    found = series_of(scans, run.started_s, run.bench.site.limit_w)
    t_s = tuple(scan.at_s - run.started_s for scan in scans)
    for name, changes, rest_w in (
        ("pickup", run.pickups_w, run.facts["pickup_w"]),
        ("target", run.targets_w, None),
    ):
        if changes and scans:
            y = tuple(_in_force(changes, run.started_s + at_s, rest_w) for at_s in t_s)
            found = (*found, Series(name=name, unit="W", t_s=found[0].t_s, y=y))
    return found


def _in_force(
    changes: Sequence[tuple[float, float | None]], at_s: float, rest_w: float | None
) -> float | None:
    past = [level_w for since_s, level_w in changes if since_s <= at_s]
    return past[-1] if past and past[-1] is not None else rest_w
