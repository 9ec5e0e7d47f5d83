"""The premises: what flows at the PCC and at which voltage, from load, inverters and grid. No clock."""

from __future__ import annotations

from typing import NamedTuple

from sim.draws import Normals, Stream
from sim.files.grid import Grid
from sim.files.load import Load
from sim.glide import Glide
from sim.load import NOISE_PERIOD_S, HostLoad
from sim.network import Flow, Network

Trio = tuple[float, float, float]
"""By phase; 0 where a phase is not connected."""


class PccState(NamedTuple):
    """The truth at the PCC: powers out to the grid in W and var, voltages in units of nominal, currents in A.

    `v_pu` is the mean of the connected phases; `phase_v_pu` is to neutral.
    """

    export_w: float
    export_var: float
    phase_w: Trio
    v_pu: float
    hz: float
    phase_var: Trio = (0.0, 0.0, 0.0)
    phase_v_pu: Trio = (1.0, 1.0, 1.0)
    phase_a: Trio = (0.0, 0.0, 0.0)


class Generation(NamedTuple):
    """What the inverters feed in, in W + j var: three-phase ones together, the others by phase."""

    three: complex
    single: list[complex]


class Site:
    """Host load, grid and the PCC between them.

    `source_pu` and `hz` are the source's and can be told to move. The frequency's noise is drawn ten times a second.
    """

    def __init__(self, grid: Grid, load: Load, dt_s: float, seed: int | None = None) -> None:
        seed = load.seed if seed is None else seed
        self._grid = grid
        self._count = len(grid.phases)
        equal = (1 / 3, 1 / 3, 1 / 3) if grid.phases == "abc" else (1.0, 0.0, 0.0)
        self.load = HostLoad(load, equal, dt_s, seed)
        self.source_pu = [Glide(grid.voltage_pu) for _ in grid.phases]
        self.hz = Glide(grid.hz)
        self.host_load_w = load.base_w
        self._network = Network(grid)
        self._noise_every = max(1, round(NOISE_PERIOD_S / dt_s)) if grid.hz_noise else 0
        self._normals = Normals(seed, Stream.FREQUENCY, 1)
        self._hz_noise = 0.0
        self._steps = 0
        self._solved: Generation | None = None
        self.state = self.solve(Generation(0j, [0j] * self._count))

    @property
    def load_w(self) -> float:
        """What the host load draws by itself, without noise."""
        return self.load.load_w

    def sources(self, phase: str | None) -> list[Glide]:
        """The source's voltage on one phase, or on every one that is connected."""
        return self.source_pu if phase is None else [self.source_pu[self._grid.phases.index(phase)]]

    def step(self, generation: Generation) -> PccState:
        """Advance by one time step with what the inverters now give; the new state of the PCC.

        Raises:
            CollapseError: The grid cannot take it.
        """
        moved = [self.load.step(), *(phase.step() for phase in self.source_pu)]
        hz = self._frequency()
        self._steps += 1
        if any(moved) or generation != self._solved:
            return self.solve(generation, hz)
        if hz != self.state.hz:
            self.state = self.state._replace(hz=hz)
        return self.state

    def solve(self, generation: Generation, hz: float | None = None) -> PccState:
        """The state of the PCC for `generation` and the load and grid of now.

        Raises:
            CollapseError: The grid cannot take it.
        """
        sources = [phase.value for phase in self.source_pu]
        drawn = list(self.load.phases[: self._count])
        flow = self._network.solve(sources, generation.three, generation.single, drawn)
        self._solved = generation
        self.host_load_w = sum(power.real for power in flow.drawn)
        self.state = self._state(flow, self.hz.value if hz is None else hz)
        return self.state

    def _frequency(self) -> float:
        self.hz.step()
        if self._noise_every and self._steps % self._noise_every == 0:
            self._hz_noise = self._grid.hz_noise * self._normals.draw()[0]
        return self.hz.value + self._hz_noise

    def _state(self, flow: Flow, hz: float) -> PccState:
        powers = [fed - drawn for fed, drawn in zip(flow.fed, flow.drawn, strict=True)]
        sizes = [abs(volt) for volt in flow.volts]
        nominal_v = self._grid.phase_v
        amps = [
            abs(power) / (size * nominal_v) if size else 0.0
            for power, size in zip(powers, sizes, strict=True)
        ]
        return PccState(
            export_w=sum(power.real for power in powers),
            export_var=sum(power.imag for power in powers),
            phase_w=_trio([power.real for power in powers]),
            v_pu=sum(sizes) / self._count,
            hz=hz,
            phase_var=_trio([power.imag for power in powers]),
            phase_v_pu=_trio(sizes),
            phase_a=_trio(amps),
        )


def _trio(values: list[float]) -> Trio:
    return (values[0], values[1], values[2]) if len(values) == 3 else (values[0], 0.0, 0.0)
