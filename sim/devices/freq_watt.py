"""Frequency-watt of the older models, 127 (parameters) and 134 (curve): other words for the droop's settings.

Droop K is frequency over power, both per unit; a slope of power over frequency is its inverse. Both models say
only what happens above nominal frequency; a curve has two points, where power starts to fall and where it ends.
"""

from __future__ import annotations

from sim.devices.common import flag
from sim.devices.inverter import Inverter
from sim.devices.sets import PT1_OVER_OPEN_LOOP
from sim.devices.sunspec import Apply, Changes, Live, Model, RefusedWriteError
from tiir.values import Value


class Droop:
    """The droop above nominal frequency as a start and a slope."""

    def __init__(self, inverter: Inverter) -> None:
        self.inverter = inverter
        self._nominal_hz = inverter.nominal_hz

    def enabled(self) -> float:
        """Whether it is on."""
        return self.inverter.number("PF_MODE_ENABLE")

    def deadband_hz(self) -> float:
        """Deviation from nominal at which power starts to fall, in Hz."""
        return self.inverter.number("PF_DBOF")

    def slope_pct_hz(self) -> float:
        """Power lost with each Hz beyond, in % of the rating."""
        return 100.0 / (self.inverter.number("PF_KOF") * self._nominal_hz)

    def starts_hz(self) -> float:
        """Frequency at which power starts to fall."""
        return self._nominal_hz + self.deadband_hz()

    def ends_hz(self) -> float:
        """Frequency at which all of the rating is gone."""
        return self.starts_hz() + 100.0 / self.slope_pct_hz()

    def pt1_s(self) -> float:
        """Time constant to 95 % in s."""
        return self.inverter.number("PF_OLRT") * PT1_OVER_OPEN_LOOP

    def of_slope(self, slope_pct_hz: float) -> dict[str, Value]:
        """The setting of a slope.

        Raises:
            RefusedWriteError: When power would not fall.
        """
        if slope_pct_hz <= 0:
            raise RefusedWriteError
        return {"PF_KOF": round(100.0 / (slope_pct_hz * self._nominal_hz), 9)}

    def of_start(self, starts_hz: float) -> dict[str, Value]:
        """The setting of a frequency at which power starts to fall.

        Raises:
            RefusedWriteError: When that is below nominal.
        """
        if starts_hz < self._nominal_hz:
            raise RefusedWriteError
        return {"PF_DBOF": round(starts_hz - self._nominal_hz, 9)}

    def switch(self, changes: Changes) -> dict[str, Value]:
        """The setting of a written ModEna, if it was written."""
        enable = flag(changes, "ModEna")
        return {} if enable is None else {"PF_MODE_ENABLE": enable}


def parameters(inverter: Inverter) -> Model:
    """127, without hysteresis: power comes back as frequency does."""
    droop = Droop(inverter)

    def write(changes: Changes) -> Apply:
        wanted = droop.switch(changes)
        if "WGra" in changes:
            wanted |= droop.of_slope(changes["WGra"])
        if "HzStr" in changes:
            wanted |= droop.of_start(inverter.nominal_hz + changes["HzStr"])
        return inverter.judged(wanted)

    live: dict[str, Live] = {
        "WGra": droop.slope_pct_hz,
        "HzStr": droop.deadband_hz,
        "HzStop": droop.deadband_hz,
        "ModEna": droop.enabled,
    }
    fixed = {"HysEna": 0, "WGra_SF": -2, "HzStrStop_SF": -3, "Pad": 0}
    return Model(127, fixed, live, write, locked=("HzStop",))


def curve(inverter: Inverter) -> Model:
    """134: one curve of two points, in force as it is written; power falls from 100 % to what point 2 says."""
    droop = Droop(inverter)

    def write(changes: Changes) -> Apply:
        wanted = droop.switch(changes)
        starts_hz = changes.get("curve.1.Hz1", droop.starts_hz())
        if {"curve.1.Hz1", "curve.1.Hz2", "curve.1.W2"} & changes.keys():
            width_hz = changes.get("curve.1.Hz2", droop.ends_hz()) - starts_hz
            if width_hz <= 0:
                raise RefusedWriteError
            wanted |= droop.of_start(starts_hz) | droop.of_slope(
                (100.0 - changes.get("curve.1.W2", 0.0)) / width_hz
            )
        if "curve.1.RmpPT1Tms" in changes:
            wanted["PF_OLRT"] = changes["curve.1.RmpPT1Tms"] / PT1_OVER_OPEN_LOOP
        return inverter.judged(wanted)

    live: dict[str, Live] = {
        "ModEna": droop.enabled,
        "curve.1.Hz1": droop.starts_hz,
        "curve.1.Hz2": droop.ends_hz,
        "curve.1.W2": lambda: 0.0,
        "curve.1.RmpPT1Tms": droop.pt1_s,
    }
    fixed = {"ActCrv": 1, "NCrv": 1, "NPt": 2, "Hz_SF": -2, "W_SF": -1}
    fixed |= {"curve.1.ActPt": 2, "curve.1.W1": 100, "curve.1.SnptW": 0, "curve.1.ReadOnly": 0}
    return Model(134, fixed, live, write, {"curve": 1})
