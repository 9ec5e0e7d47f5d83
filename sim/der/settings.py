"""Settings of many units: one array for each of the standard's labels."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from sim.der.arrays import Flags, Floats
from tiir import catalogue
from tiir.curves import volt_var, volt_watt
from tiir.rules import REACTIVE_MODES
from tiir.setting import TiirError
from tiir.values import Value, Values, number


class SettingsBank:
    """What is in force in each unit; the arrays are written in place and may be kept by others."""

    def __init__(self, units: Sequence[Values]) -> None:
        self._arrays: dict[str, npt.NDArray[Any]] = {
            label: _array(label, [unit[label] for unit in units]) for label in units[0]
        }

    def switches(self, labels: Sequence[str]) -> Flags:
        """The arrays of several switches as the rows of one, which stays theirs."""
        rows: Flags = np.array([self._arrays[label] for label in labels])
        self._arrays |= dict(zip(labels, rows, strict=True))
        return rows

    def numbers(self, label: str) -> Floats:
        """The array of a setting in the standard's unit."""
        return self._arrays[label]

    def flags(self, label: str) -> Flags:
        """The array of a switch."""
        return self._arrays[label]

    def words(self, label: str) -> npt.NDArray[np.str_]:
        """The array of a setting whose value is a word."""
        return self._arrays[label]

    def of(self, unit: int) -> dict[str, Value]:
        """What is in force in `unit`, by label."""
        return {label: array[unit].item() for label, array in self._arrays.items()}

    def check(self, unit: int, changes: Values) -> None:
        """Whether `put` would take `changes`.

        Raises:
            TiirError: When it would not.
        """
        for label, value in changes.items():
            _check_kind(label, value, known=label in self._arrays)
        _check_curves({**self.of(unit), **changes})

    def put(self, unit: int, changes: Values) -> None:
        """Put `changes` in force in `unit`, all or none; enabling one reactive mode disables the others (5.3.1).

        Raises:
            TiirError: For an unknown label, a value of the wrong kind, or a curve that is not one.
        """
        self.check(unit, changes)
        chosen = next((mode for mode in REACTIVE_MODES if changes.get(mode) is True), None)
        others = {mode: mode == chosen for mode in REACTIVE_MODES} if chosen else {}
        for label, value in {**others, **changes}.items():
            self._arrays[label][unit] = value


def _array(label: str, values: list[Value]) -> npt.NDArray[Any]:
    unit = catalogue.settings()[label].unit
    kind = {"switch": np.bool_, "word": np.str_}.get(unit, np.float64)
    return np.array(values, dtype=kind)


def _check_kind(label: str, value: Value, *, known: bool) -> None:
    if not known:
        raise TiirError(f"{label} is not a setting of a running unit")
    setting = catalogue.settings()[label]
    if setting.unit == "word":
        fits = value in setting.words
    else:
        fits = isinstance(value, bool) if setting.unit == "switch" else number(value) is not None
    if not fits:
        raise TiirError(f"{label} cannot be {value!r}")


def _check_curves(values: Values) -> None:
    """Held to the scalar curves, which refuse points that do not run from left to right."""
    volt_var(values)
    volt_watt(values)
    watts = [
        values[f"QP_CURVE_{name}"] for name in ("P3_LOAD", "P2_LOAD", "P1_LOAD", "P1_GEN", "P2_GEN", "P3_GEN")
    ]
    if watts != sorted(watts, key=lambda value: number(value) or 0.0):
        raise TiirError(f"the watt-var curve's points must run from left to right, not {watts}")
    pf = number(values["CONST_PF"])
    if pf is None or not 0 < pf <= 1:
        raise TiirError(f"CONST_PF must be above 0 and at most 1, not {pf}")
