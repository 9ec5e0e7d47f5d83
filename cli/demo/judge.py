"""What control.md asks of each fault, held against the simulator's truth and the agent's counts."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import numpy as np

from cli.demo.story import SAFE_W
from cli.demo.verdict import REVERSION_BOUND_S, TRIP_BOUND_S, Counts, FaultRecord
from sim.truth import Truth

HELD_BACK_S = 1.0
"""After the bound, export must stay at or below the band for at least this long to count as ended."""


def judge(fault: FaultRecord, counts: Counts, truth: Truth, band_w: float, load_drop_s: float | None) -> None:
    """Fill in the fault's effect, and its problem where something asked for was not seen."""
    if fault.name in {"agent-kill", "agent-stop"}:
        _agent(fault, truth)
    elif fault.name == "meter-loss":
        _meter_loss(fault, counts)
    elif fault.name == "inverter-loss":
        _untripped(fault, counts, "export was held with inverter one counted at the most it may make")
    elif fault.name == "broker-kill":
        _untripped(fault, counts, "control went on without the broker")
    else:
        _write_ignored(fault, counts, truth, band_w, load_drop_s)


def _first_s(truth: Truth, when: np.ndarray, from_s: float) -> float | None:
    """How long after `from_s` the condition was first true."""
    found = np.flatnonzero(when & (truth.t_s >= from_s))
    return float(truth.t_s[found[0]] - from_s) if found.size else None


def _agent(fault: FaultRecord, truth: Truth) -> None:
    open_s = _first_s(truth, ~truth.coil_closed, fault.at_s)
    safe_s = _first_s(truth, truth.inverter_w[:, 0] <= SAFE_W, fault.at_s)
    parts = []
    if open_s is not None:
        parts.append(f"trip contact open after {open_s:.2f} s")
    if safe_s is not None:
        parts.append(f"inverter one at its safe cap after {safe_s:.2f} s")
    fault.effect = "; ".join(parts) or "nothing happened"
    if open_s is None or open_s > TRIP_BOUND_S:
        fault.problem = f"the trip contact did not open within {TRIP_BOUND_S} s"
    elif safe_s is None or safe_s > REVERSION_BOUND_S:
        fault.problem = f"inverter one did not revert within {REVERSION_BOUND_S} s"


def _meter_loss(fault: FaultRecord, counts: Counts) -> None:
    tripped = f", tripped by {', '.join(counts.targets)}" if counts.trips else ", no trip"
    fault.effect = f"{counts.fallbacks} fallback{tripped}"
    if counts.fallbacks != 1:
        fault.problem = f"losing the meter must end in one fallback, not {counts.fallbacks}"
    elif counts.trips > 1 or any(target != "lost-sensing" for target in counts.targets):
        fault.problem = f"at most one trip, by lost-sensing, was expected; seen: {', '.join(counts.targets)}"


def _untripped(fault: FaultRecord, counts: Counts, effect: str) -> None:
    fault.effect = effect
    if counts.trips:
        fault.problem = f"tripped by {', '.join(counts.targets)}"


def _write_ignored(
    fault: FaultRecord, counts: Counts, truth: Truth, band_w: float, load_drop_s: float | None
) -> None:
    if load_drop_s is None:
        fault.problem = "the load drop did not happen"
        return
    above = truth.export_w > band_w
    onset_s = _first_s(truth, above, load_drop_s)
    if onset_s is None:
        fault.problem = "the load drop did not bring the export above the limit"
        return
    onset_at_s = load_drop_s + onset_s
    last_above = np.flatnonzero(
        above & (truth.t_s >= onset_at_s) & (truth.t_s < onset_at_s + TRIP_BOUND_S + HELD_BACK_S)
    )
    ended_s = float(truth.t_s[last_above[-1]]) - onset_at_s
    fault.effect = (
        f"{counts.trips} trip ({', '.join(counts.targets)}); export above the limit for {ended_s:.2f} s"
    )
    if not counts.trips:
        fault.problem = "no element operated"
    elif ended_s > TRIP_BOUND_S:
        fault.problem = f"export was above the limit for longer than {TRIP_BOUND_S} s"


def portal_problem(spool: Path, portal_db: Path) -> str | None:
    """Whether every record of the spool arrived in the portal, once; None when it did."""
    with closing(sqlite3.connect(f"file:{spool}?mode=ro", uri=True)) as base:
        (waiting,) = base.execute("SELECT count(*) FROM records").fetchone()
    if waiting:
        return f"{waiting} records still wait for the portal's receipt"
    with closing(sqlite3.connect(f"file:{portal_db}?mode=ro", uri=True)) as base:
        stored, distinct, highest = base.execute(
            "SELECT count(*), count(DISTINCT seq), max(seq) FROM records"
        ).fetchone()
    if stored != distinct:
        return f"{stored - distinct} records are stored twice"
    if highest is None or distinct < highest:
        return f"the portal holds {distinct} of {highest} records"
    return None
