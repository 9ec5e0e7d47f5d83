"""Reversion timers as firmware keeps them: a write starts a unit's anew, and it runs out when no other comes."""

from __future__ import annotations

from math import ceil, isinf

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]

_EPS = 1e-9


class ReversionTimers:
    """Those of many units; `left_s` is infinite where none runs."""

    def __init__(self, count: int) -> None:
        self.left_s: Floats = np.full(count, np.inf)
        self._running = False

    def start(self, unit: int, after_s: float) -> None:
        """Start a unit's timer anew; 0 s stops it."""
        self.left_s[unit] = after_s if after_s > 0 else np.inf
        # Quicker than any() for the few units of a site.
        self._running = after_s > 0 or 1 in np.isfinite(self.left_s).tobytes()

    def expired(self, dt_s: float) -> Flags | None:
        """Let `dt_s` pass: whose timer ran out meanwhile, and runs no more; None where nobody's did."""
        if not self._running:
            return None
        self.left_s = self.left_s - dt_s
        out = self.left_s <= _EPS
        if not out.any():
            return None
        self.left_s = np.where(out, np.inf, self.left_s)
        self._running = bool(np.isfinite(self.left_s).any())
        return out

    def remaining_s(self, unit: int) -> int:
        """Whole seconds until `unit` reverts, rounded up; 0 when no timer runs."""
        left_s = float(self.left_s[unit])
        return 0 if isinf(left_s) else ceil(left_s - _EPS)
