"""The circuit between the ideal source and the PCC: its voltages for what is fed in and drawn, by phase."""

from __future__ import annotations

from math import sqrt
from typing import NamedTuple

from sim.files.grid import Grid

TOLERANCE_PU = 1e-10
"""The solve ends when no voltage moves by more than this."""

WEAK_PU = 0.5
"""Below this voltage, loads are impedances and inverters give current: no constant power flows at no voltage."""

DEAD_PU = 0.01
"""A source phase below this is an open conductor: nothing flows in it."""

_MOST = 200
Trio = tuple[float, float, float]
Phasors = tuple[complex, complex, complex]
"""Of phase a, b and c."""

NOTHING: Phasors = (0j, 0j, 0j)

_TURN = complex(-0.5, sqrt(0.75))
"""120 degrees forward."""

_ANGLES = (1 + 0j, _TURN.conjugate(), _TURN)


class CollapseError(RuntimeError):
    """The circuit cannot carry what is asked of it: no voltage at the PCC satisfies it."""


class Flow(NamedTuple):
    """The solved circuit by phase: voltages at the PCC in units of nominal; what flows in W + j var."""

    volts: Trio
    export: Phasors
    drawn: Phasors


class Network:
    """Phases that share nothing but the neutral: V = E + Z I + Zn (Ia + Ib + Ic), I = (S / V)* out to the grid.

    Three-phase inverters feed equal currents into the phases that have voltage, each in phase with its voltage.
    Solved by fixed point from the solution before; where voltages move by a few percent, a few rounds do.
    """

    def __init__(self, grid: Grid) -> None:
        # In units of nominal voltage for each VA.
        self._z = grid.impedance_ohm / grid.phase_v**2
        self._zn = grid.neutral_ohm / grid.phase_v**2
        self._volts: Phasors = NOTHING

    def solve(self, source_pu: Trio, three: complex, single: Phasors, load: Phasors) -> Flow:
        """The circuit for a source of `source_pu` by phase, 0 where there is none.

        `three` is what three-phase inverters feed in together, `single` what others feed into each phase,
        `load` what is drawn from each, all in W + j var.

        Raises:
            CollapseError: No voltage satisfies it.
        """
        z, zn = self._z, self._zn
        (ea, va), (eb, vb), (ec, vc) = map(_start, source_pu, _ANGLES, self._volts)
        # Phases are spelled out: nothing in the plant runs more often than this.
        for _ in range(_MOST):
            la, lb, lc = abs(va), abs(vb), abs(vc)
            each = three / ((la + lb + lc) or 1.0)
            sa = _export(la, each * la + single[0], load[0])
            sb = _export(lb, each * lb + single[1], load[1])
            sc = _export(lc, each * lc + single[2], load[2])
            ia = (sa / va).conjugate() if la else 0j
            ib = (sb / vb).conjugate() if lb else 0j
            ic = (sc / vc).conjugate() if lc else 0j
            common = zn * (ia + ib + ic)
            na = ea + z * ia + common if la else 0j
            nb = eb + z * ib + common if lb else 0j
            nc = ec + z * ic + common if lc else 0j
            moved = abs(na - va) + abs(nb - vb) + abs(nc - vc)
            va, vb, vc = na, nb, nc
            if moved < TOLERANCE_PU:
                self._volts = va, vb, vc
                drawn = _drawn(la, load[0]), _drawn(lb, load[1]), _drawn(lc, load[2])
                return Flow((la, lb, lc), (sa, sb, sc), drawn)
        raise CollapseError(_collapse(three + sum(single) - sum(load), z))


def _start(source_pu: float, angle: complex, before: complex) -> tuple[complex, complex]:
    """A phase's source, and the voltage to start the solve from."""
    if source_pu < DEAD_PU:
        return 0j, 0j
    return source_pu * angle, before or source_pu * angle


def _export(size: float, fed: complex, drawn: complex) -> complex:
    """What leaves a phase of a voltage of this size."""
    if size >= WEAK_PU:
        return fed - drawn
    return fed * (size / WEAK_PU) - _drawn(size, drawn)


def _drawn(size: float, load: complex) -> complex:
    """What a load draws at a voltage of this size."""
    return load if size >= WEAK_PU else load * (size / WEAK_PU) ** 2


def _collapse(power: complex, z: complex) -> str:
    return (
        f"no voltage at the PCC lets {power.real:.0f} W and {power.imag:.0f} var out: "
        f"they alone would move it by {100 * abs(power * z) / 3:.0f} %"
    )
