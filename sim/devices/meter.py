"""The PCC meter as SunSpec: models 201-204 and the same as floats in 211-214.

Everything it shows comes from its last published sample.
"""

from __future__ import annotations

from functools import partial
from math import hypot, sqrt

from sim.devices.codec import scale_for
from sim.devices.common import common
from sim.devices.sunspec import Live, Model, Value
from sim.plant import Plant

_PHASES = "ABC"
_SPLIT, _DELTA = 2, 4
_FIRST_FLOAT = 211
_SCALES: dict[str, Value] = {"A_SF": -1, "V_SF": -1, "Hz_SF": -2, "PF_SF": -1, "TotWh_SF": -1, "Evt": 0}


def meter_models(plant: Plant, model_id: int) -> list[Model]:
    """The chain of the meter; the sign of W is what the sim file says, energies are by true direction."""
    return [common("SIM-METER", "METER-0001"), meter(plant, model_id)]


def meter(plant: Plant, model_id: int) -> Model:
    """201 (one phase), 202 (split phase), 203 (wye), 204 (delta), or 211-214.

    The floats ask for the power factor as such, the others for percent.
    """
    shown = Shown(plant, plant.sim.meter.sign)
    kind = model_id % 10
    live = {**_totals(shown, 1.0 if model_id >= _FIRST_FLOAT else 100.0)}
    if kind == _SPLIT:
        live |= _legs(shown)
    elif kind == _DELTA:
        live |= {f"Aph{phase}": partial(shown.amps, index) for index, phase in enumerate(_PHASES)}
        live |= _line_to_line(shown)
    else:
        for index, phase in enumerate(_PHASES[:kind]):
            live |= _phase(shown, index, phase)
        live["PhV"] = shown.phase_v
        if kind > 1:
            live |= _line_to_line(shown)
    sf_w = scale_for(1.5 * (plant.sim.nameplate_w + plant.sim.load.most_va))
    return Model(model_id, _SCALES | dict.fromkeys(("W_SF", "VA_SF", "VAR_SF"), sf_w), live)


def _totals(shown: Shown, of_power_factor: float) -> dict[str, Live]:
    return {
        "A": lambda: sum(shown.amps(phase) for phase in range(3)),
        "Hz": shown.hz,
        "W": shown.watts,
        "VA": shown.voltamps,
        "VAR": shown.vars,
        "PF": lambda: of_power_factor * shown.power_factor(),
        "TotWhExp": shown.exported_wh,
        "TotWhImp": shown.imported_wh,
    }


def _phase(shown: Shown, index: int, phase: str) -> dict[str, Live]:
    return {
        f"Aph{phase}": partial(shown.amps, index),
        f"PhVph{phase}": partial(shown.phase_v, index),
        f"Wph{phase}": partial(shown.watts, index),
        f"VAph{phase}": partial(shown.voltamps, index),
        f"VARph{phase}": partial(shown.vars, index),
        f"TotWhExpPh{phase}": partial(shown.exported_wh, index),
        f"TotWhImpPh{phase}": partial(shown.imported_wh, index),
    }


def _line_to_line(shown: Shown) -> dict[str, Live]:
    """The integer models of three phases call these PhVphAB, all others PPVphAB."""
    live: dict[str, Live] = {"PPV": shown.line_v}
    for index, pair in enumerate(("AB", "BC", "CA")):
        live |= dict.fromkeys((f"PPVph{pair}", f"PhVph{pair}"), partial(shown.line_v, index))
    return live


def _legs(shown: Shown) -> dict[str, Live]:
    """The legs of a split phase share its power and stand against each other."""
    live: dict[str, Live] = {"PPV": shown.phase_v, "PPVphAB": shown.phase_v, "PhVphAB": shown.phase_v}
    live["PhV"] = lambda: shown.phase_v() / _SPLIT
    for leg in _PHASES[:_SPLIT]:
        live |= {f"Aph{leg}": partial(shown.amps, 0), f"PhVph{leg}": lambda: shown.phase_v() / _SPLIT}
        live |= {f"Wph{leg}": lambda: shown.watts() / _SPLIT, f"VARph{leg}": lambda: shown.vars() / _SPLIT}
    return live


class Shown:
    """The last published sample in the meter's own sign; by phase (from 0), or as a whole without one."""

    def __init__(self, plant: Plant, sign: str) -> None:
        self._meter = plant.meter
        self._grid = plant.sim.grid
        self._sign = 1.0 if sign == "export_positive" else -1.0

    def watts(self, phase: int | None = None) -> float:
        """Active power in W."""
        state = self._meter.shown.state
        return self._sign * (state.export_w if phase is None else state.phase_w[phase])

    def vars(self, phase: int | None = None) -> float:
        """Reactive power in var."""
        state = self._meter.shown.state
        return self._sign * (state.export_var if phase is None else state.phase_var[phase])

    def voltamps(self, phase: int | None = None) -> float:
        """Apparent power in VA."""
        return hypot(self.watts(phase), self.vars(phase))

    def power_factor(self, phase: int | None = None) -> float:
        """Active over apparent power, with the sign of active power; 1 at rest."""
        voltamps = self.voltamps(phase)
        return self.watts(phase) / voltamps if voltamps > 0 else 1.0

    def phase_v(self, phase: int | None = None) -> float:
        """Voltage of a phase to neutral in V, or the mean of those that are connected."""
        state = self._meter.shown.state
        return self._grid.phase_v * (state.v_pu if phase is None else state.phase_v_pu[phase])

    def line_v(self, phase: int | None = None) -> float:
        """Voltage in V from a phase to the next, or the mean of all three."""
        if phase is None:
            return sum(self.line_v(each) for each in range(3)) / 3
        here, there = self.phase_v(phase), self.phase_v((phase + 1) % 3)
        return sqrt(here**2 + there**2 + here * there)

    def amps(self, phase: int) -> float:
        """Current in a phase in A."""
        return self._meter.shown.state.phase_a[phase]

    def hz(self) -> float:
        """Frequency in Hz."""
        return self._meter.shown.state.hz

    def exported_wh(self, phase: int | None = None) -> float:
        """Energy out to the grid in Wh."""
        reading = self._meter.shown
        return reading.exported_wh if phase is None else reading.phase_exported_wh[phase]

    def imported_wh(self, phase: int | None = None) -> float:
        """Energy from the grid in Wh."""
        reading = self._meter.shown
        return reading.imported_wh if phase is None else reading.phase_imported_wh[phase]
