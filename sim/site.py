"""The premises: what flows at the PCC and at which voltage, from load, inverters and grid. No clock."""

from __future__ import annotations

from typing import NamedTuple

from sim.draws import Normals, Stream
from sim.files.grid import Grid
from sim.files.load import Load
from sim.glide import Glide
from sim.load import NOISE_PERIOD_S, HostLoad
from sim.network import NOTHING, Flow, Network, Phasors, Trio


class PccState(NamedTuple):
    """The truth at the PCC: powers out to the grid in W and var, voltages in units of nominal, currents in A.

    By phase; 0 where a phase is not connected.

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
    single: Phasors = NOTHING


class Site:
    """Host load, grid and the PCC between them.

    `source_pu` and `hz` are the source's and can be told to move. The frequency's noise is drawn ten times a second.
    """

    def __init__(self, grid: Grid, load: Load, dt_s: float, seed: int | None = None) -> None:
        seed = load.seed if seed is None else seed
        self._grid = grid
        self._connected = len(grid.phases)
        equal = (1 / 3, 1 / 3, 1 / 3) if self._connected == 3 else (1.0, 0.0, 0.0)
        self.load = HostLoad(load, equal, dt_s, seed)
        self.source_pu = tuple(Glide(grid.voltage_pu if phase in grid.phases else 0.0) for phase in "abc")
        self.hz = Glide(grid.hz)
        self.host_load_w = load.base_w
        self._network = Network(grid)
        self._noise_every = max(1, round(NOISE_PERIOD_S / dt_s)) if grid.hz_noise else 0
        self._normals = Normals(seed, Stream.FREQUENCY, 1)
        self._hz_noise = 0.0
        self._steps = 0
        self._solved = Generation(0j)
        self.state = self.solve(self._solved)

    @property
    def load_w(self) -> float:
        """What the host load draws by itself, without noise."""
        return self.load.load_w

    def sources(self, phase: str | None) -> tuple[Glide, ...]:
        """The source's voltage on one phase, or on every one that is connected."""
        if phase is None:
            return self.source_pu[: self._connected]
        return (self.source_pu["abc".index(phase)],)

    def step(self, generation: Generation) -> PccState:
        """Advance by one time step with what the inverters now give; the new state of the PCC.

        Raises:
            CollapseError: The grid cannot take it.
        """
        changed = self.load.step() or generation != self._solved
        for phase in self.source_pu:
            if phase.left:
                phase.step()
                changed = True
        hz = self._frequency()
        self._steps += 1
        if changed:
            return self.solve(generation, hz)
        if hz != self.state.hz:
            self.state = self.state._replace(hz=hz)
        return self.state

    def solve(self, generation: Generation, hz: float | None = None) -> PccState:
        """The state of the PCC for `generation` and the load and grid of now.

        Raises:
            CollapseError: The grid cannot take it.
        """
        a, b, c = self.source_pu
        flow = self._network.solve((a.value, b.value, c.value), *generation, self.load.phases)
        self._solved = generation
        a_drawn, b_drawn, c_drawn = flow.drawn
        self.host_load_w = a_drawn.real + b_drawn.real + c_drawn.real
        self.state = self._state(flow, self.hz.value if hz is None else hz)
        return self.state

    def _frequency(self) -> float:
        self.hz.step()
        if self._noise_every and self._steps % self._noise_every == 0:
            self._hz_noise = self._grid.hz_noise * self._normals.draw()[0]
        return self.hz.value + self._hz_noise

    def _state(self, flow: Flow, hz: float) -> PccState:
        (va, vb, vc), (sa, sb, sc) = flow.volts, flow.export
        nominal_v = self._grid.phase_v
        return PccState(
            export_w=sa.real + sb.real + sc.real,
            export_var=sa.imag + sb.imag + sc.imag,
            phase_w=(sa.real, sb.real, sc.real),
            v_pu=(va + vb + vc) / self._connected,
            hz=hz,
            phase_var=(sa.imag, sb.imag, sc.imag),
            phase_v_pu=(va, vb, vc),
            phase_a=(_amps(sa, va * nominal_v), _amps(sb, vb * nominal_v), _amps(sc, vc * nominal_v)),
        )


def _amps(power: complex, volts: float) -> float:
    return abs(power) / volts if volts else 0.0
