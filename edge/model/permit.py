"""What the guard tells the limiter, one scan later: it can only make the limiter do less."""

from __future__ import annotations

from typing import NamedTuple


class Permit(NamedTuple):
    """The guard's word. `unresponsive` names DERs that took a lower limit and kept their power.

    `operated`: something demanded a trip in the last scan, whether or not the latch was set already.
    """

    tripped: bool = False
    operated: bool = False
    force_fallback: bool = False
    unresponsive: frozenset[str] = frozenset()
