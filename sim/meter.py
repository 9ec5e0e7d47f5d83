"""The PCC meter: what its registers show, and when. Explicit step, no clock."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass

from sim.files.meter import MeterFile
from sim.site import PccState


@dataclass(frozen=True, slots=True)
class MeterReading:
    """One sample as the registers show it: the state, energies in Wh, and when it was taken."""

    sampled_s: float
    state: PccState
    exported_wh: float
    imported_wh: float


class Meter:
    """Samples once a period, averages over its window, and shows the result after its latency."""

    def __init__(self, meter: MeterFile, dt_s: float, first: PccState) -> None:
        self._dt_s = dt_s
        self._period = max(1, round(meter.period_s / dt_s))
        self._latency = round(meter.latency_s / dt_s)
        self._window: deque[PccState] = deque(maxlen=max(1, round(meter.average_s / dt_s)))
        self._coming: deque[tuple[int, MeterReading]] = deque()
        self._steps = 0
        self._exported_wh = 0.0
        self._imported_wh = 0.0
        self.shown = MeterReading(0.0, first, 0.0, 0.0)
        self.sampled = False
        self.published = False

    def step(self, state: PccState) -> None:
        """Advance by one time step, at whose end the PCC stands at `state`.

        `sampled` says that a sample was taken in this step, `published` that the registers changed.
        """
        self._steps += 1
        energy_wh = state.export_w * self._dt_s / 3600.0
        self._exported_wh += max(0.0, energy_wh)
        self._imported_wh += max(0.0, -energy_wh)
        self._window.append(state)
        self.sampled = self._steps % self._period == 0
        if self.sampled:
            reading = MeterReading(
                self._steps * self._dt_s, self._mean(), self._exported_wh, self._imported_wh
            )
            self._coming.append((self._steps + self._latency, reading))
        self.published = bool(self._coming) and self._coming[0][0] <= self._steps
        if self.published:
            self.shown = self._coming.popleft()[1]

    def _mean(self) -> PccState:
        if len(self._window) == 1:
            return self._window[0]
        count = len(self._window)

        def mean(values: list[float]) -> float:
            return sum(values) / count

        states = self._window
        phases = [mean([state.phase_w[phase] for state in states]) for phase in range(3)]
        return PccState(
            export_w=mean([state.export_w for state in states]),
            export_var=mean([state.export_var for state in states]),
            phase_w=(phases[0], phases[1], phases[2]),
            v_pu=mean([state.v_pu for state in states]),
            hz=mean([state.hz for state in states]),
        )
