"""The PCC meter: models 1 and 203. Everything it shows comes from its last published sample."""

from __future__ import annotations

from math import hypot

from sim.devices.codec import scale_for
from sim.devices.common import PHASES, ROOT_3, common
from sim.devices.sunspec import Live, Model, Value
from sim.plant import Plant

_PHASES = ("A", "B", "C")


def meter_models(plant: Plant) -> list[Model]:
    """The chain of the meter; the sign of W is what the sim file says, energies are by true direction."""
    return [common("SIM-METER", "METER-0001"), _meter(plant)]


def _meter(plant: Plant) -> Model:
    shown = _Shown(plant)
    live: dict[str, Live] = {
        "A": lambda: sum(shown.amps(phase) for phase in range(PHASES)),
        "PhV": shown.phase_v,
        "PPV": shown.line_v,
        "Hz": lambda: plant.meter.shown.state.hz,
        "W": shown.watts,
        "VA": shown.voltamps,
        "VAR": shown.vars,
        "PF": shown.power_factor_pct,
        "TotWhExp": lambda: plant.meter.shown.exported_wh,
        "TotWhImp": lambda: plant.meter.shown.imported_wh,
    }
    live |= {f"PhVph{pair}": shown.line_v for pair in ("AB", "BC", "CA")}
    for index, phase in enumerate(_PHASES):
        live |= _phase(shown, index, phase)
    largest_w = 1.5 * (plant.sim.nameplate_w + plant.sim.load.base_w)
    sf_w = scale_for(largest_w)
    fixed: dict[str, Value] = {"A_SF": -1, "V_SF": -1, "Hz_SF": -2, "PF_SF": -1, "TotWh_SF": -1, "Evt": 0}
    return Model(203, fixed | dict.fromkeys(("W_SF", "VA_SF", "VAR_SF"), sf_w), live)


def _phase(shown: _Shown, index: int, phase: str) -> dict[str, Live]:
    return {
        f"Aph{phase}": lambda: shown.amps(index),
        f"PhVph{phase}": shown.phase_v,
        f"Wph{phase}": lambda: shown.phase_w(index),
        f"VARph{phase}": lambda: shown.vars() / PHASES,
    }


class _Shown:
    """The last published sample in the meter's own sign."""

    def __init__(self, plant: Plant) -> None:
        self._meter = plant.meter
        self._nominal_v = plant.sim.grid.nominal_v
        self._sign = 1.0 if plant.sim.meter.sign == "export_positive" else -1.0

    def watts(self) -> float:
        return self._sign * self._meter.shown.state.export_w

    def phase_w(self, phase: int) -> float:
        return self._sign * self._meter.shown.state.phase_w[phase]

    def vars(self) -> float:
        return self._sign * self._meter.shown.state.export_var

    def voltamps(self) -> float:
        return hypot(self.watts(), self.vars())

    def power_factor_pct(self) -> float:
        voltamps = self.voltamps()
        return 100.0 * self.watts() / voltamps if voltamps > 0 else 100.0

    def line_v(self) -> float:
        return self._meter.shown.state.v_pu * self._nominal_v

    def phase_v(self) -> float:
        return self.line_v() / ROOT_3

    def amps(self, phase: int) -> float:
        return hypot(self.phase_w(phase), self.vars() / PHASES) / self.phase_v()
