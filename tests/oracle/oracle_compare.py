"""How far two answers are apart: powers away from transitions, and whether the transitions are the same."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from oracle_case import Answer, Codes, Flags, Floats

TOLERANCE_PU = 0.005
"""Powers agree within this share of the rating ..."""

BESIDE_STEPS = 2
"""... away from this many steps on either side of a transition ..."""

LATE_STEPS = 1
"""... and a transition is at most this much earlier or later."""


@dataclass(frozen=True, eq=False)
class Agreement:
    """Two answers side by side.

    Attributes:
        p_pu: Distance of the active powers at each step that counts.
        q_pu: The same of the reactive powers.
        astray: Steps at which one is in a state in which the other is neither then nor one step before or after.
        transitions: Changes of state of the oracle.
        late_steps: The most by which a change of state is earlier or later.
    """

    p_pu: Floats
    q_pu: Floats
    astray: list[int]
    transitions: int
    late_steps: int

    @property
    def worst_pu(self) -> float:
        """The greatest distance of all."""
        return float(max(self.p_pu.max(initial=0.0), self.q_pu.max(initial=0.0)))

    @property
    def holds(self) -> bool:
        """Whether this is agreement; where no step counts there is none."""
        return len(self.p_pu) > 0 and not self.astray and self.worst_pu <= TOLERANCE_PU


def compare(ours: Answer, oracle: Answer, jump_p_pu: float | None = None) -> Agreement:
    """Hold two answers to the same trace against each other.

    At an active power of `jump_p_pu` reactive capability jumps; passing it is a transition too.
    """
    counts = ~(_beside(ours.status) | _beside(oracle.status))
    if jump_p_pu is not None:
        counts &= ~(_beside(ours.p_pu < jump_p_pu) | _beside(oracle.p_pu < jump_p_pu))
    astray = _elsewhere(ours.status, oracle.status) | _elsewhere(oracle.status, ours.status)
    return Agreement(
        np.abs(ours.p_pu - oracle.p_pu)[counts],
        np.abs(ours.q_pu - oracle.q_pu)[counts],
        np.flatnonzero(astray).tolist(),
        int(np.count_nonzero(np.diff(oracle.status))),
        LATE_STEPS if (ours.status != oracle.status).any() else 0,
    )


def _beside(status: Codes | Flags) -> Flags:
    """Steps no further than `BESIDE_STEPS` from a change; the step after the change is its first."""
    beside = np.zeros(len(status), dtype=bool)
    for change in np.flatnonzero(np.diff(status.astype(np.int8))) + 1:
        beside[max(0, change - BESIDE_STEPS) : change + BESIDE_STEPS] = True
    return beside


def _elsewhere(one: Codes, other: Codes) -> Flags:
    """Steps at which `one` is in a state that `other` is in at none of the steps beside it."""
    padded = np.pad(other, LATE_STEPS, mode="edge")
    windows = np.lib.stride_tricks.sliding_window_view(padded, 2 * LATE_STEPS + 1)
    elsewhere: Flags = (windows != one[:, None]).all(axis=1)
    return elsewhere
