"""The band that one DER is held in: the most it may generate, and the negative of the most it may absorb."""

from __future__ import annotations

import math
from typing import NamedTuple

from edge.model.site.der import Der

STEP = 0.001
"""Of nameplate: what is written is rounded to this, so that a noisy target does not hammer the device."""
_EPS = 1e-9


class Band(NamedTuple):
    """In W; `floor_w` is 0 or below, and never above `limit_w`."""

    limit_w: float
    floor_w: float = 0.0

    @staticmethod
    def whole(der: Der) -> Band:
        """What a DER does that nothing limits."""
        return Band(der.nameplate_w, -der.most_charge_w)

    @staticmethod
    def commanded(limit_w: float, floor_w: float, der: Der) -> Band:
        """A command within what the DER can do, each end rounded to less; where they cross, to less absorbed."""
        step_w = STEP * der.nameplate_w
        floor_w = min(0.0, math.ceil(max(floor_w, -der.most_charge_w) / step_w - _EPS) * step_w)
        limit_w = math.floor(limit_w / step_w + _EPS) * step_w
        return Band(min(der.nameplate_w, max(limit_w, floor_w)), floor_w)

    def within(self, held: Band | None) -> Band:
        """Neither end looser than what a device holds; where the two have nothing in common, this floor stands."""
        if held is None:
            return self
        floor_w = max(self.floor_w, min(held.floor_w, 0.0))
        return Band(max(min(self.limit_w, held.limit_w), floor_w), floor_w)

    def tightens(self, other: Band | None) -> bool:
        """Whether either end is tighter than that of `other`."""
        return other is not None and (self.limit_w < other.limit_w or self.floor_w > other.floor_w)

    def differs(self, other: Band, by_w: float) -> bool:
        """Whether either end is off by more than `by_w`."""
        return abs(self.limit_w - other.limit_w) > by_w or abs(self.floor_w - other.floor_w) > by_w
