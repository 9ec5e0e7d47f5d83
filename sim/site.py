"""The premises: host load with noise, and the PCC behind a source impedance. Explicit step, no clock."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from sim.files.grid import Grid, Load

NOISE_PERIOD_S = 0.1
_DRAWS = 1024


@dataclass(frozen=True, slots=True)
class PccState:
    """The truth at the PCC: export positive, in W and var; phases in W; voltage in units of nominal."""

    export_w: float
    export_var: float
    phase_w: tuple[float, float, float]
    v_pu: float
    hz: float


class Site:
    """Host load, grid and the PCC between them. The load is balanced but for its noise, drawn by phase."""

    def __init__(self, grid: Grid, load: Load, dt_s: float) -> None:
        self.grid = grid
        self.load_w = load.base_w
        self.host_load_w = load.base_w
        self._phase_sigma_w = load.noise_w / 3**0.5
        self._noise_every = max(1, round(NOISE_PERIOD_S / dt_s))
        self._random = np.random.default_rng(load.seed)
        self._noise: list[list[float]] = []
        self._phase_noise_w: Sequence[float] = (0.0, 0.0, 0.0)
        self._steps = 0
        self.state = PccState(-load.base_w, 0.0, (-load.base_w / 3,) * 3, grid.voltage_pu, grid.hz)

    def step(self, generation_w: float, generation_var: float) -> PccState:
        """Advance by one time step with what the inverters now give; the new state of the PCC."""
        hz = self._draw() if self._steps % self._noise_every == 0 else self.state.hz
        self._steps += 1
        phase_load_w = [self.load_w / 3 + noise for noise in self._phase_noise_w]
        self.host_load_w = max(0.0, sum(phase_load_w))
        export_w = generation_w - self.host_load_w
        phases = [generation_w / 3 - load_w for load_w in phase_load_w]
        v_pu = self._voltage_pu(export_w, generation_var)
        self.state = PccState(export_w, generation_var, (phases[0], phases[1], phases[2]), v_pu, hz)
        return self.state

    def _draw(self) -> float:
        if not self._noise:
            self._noise = self._random.standard_normal((_DRAWS, 4)).tolist()
        *phases, hz = self._noise.pop()
        self._phase_noise_w = [self._phase_sigma_w * noise for noise in phases]
        return self.grid.hz + self.grid.hz_noise * hz

    def _voltage_pu(self, export_w: float, export_var: float) -> float:
        """Voltage rise over the source impedance, in its usual first-order form (R P + X Q) / V²."""
        grid = self.grid
        drop_w = grid.resistance_ohm * export_w + grid.reactance_ohm * export_var
        return grid.voltage_pu + drop_w / grid.nominal_v**2
