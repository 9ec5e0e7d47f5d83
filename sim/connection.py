"""How the inverters are connected: what they feed into which phase, and the voltage that each of them sees."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from sim.files.inverter import InverterFile
from sim.site import Generation, PccState

Floats = npt.NDArray[np.float64]
Volts = float | Floats

_PLACES = ("abc", "a", "b", "c")


class Connection:
    """Three-phase inverters feed all phases and see their mean, least and greatest; the others see their own.

    On a single-phase site every inverter is on its only phase.
    """

    def __init__(self, units: Sequence[InverterFile], grid_phases: str) -> None:
        self._three = grid_phases == "abc"
        at = [_PLACES.index(unit.phases) if self._three else 1 for unit in units]
        self._alike = len(set(at)) == 1
        self._at = np.array(at)
        nameplate_w = np.array([unit.nameplate_w for unit in units])
        self._places = [(place, np.where(self._at == place, nameplate_w, 0.0)) for place in sorted(set(at))]

    def generation(self, p_pu: Floats, q_pu: Floats) -> Generation:
        """What outputs in units of nameplate are together, by place."""
        powers = [0j, 0j, 0j, 0j]
        for place, nameplate_w in self._places:
            powers[place] = complex(nameplate_w.dot(p_pu), nameplate_w.dot(q_pu))
        return Generation(powers[0], (powers[1], powers[2], powers[3]))

    def seen(self, state: PccState) -> tuple[Volts, Volts, Volts]:
        """Voltage to regulate by, least and greatest voltage, for all units together or for each."""
        phases = state.phase_v_pu
        if self._alike:
            place = int(self._at[0])
            own = phases[place - 1]
            return (own, own, own) if place else (state.v_pu, min(phases), max(phases))
        mean, low, high = (
            np.array((of_all, *phases))[self._at] for of_all in (state.v_pu, min(phases), max(phases))
        )
        return mean, low, high
