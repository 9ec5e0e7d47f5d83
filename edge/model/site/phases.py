"""Which part of a power counts on which phase, and what is assumed of it. Pure.

A DER on several phases is taken to feed an equal part into each. It feeds equal currents, so its powers are as far
apart as the voltages are: where the worst case is asked for, a part counts `UNBALANCE` larger.
"""

from __future__ import annotations

from edge.model.site.agreement import Agreement

UNBALANCE = 1.03
"""A phase's voltage over the mean of all, at most: ANSI C84.1 recommends no more than 3 % at the meter."""


def share(phases: str, phase: str) -> float:
    """The part of a power fed into `phases` that is on `phase`."""
    return 1.0 / len(phases) if phase in phases else 0.0


def most_share(phases: str, phase: str) -> float:
    """The same, at the most."""
    part = share(phases, phase)
    return part * UNBALANCE if part < 1.0 else part


def phase_limit_w(agreement: Agreement) -> float | None:
    """The active power that each phase may export, None where none was agreed: no more than its VA."""
    given = (agreement.export_limit_phase_w, agreement.export_limit_phase_va)
    return min((limit for limit in given if limit is not None), default=None)
