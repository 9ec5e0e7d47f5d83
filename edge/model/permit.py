"""What the guard tells the limiter, one scan later: it can only make the limiter do less."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Permit:
    """The guard's word. `unresponsive` names DERs that took a lower limit and kept their power."""

    tripped: bool = False
    force_fallback: bool = False
    unresponsive: frozenset[str] = frozenset()
