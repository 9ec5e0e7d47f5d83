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
    """Three-phase inverters feed all phases and see their mean, least and greatest; the others see their own."""

    def __init__(self, units: Sequence[InverterFile], grid_phases: str) -> None:
        places = _PLACES if grid_phases == "abc" else _PLACES[1:2]
        self._three = grid_phases == "abc"
        # A unit of a single-phase site is on its only phase, whatever its table says.
        at = [places.index(unit.phases) if self._three else 0 for unit in units]
        self._at = np.array(at)
        self._same = self._three and not any(at)
        self._nameplate_w: Floats = np.zeros((len(places), len(units)))
        self._nameplate_w[at, range(len(units))] = [unit.nameplate_w for unit in units]

    def generation(self, p_pu: Floats, q_pu: Floats) -> Generation:
        """What outputs in units of nameplate are together, by place."""
        powers = [
            complex(power_w, power_var)
            for power_w, power_var in zip(
                (self._nameplate_w @ p_pu).tolist(), (self._nameplate_w @ q_pu).tolist(), strict=True
            )
        ]
        return Generation(powers[0], powers[1:]) if self._three else Generation(0j, powers)

    def seen(self, state: PccState) -> tuple[Volts, Volts, Volts]:
        """Voltage to regulate by, least and greatest voltage, for all units together or for each."""
        if not self._three:
            return state.v_pu, state.v_pu, state.v_pu
        phases = state.phase_v_pu
        if self._same:
            return state.v_pu, min(phases), max(phases)
        return tuple(
            np.array((of_all, *phases))[self._at] for of_all in (state.v_pu, min(phases), max(phases))
        )
