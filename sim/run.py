"""Runs a scenario in virtual time with the shipped `step()`, and holds what came out against what it expects."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Literal

import numpy as np

from edge.model.commands import Event
from edge.model.storage_rules import StorageRules
from sim.amount import amount
from sim.closed_loop import ClosedLoop, Written
from sim.expect import Bounds, During
from sim.metrics import Bearings, Metrics, measure, raising_steps
from sim.scenario import Scenario
from sim.truth import Truth, response_time_s
from sim.virtual import clairvoyant_time_s

PROGRESS_S = 1.0

Verdict = Literal["held", "missed", "known failure", "stale"]


@dataclass(frozen=True, slots=True)
class Finding:
    """One expectation: what was wanted, what came (a figure in the unit of its key), and whether it held."""

    key: str
    wanted: str
    got: float | str
    held: bool

    def told(self) -> str:
        """What came, as a person reads it."""
        return self.got if isinstance(self.got, str) else amount(self.key, self.got)


@dataclass(frozen=True)
class Run:
    """A whole run: `events` are what the agent told, `modes` its mode from each time on, `writes` its limits."""

    scenario: Scenario
    seed: int
    truth: Truth
    events: tuple[Event, ...]
    modes: tuple[tuple[float, str], ...]
    writes: tuple[Written, ...]
    metrics: Metrics
    findings: tuple[Finding, ...]

    @property
    def verdict(self) -> Verdict:
        """Whether all held; a known failure that holds today is stale."""
        held = all(finding.held for finding in self.findings)
        if self.scenario.known_failure is None:
            return "held" if held else "missed"
        return "stale" if held else "known failure"


def run(
    scenario: Scenario,
    seed: int | None = None,
    progress: Callable[[float], None] | None = None,
    *,
    file_seeds: bool = False,
) -> Run:
    """Run `scenario`, with another `seed` than its own if given.

    `progress` is called once a simulated second with the part that is done, 0 to 1. With `file_seeds` the plant
    keeps the seeds of its sim file, so that several sites can be under one sky.

    Raises:
        UnfitError: The site cannot be held within its bounds.
    """
    seed = scenario.seed if seed is None else seed
    loop = ClosedLoop(
        scenario.sim,
        scenario.site_file,
        seed=seed,
        plant_seed=None if file_seeds else seed,
        faults=scenario.fault,
        asks=scenario.ask,
    )
    left_s = scenario.duration_s
    while left_s > 1e-9:
        loop.run(min(PROGRESS_S, left_s))
        left_s -= PROGRESS_S
        if progress is not None:
            progress(1.0 - max(0.0, left_s) / scenario.duration_s)
    return _judged(scenario, seed, loop)


def _judged(scenario: Scenario, seed: int, loop: ClosedLoop) -> Run:
    truth = loop.truth
    from_s = scenario.judged_from_s
    judged = truth.between(from_s, math.inf)
    events = tuple(event for event in loop.events if event.at_s >= from_s)
    writes = tuple(written for written in loop.written if written.at_s >= from_s)
    metrics = measure(judged, events, len(writes), _bearings(scenario))
    plain = Run(
        scenario, seed, truth, tuple(loop.events), tuple(loop.modes), tuple(loop.written), metrics, ()
    )
    found = (*_figures(plain), *_told(plain, events), *_during(plain))
    return Run(scenario, seed, truth, plain.events, plain.modes, plain.writes, metrics, found)


def _bearings(scenario: Scenario) -> Bearings:
    site = scenario.site_file
    steps = raising_steps(scenario.event, scenario.duration_s)
    return Bearings(
        limit_w=site.limit_w,
        nameplate_w=scenario.sim.nameplate_w,
        unmanaged_w=site.unmanaged.nameplate_w,
        steps_s=tuple(span for span in steps if span[0] >= scenario.judged_from_s),
        fault_s=min((fault.at_s for fault in scenario.fault), default=None),
        storage=_storage(scenario),
        rules=StorageRules.of(site.agreement),
        phases=site.limited_phases,
        phase_limit_w=site.agreement.export_limit_phase_w,
        limit_va=site.agreement.export_limit_va,
        phase_limit_va=site.agreement.export_limit_phase_va,
    )


def _storage(scenario: Scenario) -> tuple[int, ...]:
    return tuple(index for index, unit in enumerate(scenario.sim.inverter) if unit.kind == "storage")


def _figures(done: Run) -> Iterator[Finding]:
    """Every figure that is bounded, against the metrics."""
    for key in type(done.scenario.expect).model_fields:
        bounds = getattr(done.scenario.expect, key)
        if isinstance(bounds, Bounds):
            value = _ratio(done) if key == "response_ratio" else getattr(done.metrics, key)
            yield _bounded(key, bounds, value)


def _bounded(key: str, bounds: Bounds, value: float | None) -> Finding:
    if value is None:
        return Finding(key, bounds.told(key), "there was nothing to measure", held=False)
    return Finding(key, bounds.told(key), value, bounds.hold(value))


def _ratio(done: Run) -> float | None:
    """The worst response to a step over the clairvoyant's to the same."""
    known = _bearings(done.scenario)
    ratios = []
    for step_s, until_s in known.steps_s:
        truth = done.truth.between(step_s - 10.0, until_s)
        best_s = clairvoyant_time_s(done.scenario.sim, truth, step_s, known.limit_w, until_s)
        ours_s = response_time_s(truth, step_s, known.limit_w, known.nameplate_w, until_s)
        if best_s:
            ratios.append(math.inf if ours_s is None else ours_s / best_s)
    return max(ratios, default=None)


def _told(done: Run, events: tuple[Event, ...]) -> Iterator[Finding]:
    """Target, mode at the end, and how often each kind of event was told."""
    expect = done.scenario.expect
    if expect.target is not None:
        trips = [event.detail for event in events if event.kind == "trip"]
        first = trips[0].removeprefix("target ").split(", ")[0] if trips else "no trip"
        yield Finding("target", expect.target, first, first == expect.target)
    if expect.mode is not None:
        mode = done.modes[-1][1] if done.modes else "none"
        yield Finding("mode", expect.mode, mode, mode == expect.mode)
    for kind, bounds in expect.events.items():
        yield _bounded(f"events.{kind}", bounds, sum(event.kind == kind for event in events))


def _during(done: Run) -> Iterator[Finding]:
    for index, span in enumerate(done.scenario.expect.during):
        until_s = math.inf if span.until_s is None else span.until_s
        truth = done.truth.between(span.from_s, until_s)
        label = f"during[{index}]"
        output_w = truth.output_w if span.der is None else truth.inverter_w[:, _unit(done, span.der)]
        for key, bounds, values in (
            ("output_w", span.output_w, output_w.tolist()),
            ("export_w", span.export_w, truth.export_w.tolist()),
            ("taken_w", span.taken_w, truth.taken_w(_storage(done.scenario)).tolist()),
            ("sent_w", span.sent_w, truth.sent_w(_storage(done.scenario)).tolist()),
            ("phase_w", span.phase_w, truth.phase_w.max(axis=1).tolist()),
            ("export_va", span.export_va, np.hypot(truth.export_w, truth.phase_var.sum(axis=1)).tolist()),
            ("written_w", span.written_w, _written_w(done, span, until_s)),
        ):
            if bounds is not None:
                yield _every(f"{label}.{key}", span, bounds, values)
        if span.contact is not None:
            closed = set(truth.coil_closed.tolist())
            got = " and ".join(sorted("closed" if one else "open" for one in closed))
            yield Finding(f"{label}.contact", _when(span, span.contact), got, got == span.contact)
        if span.mode is not None:
            modes = _modes(done, span.from_s, until_s)
            yield Finding(f"{label}.mode", _when(span, span.mode), ", ".join(modes), modes == [span.mode])


def _every(key: str, span: During, bounds: Bounds, values: list[float]) -> Finding:
    """The value that lies farthest out; where there was none, nothing was shown."""
    wanted = _when(span, bounds.told(key))
    if not values:
        return Finding(key, wanted, "there was nothing to measure", held=False)
    low, high = min(values), max(values)
    held = bounds.hold(low) and bounds.hold(high)
    if bounds.least is not None and bounds.most is not None:
        return Finding(key, wanted, f"{amount(key, low)} to {amount(key, high)}", held)
    return Finding(key, wanted, high if bounds.least is None else low, held)


def _when(span: During, wanted: str) -> str:
    whose = f"{span.der} " if span.der else ""
    end = "the end" if span.until_s is None else f"{span.until_s:g} s"
    return f"{whose}{wanted} from {span.from_s:g} s to {end}"


def _unit(done: Run, role: str) -> int:
    return [unit.role for unit in done.scenario.sim.inverter].index(role)


def _written_w(done: Run, span: During, until_s: float) -> list[float]:
    """Each limit written to one DER in the span; or the sum of what stood written to all, as often as it changed."""
    if span.der is not None:
        return [
            written.limit_w
            for written in done.writes
            if written.der == span.der and span.from_s <= written.at_s < until_s
        ]
    last: dict[str, float] = {}
    sums: dict[float, float] = {}
    for written in done.writes:
        last[written.der] = written.limit_w
        sums[written.at_s] = sum(last.values())
    return [total_w for at_s, total_w in sums.items() if span.from_s <= at_s < until_s]


def _modes(done: Run, from_s: float, until_s: float) -> list[str]:
    """The modes in the span, the one in force at its begin first."""
    before = [mode for at_s, mode in done.modes if at_s <= from_s][-1:]
    inside = [mode for at_s, mode in done.modes if from_s < at_s < until_s]
    found: list[str] = []
    for mode in (*before, *inside):
        if not found or found[-1] != mode:
            found.append(mode)
    return found


def same(one: Run, other: Run) -> bool:
    """Whether two runs are the same, value for value."""
    return (
        one.events == other.events
        and one.writes == other.writes
        and np.array_equal(one.truth.export_w, other.truth.export_w)
    )
