"""Constant power factor and constant reactive power as 123 and 704 put them: one setting under several bases."""

from __future__ import annotations

from collections.abc import Mapping

from sim.devices.common import flag
from sim.devices.inverter import Inverter
from sim.devices.sets import Base
from sim.devices.sunspec import Changes, RefusedWriteError
from tiir.values import Value


class Reactive:
    """The two functions of one inverter; `mode` is the code of what a written percentage is of."""

    def __init__(self, inverter: Inverter, bases: Mapping[int, Base], mode: int) -> None:
        self._inverter = inverter
        self._bases = bases
        self.mode = mode

    def choose(self, mode: float | None) -> None:
        """Take a written mode, if one was written.

        Raises:
            RefusedWriteError: When there is none such.
        """
        if mode is None:
            return
        if mode not in self._bases:
            raise RefusedWriteError
        self.mode = int(mode)

    def percent(self, mode: int) -> float:
        """The reactive power setpoint in percent of what `mode` says."""
        return 100.0 * self._inverter.number("CONST_Q") / self._bases[mode](self._inverter)

    def of_percent(self, percent: float, mode: int) -> dict[str, Value]:
        """The setting of a percentage of what `mode` says.

        Raises:
            RefusedWriteError: Beyond 100 %.
        """
        if abs(percent) > 100.0:
            raise RefusedWriteError
        return {"CONST_Q": round(percent / 100.0 * self._bases[mode](self._inverter), 9)}

    def var(self) -> float:
        """The reactive power setpoint in var."""
        return self._inverter.number("CONST_Q") * self._inverter.nameplate_va

    def of_var(self, power_var: float) -> dict[str, Value]:
        """The setting of a reactive power in var.

        Raises:
            RefusedWriteError: Beyond the rating.
        """
        if abs(power_var) > self._inverter.nameplate_va:
            raise RefusedWriteError
        return {"CONST_Q": round(power_var / self._inverter.nameplate_va, 9)}

    def signed_power_factor(self) -> float:
        """The power factor setpoint, negative when absorbing reactive power."""
        injects = self._inverter.setting("CONST_PF_EXCITATION") == "INJ"
        return self._inverter.number("CONST_PF") * (1.0 if injects else -1.0)

    def enables(self, changes: Changes, power_factor: str, power: str) -> dict[str, Value]:
        """The settings of the two written enables."""
        paths = {"CONST_PF_MODE_ENABLE": power_factor, "CONST_Q_MODE_ENABLE": power}
        return {label: value for label, path in paths.items() if (value := flag(changes, path)) is not None}
