"""open-dynamic-export: averages of site and inverters, and a set-point that moves by at most a tenth of nameplate.

From longzheng/open-dynamic-export: `docs/configuration/inverter-control.md` (window of 5 s), the configuration schema
(a command each second) and `src/coordinator/helpers/inverterController.ts` (time-weighted means, 10 % a command).
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass

from benchmarks.peers.law import Every, Law, Seen, Task


@dataclass(frozen=True, slots=True)
class OpenDynamicExport:
    """Its parameters. `max_change_pu` and `margin_pu` are of nameplate; the margin is taken from the limit."""

    sample_s: float = 5.0
    control_s: float = 1.0
    max_change_pu: float = 0.1
    margin_pu: float = 0.0

    def law(self, task: Task) -> Law:
        """The law at these parameters."""
        every = Every(self.control_s)
        site, solar = Window(self.sample_s), Window(self.sample_s)
        target_w = task.limit_w - self.margin_pu * task.nameplate_w
        last_pu: float | None = None

        def act(seen: Seen) -> float | None:
            nonlocal last_pu
            site.add(seen.export_s, seen.export_w)
            solar.add(seen.output_s, seen.output_w)
            if not every.due(seen.now_s):
                return None
            wanted_w = solar.mean(seen.now_s) - site.mean(seen.now_s) + target_w
            wanted_pu = round(min(max(wanted_w / task.nameplate_w, 0.0), 1.0), 4)
            last_pu = self.capped_pu(last_pu, wanted_pu)
            return last_pu * task.nameplate_w

        return act

    def capped_pu(self, last_pu: float | None, wanted_pu: float) -> float:
        """The next set-point over nameplate; the first goes the whole way."""
        if last_pu is None:
            return wanted_pu
        return min(max(wanted_pu, last_pu - self.max_change_pu), last_pu + self.max_change_pu)


class Window:
    """Samples of the last seconds, the newest always among them; each holds until the next."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._samples: deque[tuple[float, float]] = deque()

    def add(self, at_s: float, value: float) -> None:
        """Take a sample; one of a time already taken is the same again."""
        if not self._samples or at_s > self._samples[-1][0]:
            self._samples.append((at_s, value))

    def mean(self, now_s: float) -> float:
        """Mean over time of the samples no older than the window."""
        while len(self._samples) > 1 and now_s - self._samples[0][0] > self._seconds:
            self._samples.popleft()
        ends_s = [*[at_s for at_s, _ in self._samples][1:], now_s]
        held = [(value, end_s - at_s) for (at_s, value), end_s in zip(self._samples, ends_s, strict=True)]
        total_s = sum(span_s for _, span_s in held)
        if total_s <= 0.0:
            return self._samples[-1][1]
        return sum(value * span_s for value, span_s in held) / total_s


SPACE = {
    "sample_s": (0.0, 1.0, 2.0, 3.0, 5.0, 8.0),
    "control_s": (0.2, 0.5, 1.0, 2.0, 3.0, 5.0, 8.0),
    "max_change_pu": (0.02, 0.05, 0.1, 0.2, 0.5, 1.0),
    "margin_pu": (0.0, 0.0025, 0.005, 0.01, 0.02, 0.03, 0.05),
}
