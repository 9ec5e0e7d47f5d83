"""What a unit is doing, in the words of IEEE 1547-2018 (3.1, 6.4.2, 4.10)."""

from __future__ import annotations

from enum import IntEnum


class Status(IntEnum):
    """Ride-through modes first, the more severe the higher.

    TRIP is a unit that is allowed to run and waits for its enter-service delay; OFF one that is not allowed to:
    permit withdrawn, disconnected by command, or no grid on its terminals.
    """

    CONTINUOUS = 0
    MANDATORY = 1
    PERMISSIVE = 2
    MOMENTARY_CESSATION = 3
    CEASE = 4
    TRIP = 5
    ENTERING_SERVICE = 6
    OFF = 7
