"""The protective state that survives restart and power loss."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Durable:
    """Trip latch, lockout count and enter-service state.

    `trips_s` are the times of trips (tests not counted) on the monotonic axis of the running process; the
    shell moves them there from the wall times that it stores, so they may be negative. `in_service` is False
    from a trip until enter service is done, so that a restart in between cannot skip it. A start always closes
    the contacts anew, by enter service: they have been open.
    """

    tripped: bool
    target: str | None = None
    lockout: bool = False
    trips_s: tuple[float, ...] = ()
    in_service: bool = False


NEW_SITE = Durable(tripped=False, in_service=True)
"""State of a site that was just created on purpose: nothing latched, no trip to come back from."""

STATE_LOST = Durable(tripped=True, target="state-lost")
"""What a start with missing or corrupt state assumes: tripped, reset by hand only."""
