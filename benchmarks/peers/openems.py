"""OpenEMS, the controller that limits what PV inverters sell to the grid.

From OpenEMS/openems, `io.openems.edge.controller.pvinverter.selltogridlimit`: ControllerPvInverterSellToGridLimitImpl
and its test give the law, the rate of 0.2 and the 100 W; a cycle of the edge lasts 1 s.
"""

from __future__ import annotations

from dataclasses import dataclass

from benchmarks.peers.law import Every, Law, Seen, Task


@dataclass(frozen=True, slots=True)
class OpenEms:
    """Its parameters. `margin_pu` of nameplate is taken from the limit it is given; it has none by default."""

    cycle_s: float = 1.0
    rate: float = 0.2
    free_w: float = 100.0
    margin_pu: float = 0.0

    def law(self, task: Task) -> Law:
        """The law at these parameters."""
        every = Every(self.cycle_s)
        target_w = task.limit_w - self.margin_pu * task.nameplate_w
        last_w = 0.0

        def act(seen: Seen) -> float | None:
            nonlocal last_w
            if not every.due(seen.now_s):
                return None
            last_w = self.limited_w(last_w, seen.output_w - seen.export_w + target_w)
            return last_w

        return act

    def limited_w(self, last_w: float, wanted_w: float) -> float:
        """The next set-point: what the balance asks for, no further from the last one than the rate allows.

        The first set-point, and any from or to 100 W and less, goes the whole way.
        """
        wanted_w = max(0.0, wanted_w)
        step_w = self.rate * last_w
        if last_w <= self.free_w or wanted_w <= self.free_w:
            return wanted_w
        return min(max(wanted_w, last_w - step_w), last_w + step_w)


SPACE = {
    "cycle_s": (0.2, 0.5, 1.0, 2.0, 3.0, 5.0, 8.0),
    "rate": (0.05, 0.1, 0.2, 0.3, 0.5, 1.0),
    "margin_pu": (0.0, 0.0025, 0.005, 0.01, 0.02, 0.03, 0.05),
}
