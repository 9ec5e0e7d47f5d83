"""Requests that narrow for a while: each belongs to a connection and ends with it, or when its time is over."""

from __future__ import annotations

from edge.model.image import Override, PccReading

MAX_PER_OWNER = 16


class Overrides:
    """The overrides in force. `owner` is any object that stands for a connection."""

    def __init__(self) -> None:
        self._held: list[tuple[object, Override]] = []

    def add(self, owner: object, override: Override) -> bool:
        """Put one in force; False when this connection holds too many already."""
        if sum(holder is owner for holder, _ in self._held) >= MAX_PER_OWNER:
            return False
        self._held.append((owner, override))
        return True

    def drop(self, owner: object) -> int:
        """End all of a connection's; how many there were."""
        before = len(self._held)
        self._held = [(holder, override) for holder, override in self._held if holder is not owner]
        return before - len(self._held)

    def in_force(self, now_s: float) -> tuple[Override, ...]:
        """Those whose time is not over."""
        self._held = [(holder, override) for holder, override in self._held if now_s < override.until_s]
        return tuple(override for _, override in self._held)


class Blindfold:
    """Hides the meter: while an override is blind, the reading is the last one before, and it ages."""

    def __init__(self) -> None:
        self._last_seen: PccReading | None = None

    def look(self, pcc: PccReading, overrides: tuple[Override, ...]) -> PccReading:
        """What the image may see of `pcc`."""
        if not any(override.blind for override in overrides):
            self._last_seen = pcc
            return pcc
        if self._last_seen is None:
            self._last_seen = pcc
        return self._last_seen
