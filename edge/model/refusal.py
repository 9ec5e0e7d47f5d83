"""Whether a DER takes its limits: the last write says when it does not, and something has to move before it does again.

A DER that acknowledges every write and follows none may hold, by chance, what it is told next; a verified limit then
proves nothing. Each time it turns out to have been chance, it has to go on for longer before it is believed.
"""

from __future__ import annotations

from edge.model.band import STEP, Band

FIRST_HOLD_S = 2.0
"""How long a DER that did not have to move must hold its limits before it is believed."""
LONGEST_HOLD_S = 300.0
SOON_S = 60.0
"""A refusal within this time of being believed shows that it was chance."""


class Refusal:
    """The refusal of one DER, `active` or not. Times are monotonic."""

    def __init__(self, nameplate_w: float) -> None:
        self.active = False
        self._by_w = STEP * nameplate_w
        self._held: Band | None = None
        self._hold_s = 0.0
        self._since_s: float | None = None
        self._believed_s = float("-inf")

    def refused(self, now_s: float, held: Band | None) -> bool:
        """A limit is not in the DER, which was seen to hold `held`, or not seen at all; whether that is news."""
        self._held, self._since_s = held, None
        if self.active:
            return False
        again = now_s - self._believed_s < SOON_S
        self._hold_s = min(LONGEST_HOLD_S, 2 * self._hold_s) if again else FIRST_HOLD_S
        self.active = True
        return True

    def taken(self, now_s: float, band: Band) -> bool:
        """A limit was verified; whether that ends the refusal."""
        if not self.active:
            return False
        if self._since_s is None:
            self._since_s = now_s
        moved = self._held is None or band.differs(self._held, self._by_w)
        if not moved and now_s - self._since_s < self._hold_s:
            return False
        self.active, self._believed_s = False, now_s
        return True
