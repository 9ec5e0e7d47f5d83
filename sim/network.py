"""The circuit between the ideal source and the PCC: its voltages for what is fed in and drawn, by phase."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import sqrt

from sim.files.grid import Grid

TOLERANCE_PU = 1e-10
"""The solve ends when no voltage moves by more than this."""

WEAK_PU = 0.5
"""Below this voltage, loads are impedances and inverters give current: no constant power flows at no voltage."""

DEAD_PU = 0.01
"""A source phase below this is an open conductor: nothing flows in it."""

_MOST = 200
Phasors = list[complex]
"""One for each connected phase."""

_TURN = complex(-0.5, sqrt(0.75))
"""120 degrees forward."""

_ANGLES = (1 + 0j, _TURN.conjugate(), _TURN)


class CollapseError(RuntimeError):
    """The circuit cannot carry what is asked of it: no voltage at the PCC satisfies it."""


@dataclass(frozen=True, slots=True)
class Flow:
    """The solved circuit by phase: voltages at the PCC in units of nominal; what flows in W + j var."""

    volts: Phasors
    fed: Phasors
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
        self._angles = _ANGLES[: len(grid.phases)]
        self._volts: Phasors = list(self._angles)

    def solve(self, source_pu: Sequence[float], three: complex, single: Phasors, load: Phasors) -> Flow:
        """The circuit for a source of `source_pu` by phase.

        `three` is what three-phase inverters feed in together, `single` what others feed into each phase,
        `load` what is drawn from each, all in W + j var.

        Raises:
            CollapseError: No voltage satisfies it.
        """
        source = [
            size * angle if size >= DEAD_PU else 0j
            for size, angle in zip(source_pu, self._angles, strict=True)
        ]
        volts = [before if now and before else now for before, now in zip(self._volts, source, strict=True)]
        z, zn = self._z, self._zn
        for _ in range(_MOST):
            fed, drawn = _powers(volts, three, single, load)
            amps = [
                ((give - take) / volt).conjugate() if volt else 0j
                for give, take, volt in zip(fed, drawn, volts, strict=True)
            ]
            common = zn * sum(amps)
            after = [
                before and emf + z * amp + common
                for before, emf, amp in zip(volts, source, amps, strict=True)
            ]
            moved = max(abs(new - old) for new, old in zip(after, volts, strict=True))
            volts = after
            if moved < TOLERANCE_PU:
                self._volts = volts
                return Flow(volts, fed, drawn)
        raise CollapseError(_collapse(three + sum(single) - sum(load), z))


def _powers(volts: Phasors, three: complex, single: Phasors, load: Phasors) -> tuple[Phasors, Phasors]:
    """What is fed into each phase and drawn from it at these voltages."""
    sizes = [abs(volt) for volt in volts]
    total = sum(sizes) or 1.0
    fed = [three * (size / total) + own for size, own in zip(sizes, single, strict=True)]
    if min(sizes) >= WEAK_PU:
        return fed, load
    held = [min(1.0, size / WEAK_PU) for size in sizes]
    return (
        [power * part for power, part in zip(fed, held, strict=True)],
        [power * part**2 for power, part in zip(load, held, strict=True)],
    )


def _collapse(power: complex, z: complex) -> str:
    return (
        f"no voltage at the PCC lets {power.real:.0f} W and {power.imag:.0f} var out: they would move it by "
        f"{100 * abs(power * z) / 3:.0f} %"
    )
