"""OpenEMS Zero Injection (a Home Assistant integration for Hoymiles DTUs): feed-forward when far off, else small steps.

From loisonjf-tech/openems-zero-injection: README (250 W, 2 %, tick of 3 s, DTU power each 10 s, 2 to 100 %), its
`docs/Architecture-Specification.md` (the sums), `docs/controller.md` and `const.py` (12 s of waiting after a command,
dead band of 30 W, 3 kW of nameplate). What the specification only prepares (median, confirmation, guard against
reversals) would slow it down and is left out.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from benchmarks.peers.law import Every, Law, Seen, Task, Telemetry

_LEAST_PCT, _MOST_PCT = 2, 100


@dataclass(frozen=True, slots=True)
class ZeroInjection:
    """Its parameters. `margin_pu` of nameplate is taken from the limit.

    Its own target, 40 W of export where none is permitted, is not used: it is given the limit of the site.
    """

    tick_s: float = 3.0
    telemetry_s: float = 10.0
    threshold_w: float = 250.0
    fine_pct: int = 2
    deadband_w: float = 30.0
    settle_s: float = 12.0
    margin_pu: float = 0.0

    def law(self, task: Task) -> Law:
        """The law at these parameters; what it commands are whole percent of nameplate."""
        every, telemetry = Every(self.tick_s), Telemetry(self.telemetry_s)
        target_w = task.limit_w - self.margin_pu * task.nameplate_w
        free_s = float("-inf")

        def act(seen: Seen) -> float | None:
            nonlocal free_s
            output_w, _ = telemetry.read(seen)
            if not every.due(seen.now_s) or seen.now_s < free_s:
                return None
            held_pct = away_from_zero(100.0 * seen.limit_w / task.nameplate_w)
            next_pct = self.next_pct(held_pct, seen.export_w - target_w, output_w, task.nameplate_w)
            if next_pct == held_pct:
                return None
            free_s = seen.now_s + self.settle_s
            return task.nameplate_w * next_pct / 100.0

        return act

    def next_pct(self, held_pct: int, excess_w: float, output_w: float, nameplate_w: float) -> int:
        """The next limit in whole percent, from the one held, the export above target and the output."""
        if abs(excess_w) <= self.deadband_w:
            return held_pct
        if abs(excess_w) >= self.threshold_w:
            wanted_pct = away_from_zero(100.0 * (output_w - excess_w) / nameplate_w)
        else:
            step_pct = away_from_zero(-100.0 * excess_w / nameplate_w)
            wanted_pct = held_pct + min(max(step_pct, -self.fine_pct), self.fine_pct)
        return min(max(wanted_pct, _LEAST_PCT), _MOST_PCT)


def away_from_zero(value: float) -> int:
    """The nearest whole number; a half goes away from zero."""
    return math.floor(value + 0.5) if value >= 0 else math.ceil(value - 0.5)


SPACE = {
    "tick_s": (0.2, 0.5, 1.0, 3.0),
    "telemetry_s": (1.0, 2.0, 5.0, 10.0),
    "threshold_w": (60.0, 120.0, 250.0, 500.0),
    "fine_pct": (1, 2, 5, 10),
    "deadband_w": (0.0, 15.0, 30.0),
    "settle_s": (0.0, 1.0, 2.0, 4.0, 6.0, 8.0, 12.0),
    "margin_pu": (0.0, 0.005, 0.01, 0.02, 0.03, 0.05),
}
