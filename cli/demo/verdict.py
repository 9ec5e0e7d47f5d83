"""What the demo found, from the simulator's truth and the agent's own counts. Pure."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Any

from sim.simfile import SimFile
from sim.truth import Truth, excursions, max_export_w, response_time_s
from sim.virtual import clairvoyant_time_s

RESPONSE_GOAL = 1.5
TRIP_BOUND_S = 2.0
REVERSION_BOUND_S = 30.0
HOST_P99_FACTOR = 2.0
JUDGED_AFTER_STEP_S = 6.0


@dataclass
class FaultRecord:
    """A fault that was played; `problem` says what control.md asks of it and was not seen."""

    name: str
    at_s: float
    effect: str = "none seen"
    cleared_at_s: float | None = None
    problem: str | None = None


@dataclass
class Counts:
    """The agent's own counts, summed over its restarts."""

    trips: int = 0
    fallbacks: int = 0
    targets: list[str] = field(default_factory=list)
    scan_period_s: float | None = None
    scan_late: int = 0
    scan_count: int = 0
    scan_p99_s: float | None = None
    writes_sent: int = 0
    writes_verified: int = 0


@dataclass
class Played:
    """Everything that happened, times in monotonic s."""

    zero_s: float
    settled_s: float | None
    load_drop_s: float | None
    fault: FaultRecord | None
    counts: Counts
    agent_ended: str | None = None


def verdict(played: Played, truth: Truth, sim: SimFile, limit_w: float) -> dict[str, Any]:
    """The demo's result object; see `dergate demo --json`."""
    settled = played.settled_s
    after = truth.between(settled, float("inf")) if settled is not None else None
    found = excursions(after, limit_w, sim.nameplate_w) if after is not None and after.t_s.size else []
    ratio = _response_ratio(played, truth, sim, limit_w)
    counts = played.counts
    reason = _reason(played, found_s=[one.duration_s for one in found], ratio=ratio)
    return {
        "limit_w": limit_w,
        "max_export_w": None if settled is None else round(max_export_w(truth, settled), 1),
        "excursions": [
            {
                "start_s": round(one.start_s - played.zero_s, 3),
                "duration_s": round(one.duration_s, 3),
                "peak_w": round(one.peak_w, 1),
                "energy_wh": round(one.energy_wh, 3),
            }
            for one in found
        ],
        "response_ratio": None if ratio is None else round(ratio, 3),
        "trips": counts.trips,
        "fallbacks": counts.fallbacks,
        "scan": {"period_s": counts.scan_period_s, "late": counts.scan_late, "p99_s": counts.scan_p99_s},
        "writes": {"sent": counts.writes_sent, "verified": counts.writes_verified},
        "faults": [] if played.fault is None else [_fault(played.fault, played.zero_s)],
        "passed": reason is None,
        "reason": reason,
    }


def _fault(fault: FaultRecord, zero_s: float) -> dict[str, Any]:
    shown = asdict(fault)
    del shown["problem"]
    shown["at_s"] = round(fault.at_s - zero_s, 3)
    shown["cleared_at_s"] = None if fault.cleared_at_s is None else round(fault.cleared_at_s - zero_s, 3)
    return shown


def _response_ratio(played: Played, truth: Truth, sim: SimFile, limit_w: float) -> float | None:
    """Our response to the load drop over the clairvoyant's; null where the limiter was not what ended it."""
    step_s = played.load_drop_s
    undisturbed = played.fault is None or played.fault.name == "broker-kill"
    if step_s is None or not undisturbed:
        return None
    until_s = step_s + JUDGED_AFTER_STEP_S
    ours_s = response_time_s(truth, step_s, limit_w, sim.nameplate_w, until_s)
    best_s = clairvoyant_time_s(sim, truth, step_s, limit_w, until_s)
    if ours_s is None or best_s is None or best_s <= 0:
        return None
    return ours_s / best_s


def _reason(played: Played, found_s: list[float], ratio: float | None) -> str | None:
    """Why the demo did not pass, or None."""
    problem = _problem(played, found_s, ratio)
    if problem is None:
        return None
    counts = played.counts
    slow = (
        counts.scan_p99_s is not None
        and counts.scan_period_s is not None
        and counts.scan_p99_s > HOST_P99_FACTOR * counts.scan_period_s
    )
    return "host" if slow else problem


def _problem(played: Played, found_s: list[float], ratio: float | None) -> str | None:
    if played.agent_ended is not None:
        return played.agent_ended
    if played.settled_s is None:
        return "the site did not settle at its limit"
    longest_s = max(found_s, default=0.0)
    if longest_s > TRIP_BOUND_S:
        return f"export stayed above the limit for {longest_s:.2f} s, longer than {TRIP_BOUND_S} s"
    if played.fault is not None:
        return played.fault.problem
    if played.counts.trips:
        return f"tripped in normal running: {', '.join(played.counts.targets)}"
    if ratio is None:
        return "the load drop was not followed by a return to the limit"
    if ratio > RESPONSE_GOAL:
        return f"the excursion took {ratio:.2f} times the clairvoyant time, more than {RESPONSE_GOAL}"
    return None
