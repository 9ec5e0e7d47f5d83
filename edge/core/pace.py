"""How fast a DER answers a limit: its profile times a factor, of which measurements narrow the bounds.

The factor makes the dead time longer and the slope flatter alike. Where a device differs from its profile in each
by another factor, or moves by a lag instead of a slope, its answers call for factors of some range, and the bounds
stay as far apart as that.
"""

from __future__ import annotations

from dataclasses import dataclass

SPREAD = 2.0
"""A profile may be off by this factor, either way; nothing that is measured moves the bounds beyond."""
AROUND = 1.15
"""The bounds lie no nearer than this factor around what the profile says, and around what was seen."""
CLOSING = 0.1
"""Of the way that they have left, at each measurement within them."""


@dataclass(frozen=True, slots=True)
class Pace:
    """The bounds of the factor: `quick` for the quickest answer, `slow` for the slowest."""

    quick: float = 1.0 / AROUND
    slow: float = AROUND


def learnt(pace: Pace, share: float) -> Pace:
    """The bounds after an output was seen at `share` of the way from the quickest path (0) to the slowest (1).

    Beyond a bound it is moved at once, and within them they close in slowly: an answer that was taken wrongly, by
    weather or a lost write, costs some speed until the next ones.
    """
    factor = pace.quick * (pace.slow / pace.quick) ** min(max(share, -1.0), 2.0)
    quick, slow = factor / AROUND, factor * AROUND
    if share >= 0.0:
        quick = max(pace.quick, pace.quick + CLOSING * (quick - pace.quick))
    if share <= 1.0:
        slow = min(pace.slow, pace.slow + CLOSING * (slow - pace.slow))
    return Pace(max(1.0 / SPREAD, quick), min(SPREAD, slow))
