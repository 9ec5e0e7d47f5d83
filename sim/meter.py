"""The PCC meter: what its registers show, and when. Explicit step, no clock."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from math import floor, sqrt

import numpy as np
import numpy.typing as npt

from sim.ct import Channels
from sim.draws import Normals, Stream
from sim.energy import Energies
from sim.files.grid import Grid
from sim.files.meter import MeterFile
from sim.network import Trio
from sim.site import PccState

_EPS = 1e-9


@dataclass(frozen=True, slots=True)
class MeterReading:
    """One sample as the registers show it: the state, energies in Wh, and when it was taken.

    Energies by phase are what each phase counted; the totals follow the meter's netting.
    """

    sampled_s: float
    state: PccState
    exported_wh: float
    imported_wh: float
    phase_exported_wh: Trio
    phase_imported_wh: Trio


class Meter:
    """Samples once a period, averages over its window, and shows the result after its latency.

    Energies count what the channels measure in every step, before averaging, noise and rounding.
    """

    def __init__(
        self, meter: MeterFile, grid: Grid, dt_s: float, first: PccState, seed: int | None = None
    ) -> None:
        self._dt_s = dt_s
        self._channels = Channels(meter, len(grid.phases))
        self._energies = Energies(meter.netting, dt_s)
        self._display = _Display(meter, grid, meter.seed if seed is None else seed)
        self._period = max(1, round(meter.period_s / dt_s))
        self._latency = round(meter.latency_s / dt_s)
        window = round(meter.average_s / dt_s)
        self._window = _Window(window) if window > 1 else None
        self._coming: deque[tuple[int, MeterReading]] = deque()
        self._steps = 0
        self._state = first
        self._measured = self._channels.measured(first)
        self.shown = self._reading()
        self.sampled = False
        self.published = False

    def step(self, state: PccState) -> None:
        """Advance by one time step, at whose end the PCC stands at `state`.

        `sampled` says that a sample was taken in this step, `published` that the registers changed.
        """
        self._steps += 1
        if state is not self._state:
            self._state, self._measured = state, self._channels.measured(state)
        self._energies.add(self._measured)
        if self._window:
            self._window.add(self._measured)
        self.sampled = self._steps % self._period == 0
        if self.sampled:
            self._coming.append((self._steps + self._latency, self._reading()))
        self.published = bool(self._coming) and self._coming[0][0] <= self._steps
        if self.published:
            self.shown = self._coming.popleft()[1]

    def _reading(self) -> MeterReading:
        state = self._window.mean() if self._window and self._steps else self._measured
        show = self._display.energy_wh
        total_exported_wh, total_imported_wh = self._energies.total()
        exported, imported = self._energies.phases()
        return MeterReading(
            self._steps * self._dt_s,
            self._display.state(state),
            show(total_exported_wh),
            show(total_imported_wh),
            (show(exported[0]), show(exported[1]), show(exported[2])),
            (show(imported[0]), show(imported[1]), show(imported[2])),
        )


class _Window:
    """The last so many states, for their mean."""

    def __init__(self, size: int) -> None:
        self._rows: npt.NDArray[np.float64] = np.zeros((size, 16))
        self._added = 0

    def add(self, state: PccState) -> None:
        power_w, power_var, phase_w, v_pu, hz, phase_var, phase_v_pu, phase_a = state
        self._rows[self._added % len(self._rows)] = (
            *phase_w,
            *phase_var,
            *phase_v_pu,
            *phase_a,
            power_w,
            power_var,
            v_pu,
            hz,
        )
        self._added += 1

    def mean(self) -> PccState:
        mean: list[float] = self._rows[: self._added].mean(axis=0).tolist()
        w, var, v_pu, a = ((mean[at], mean[at + 1], mean[at + 2]) for at in (0, 3, 6, 9))
        return PccState(mean[12], mean[13], w, mean[14], mean[15], var, v_pu, a)


class _Display:
    """What the registers make of a measured state: the noise of the measurement and their resolution."""

    def __init__(self, meter: MeterFile, grid: Grid, seed: int) -> None:
        self._meter = meter
        self._count_v_pu = meter.count_v / grid.phase_v
        self._normals = Normals(seed, Stream.METER, 3)
        self._sigma_w = [
            meter.noise_w / sqrt(len(grid.phases)) if phase < len(grid.phases) else 0.0 for phase in range(3)
        ]

    def state(self, state: PccState) -> PccState:
        """The state as shown; the total has the noise of all phases and is rounded by itself."""
        meter, total_w, phase_w = self._meter, state.export_w, state.phase_w
        if meter.noise_w:
            noise = [
                sigma_w * normal for sigma_w, normal in zip(self._sigma_w, self._normals.draw(), strict=True)
            ]
            total_w += sum(noise)
            phase_w = (phase_w[0] + noise[0], phase_w[1] + noise[1], phase_w[2] + noise[2])
        return PccState(
            export_w=_counted(total_w, meter.count_w),
            export_var=_counted(state.export_var, meter.count_w),
            phase_w=_each(phase_w, meter.count_w),
            v_pu=_counted(state.v_pu, self._count_v_pu),
            hz=_counted(state.hz, meter.count_hz),
            phase_var=_each(state.phase_var, meter.count_w),
            phase_v_pu=_each(state.phase_v_pu, self._count_v_pu),
            phase_a=_each(state.phase_a, meter.count_a),
        )

    def energy_wh(self, energy_wh: float) -> float:
        """A counter as shown: whole counts that are full."""
        count_wh = self._meter.count_wh
        return floor(energy_wh / count_wh + _EPS) * count_wh if count_wh else energy_wh


def _counted(value: float, count: float) -> float:
    return round(value / count) * count if count else value


def _each(values: Trio, count: float) -> Trio:
    return (_counted(values[0], count), _counted(values[1], count), _counted(values[2], count))
