"""What a run comes to, in figures. Pure.

Energy in Wh, power in W, times in s. What was permitted at an instant is what the sun gave, but no more than the
host load and the export limit together.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import numpy.typing as npt

from edge.model.commands import Event
from edge.model.storage_rules import NO_RULES, StorageRules
from sim.files.script import ScriptEvent
from sim.truth import (
    BAND_PU,
    Excursion,
    Truth,
    apparent_va,
    excursions,
    excursions_of,
    longest_s,
    response_time_s,
    running_mean,
)

Floats = npt.NDArray[np.float64]

LAST_S = 60.0
"""Oscillation is looked for in the last part of a run, no longer than this."""


@dataclass(frozen=True, slots=True)
class Metrics:
    """One run. Excursions are true export above limit + 0.5 % of nameplate.

    Those of a phase and of apparent power are counted apart where they are limited, a phase with its part of the
    nameplate.

    `response_s` is the worst response to a step that raised export (None without one, infinite when export never
    came back), `undershoot_pu` the most that was lost below the target after such a step, `oscillation_pu` the
    swing of the last minute beyond the load's own; `safe_after_s` the time from the first fault until the output
    of all DERs could not exceed the limit even without host load (None without a fault, infinite when never).
    `longest_taken_s` and `longest_sent_s`: the longest time in which storage took from the grid, or sent to it, more
    than agreed and 0.5 % of nameplate.
    """

    duration_s: float
    limit_w: float
    nameplate_w: float
    excursions: int
    longest_excursion_s: float
    peak_over_w: float
    energy_over_wh: float
    max_export_w: float
    response_s: float | None
    undershoot_pu: float
    oscillation_pu: float
    generated_wh: float
    available_wh: float
    permitted_wh: float
    harvest_pu: float
    mean_margin_w: float
    safe_after_s: float | None
    writes: int
    trips: int
    fallbacks: int
    lost_sensing: int
    longest_taken_s: float
    longest_sent_s: float
    phase_excursions: int = 0
    longest_phase_excursion_s: float = 0.0
    peak_over_phase_w: float = 0.0
    va_excursions: int = 0
    longest_va_excursion_s: float = 0.0
    peak_over_va: float = 0.0


@dataclass(frozen=True, slots=True)
class Bearings:
    """What the figures are taken against.

    `steps_s` are the times of steps that raise export, each with the time until which its response is judged;
    `fault_s` is the time of the first fault.
    """

    limit_w: float
    nameplate_w: float
    unmanaged_w: float
    steps_s: tuple[tuple[float, float], ...]
    fault_s: float | None
    storage: tuple[int, ...] = ()
    rules: StorageRules = NO_RULES
    phases: str = ""
    phase_limit_w: float | None = None
    limit_va: float | None = None
    phase_limit_va: float | None = None


def measure(truth: Truth, events: Sequence[Event], writes: int, known: Bearings) -> Metrics:
    """The figures of `truth`, with the events told in its time and the limits written."""
    found = excursions(truth, known.limit_w, known.nameplate_w)
    by_phase, by_va = _phase_excursions(truth, known), _va_excursions(truth, known)
    permitted_w = np.minimum(truth.available_w, np.maximum(0.0, truth.host_load_w + known.limit_w))
    output_w = truth.output_w
    hours = truth.dt_s / 3600.0
    permitted_wh = float(permitted_w.sum()) * hours
    within_wh = float(np.minimum(output_w, permitted_w).sum()) * hours
    trips = [event for event in events if event.kind == "trip"]
    return Metrics(
        duration_s=float(truth.t_s[-1] - truth.t_s[0]),
        limit_w=known.limit_w,
        nameplate_w=known.nameplate_w,
        excursions=len(found),
        longest_excursion_s=max((one.duration_s for one in found), default=0.0),
        peak_over_w=max((one.peak_w - known.limit_w for one in found), default=0.0),
        energy_over_wh=sum(one.energy_wh for one in found),
        max_export_w=float(truth.export_w.max()),
        response_s=_worst_response_s(truth, known),
        undershoot_pu=_undershoot_w(truth, permitted_w, known) / known.nameplate_w,
        oscillation_pu=_oscillation_w(truth) / known.nameplate_w,
        generated_wh=float(output_w.sum()) * hours,
        available_wh=float(truth.available_w.sum()) * hours,
        permitted_wh=permitted_wh,
        harvest_pu=within_wh / permitted_wh if permitted_wh > 0 else 1.0,
        mean_margin_w=_mean_margin_w(truth, permitted_w, known),
        safe_after_s=_safe_after_s(truth, known),
        writes=writes,
        trips=len(trips),
        fallbacks=sum(event.kind == "fallback" for event in events),
        lost_sensing=sum("lost-sensing" in event.detail for event in trips),
        longest_taken_s=longest_s(_taken_beyond_w(truth, known) > BAND_PU * known.nameplate_w, truth.dt_s),
        longest_sent_s=longest_s(
            truth.sent_w(known.storage) > known.rules.export_w + BAND_PU * known.nameplate_w, truth.dt_s
        ),
        phase_excursions=len(by_phase),
        longest_phase_excursion_s=_longest_of_s(by_phase),
        peak_over_phase_w=max((one.peak_w - (known.phase_limit_w or 0.0) for one in by_phase), default=0.0),
        va_excursions=len(by_va),
        longest_va_excursion_s=_longest_of_s([one for one, _ in by_va]),
        peak_over_va=max((one.peak_w - limit_va for one, limit_va in by_va), default=0.0),
    )


def _longest_of_s(found: Sequence[Excursion]) -> float:
    return max((one.duration_s for one in found), default=0.0)


def _phase_excursions(truth: Truth, known: Bearings) -> list[Excursion]:
    """Those of every phase; two phases at the same time count twice."""
    limit_w = known.phase_limit_w
    if limit_w is None:
        return []
    part_w = known.nameplate_w / len(known.phases)
    return [
        one
        for phase in known.phases
        for one in excursions_of(truth, truth.phase_w[:, "abc".index(phase)], limit_w, part_w)
    ]


def _va_excursions(truth: Truth, known: Bearings) -> list[tuple[Excursion, float]]:
    """Those of apparent power, of the total and of every phase, each with its limit."""
    flows = []
    if known.limit_va is not None:
        total_var = truth.phase_var.sum(axis=1)
        flows.append((truth.export_w, total_var, known.limit_va, known.nameplate_w))
    if known.phase_limit_va is not None:
        part_w = known.nameplate_w / len(known.phases)
        flows += [
            (truth.phase_w[:, place], truth.phase_var[:, place], known.phase_limit_va, part_w)
            for place in map("abc".index, known.phases)
        ]
    return [
        (one, limit_va)
        for power_w, power_var, limit_va, part_w in flows
        for one in excursions_of(truth, apparent_va(power_w, power_var, part_w), limit_va, part_w)
    ]


def _taken_beyond_w(truth: Truth, known: Bearings) -> Floats:
    """What storage takes from the grid beyond what was agreed, of its own and of the site's import, in W."""
    taken_w = truth.taken_w(known.storage)
    charges = taken_w > 0
    own_w = taken_w - known.rules.import_w
    site_w = np.where(charges, -truth.export_w, 0.0) - known.rules.site_import_w
    beyond_w: Floats = np.maximum(own_w, site_w)
    return beyond_w


def raising_steps(script: Sequence[ScriptEvent], end_s: float) -> tuple[tuple[float, float], ...]:
    """The events that take host load away or bring sun, each with the time of the next event of any kind."""
    ordered = sorted(script, key=lambda event: event.at_s)
    times = [*(event.at_s for event in ordered), end_s]
    return tuple(
        span
        for event, span in zip(ordered, pairwise(times), strict=True)
        if _raises(event) and span[1] > span[0]
    )


def _raises(event: ScriptEvent) -> bool:
    return (event.load_step_w or 0.0) < 0 or event.load_w is not None or event.sun_pu is not None


def _worst_response_s(truth: Truth, known: Bearings) -> float | None:
    times = [
        response_time_s(truth, step_s, known.limit_w, known.nameplate_w, until_s)
        for step_s, until_s in known.steps_s
    ]
    return max((math.inf if time_s is None else time_s for time_s in times), default=None)


def _undershoot_w(truth: Truth, permitted_w: Floats, known: Bearings) -> float:
    """The most by which the 1 s mean of output fell below what was permitted, after each step; the settled gap apart."""
    short_w = running_mean(permitted_w - truth.output_w, truth.dt_s)
    worst_w = 0.0
    for step_s, until_s in known.steps_s:
        before_w = short_w[(truth.t_s >= step_s - 5.0) & (truth.t_s <= step_s)]
        after_w = short_w[(truth.t_s > step_s) & (truth.t_s < until_s)]
        if before_w.size and after_w.size:
            worst_w = max(worst_w, float(after_w.max() - max(0.0, before_w.mean())))
    return worst_w


def _oscillation_w(truth: Truth) -> float:
    """Peak to peak of the 1 s mean of export in the last part, less what the load does there by itself."""
    last = truth.t_s > max(truth.t_s[-1] - LAST_S, (truth.t_s[0] + truth.t_s[-1]) / 2)
    export_w = running_mean(truth.export_w, truth.dt_s)[last]
    load_w = running_mean(truth.host_load_w, truth.dt_s)[last]
    return max(0.0, float(np.ptp(export_w) - np.ptp(load_w)))


def _mean_margin_w(truth: Truth, permitted_w: Floats, known: Bearings) -> float:
    """Mean distance of export below the limit while that holds generation back, excursions apart; 0 if it never does."""
    within = truth.export_w <= known.limit_w + BAND_PU * known.nameplate_w
    held = within & (permitted_w < truth.available_w)
    return float(known.limit_w - truth.export_w[held].mean()) if held.any() else 0.0


def _safe_after_s(truth: Truth, known: Bearings) -> float | None:
    if known.fault_s is None:
        return None
    after = truth.t_s >= known.fault_s
    safe_w = max(0.0, known.limit_w - known.unmanaged_w) + BAND_PU * known.nameplate_w
    safe = np.flatnonzero(after & (truth.output_w <= safe_w))
    return max(0.0, float(truth.t_s[safe[0]]) - known.fault_s) if safe.size else math.inf
