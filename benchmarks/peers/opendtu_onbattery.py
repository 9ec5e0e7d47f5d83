"""OpenDTU-OnBattery, the dynamic power limiter for one inverter fed by solar modules.

From hoylabs/OpenDTU-OnBattery: `src/PowerLimiter.cpp` (wait for the acknowledgement, for inverter data after it, and
for a meter reading 2 s after that; the balance), `src/PowerLimiterSolarInverter.cpp` and
`src/PowerLimiterOverscalingInverter.cpp` (down from the output, up from the limit, and up only where at least 97 %
of the limit is made), `include/defaults.h` (poll each 5 s, hysteresis 0, at least 10 W).
"""

from __future__ import annotations

from dataclasses import dataclass

from benchmarks.peers.law import Law, Seen, Task, Telemetry

_USED = 0.97
"""Of its limit: an inverter that makes less is short of sun."""
_SAME_PU = 0.001
"""Of nameplate: limits closer than this are one on the wire, and are not written twice."""


@dataclass(frozen=True, slots=True)
class OpenDtuOnBattery:
    """Its parameters. `margin_pu` of nameplate is taken from the limit it is given."""

    telemetry_s: float = 5.0
    wait_s: float = 2.0
    hysteresis_w: float = 0.0
    lower_w: float = 10.0
    margin_pu: float = 0.0

    def law(self, task: Task) -> Law:
        """The law at these parameters; what it commands are whole watts."""
        telemetry = Telemetry(self.telemetry_s)
        target_w = task.limit_w - self.margin_pu * task.nameplate_w
        commanded_w, commanded_s = task.nameplate_w, float("-inf")
        acknowledged_s = float("-inf")
        data_s: float | None = None

        def act(seen: Seen) -> float | None:
            nonlocal commanded_w, commanded_s, acknowledged_s, data_s
            output_w, output_s = telemetry.read(seen)
            if acknowledged_s < commanded_s:
                same = abs(seen.limit_w - commanded_w) < _SAME_PU * task.nameplate_w
                if seen.limit_s < commanded_s and not same:
                    return None
                acknowledged_s = seen.now_s
            if data_s is None and output_s > acknowledged_s:
                data_s = output_s
            if data_s is None or seen.export_s <= data_s + self.wait_s:
                return None
            next_w = self.next_w(seen.limit_w, output_w, seen.export_w - target_w, task.nameplate_w)
            if next_w is None:
                return None
            commanded_w, commanded_s, data_s = next_w, seen.now_s, None
            return next_w

        return act

    def next_w(self, held_w: float, output_w: float, excess_w: float, upper_w: float) -> float | None:
        """The next limit, from the one held, the output and the export above target; None to leave it."""
        wanted_w = max(0.0, output_w - excess_w)
        change_w = wanted_w - output_w
        if wanted_w > 0.0 and abs(change_w) < self.hysteresis_w:
            return None
        if change_w < 0:
            if min(held_w, output_w) <= self.lower_w:
                return None
            return float(int(max(wanted_w, self.lower_w)))
        rise_w = min(change_w, upper_w - output_w)
        if output_w < _USED * held_w or rise_w <= 0.0:
            return None
        return float(int(min(held_w + rise_w, upper_w)))


SPACE = {
    "telemetry_s": (1.0, 2.0, 5.0),
    "wait_s": (0.0, 0.5, 1.0, 2.0, 4.0),
    "hysteresis_w": (0.0, 15.0, 30.0, 60.0),
    "margin_pu": (0.0, 0.0025, 0.005, 0.01, 0.02, 0.03, 0.05),
}
