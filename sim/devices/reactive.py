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

    def mode_of(self, written: float | None) -> int:
        """The mode after it was written, or as it is.

        Raises:
            RefusedWriteError: When there is none such.
        """
        if written is None:
            return self.mode
        if written not in self._bases:
            raise RefusedWriteError
        return int(written)

    def percent(self, mode: int, const_q: float | None = None) -> float:
        """A setpoint (the one in force when not given) in percent of what `mode` says."""
        const_q = self._inverter.number("CONST_Q") if const_q is None else const_q
        return 100.0 * const_q / self._bases[mode](self._inverter)

    def of_percent(self, percent: float, mode: int) -> dict[str, Value]:
        """The setting of a percentage of what `mode` says.

        Raises:
            RefusedWriteError: Beyond 100 %.
        """
        if abs(percent) > 100.0:
            raise RefusedWriteError
        return {"CONST_Q": round(percent / 100.0 * self._bases[mode](self._inverter), 9)}

    def var(self, const_q: float | None = None) -> float:
        """A setpoint (the one in force when not given) in var."""
        const_q = self._inverter.number("CONST_Q") if const_q is None else const_q
        return const_q * self._inverter.nameplate_va

    def of_var(self, power_var: float) -> dict[str, Value]:
        """The setting of a reactive power in var.

        Raises:
            RefusedWriteError: Beyond the rating.
        """
        if abs(power_var) > self._inverter.nameplate_va:
            raise RefusedWriteError
        return {"CONST_Q": round(power_var / self._inverter.nameplate_va, 9)}

    def setpoint(self, changes: Changes, percent: str, power: str, mode: int) -> dict[str, Value]:
        """The setting of a setpoint that was written as a percentage or in var, if it was.

        Raises:
            RefusedWriteError: Beyond 100 % or the rating.
        """
        found = self.of_percent(changes[percent], mode) if percent in changes else {}
        return found | (self.of_var(changes[power]) if power in changes else {})

    def signed_power_factor(self) -> float:
        """The power factor setpoint, negative when absorbing reactive power."""
        injects = self._inverter.setting("CONST_PF_EXCITATION") == "INJ"
        return self._inverter.number("CONST_PF") * (1.0 if injects else -1.0)

    def enables(self, changes: Changes, power_factor: str, power: str) -> dict[str, Value]:
        """The settings of the two written enables."""
        paths = {"CONST_PF_MODE_ENABLE": power_factor, "CONST_Q_MODE_ENABLE": power}
        return {label: value for label, path in paths.items() if (value := flag(changes, path)) is not None}
