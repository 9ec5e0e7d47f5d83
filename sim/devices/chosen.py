"""Older models with stored curves: 126 (volt-var), 132 (volt-watt), 129, 130, 135, 136 (trips).

ActCrv says which curve is in force. That one shows what is in force and cannot be written; another is written
first and chosen then, and the choice is refused when the curve is not consistent. A point of a trip curve is its
time and then its voltage or frequency.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial

from sim.devices.common import flag
from sim.devices.inverter import Inverter
from sim.devices.sets import enable_of, older, reactive_bases, wmax_base
from sim.devices.stored import SETS, TRIP_POINTS, SetKind, StoredSets
from sim.devices.sunspec import Apply, Changes, Live, Model, RefusedWriteError, Value

NEWER: Mapping[int, int] = {126: 705, 132: 706, 129: 707, 130: 708, 135: 709, 136: 710}
"""The model that holds the same settings today."""

_PERCENT = (-100.0, 100.0)


def kind_of(model_id: int) -> SetKind:
    """What a curve of one of these models holds, and what this device makes a condition of choosing it."""
    newer = NEWER[model_id]
    if model_id == 126:
        return SetKind(
            126,
            "curve",
            older(newer, {"V": "V", "Var": "VAr"}, "RmpTms"),
            {"ActPt": 4.0, "DeptRef": 2.0},
            {"ActPt": (4,)},
            reactive_bases(1, 2),
            ascending=("V1", "V2", "V3", "V4"),
            bounded={f"VAr{number}": _PERCENT for number in range(1, 5)},
        )
    if model_id == 132:
        return SetKind(
            132,
            "curve",
            older(newer, {"V": "V", "W": "W"}, "RmpPt1Tms"),
            {"ActPt": 2.0, "DeptRef": 1.0},
            {"ActPt": (2,)},
            {1: wmax_base},
            ascending=("V1", "V2"),
            bounded={"W1": _PERCENT, "W2": _PERCENT},
        )
    places = older(newer, {"V": "V", "Hz": "Hz", "Tms": "Tms"})
    return SetKind(model_id, "curve", places, {"ActPt": float(TRIP_POINTS)}, {"ActPt": (TRIP_POINTS,)})


class ChosenCurves:
    """The firmware behind one of these models of one inverter."""

    def __init__(self, inverter: Inverter, model_id: int) -> None:
        self._inverter = inverter
        self._sets = StoredSets(inverter, kind_of(model_id))
        self._enable = enable_of(NEWER[model_id])

    def model(self) -> Model:
        """The model as it is served."""
        sets = self._sets
        live: dict[str, Live] = {"ActCrv": lambda: sets.active}
        for number in range(1, SETS + 1):
            prefix = f"curve.{number}."
            live |= {prefix + path: partial(sets.amount, number, path) for path in sets.paths()}
            live[prefix + "ReadOnly"] = partial(self._is_active, number)
        fixed: dict[str, Value] = {"NCrv": SETS, "NPt": int(sets.kind.own["ActPt"]), "Pad": 0}
        fixed |= {"V_SF": -2, "DeptRef_SF": -2, "Tms_SF": -2, "Hz_SF": -2}
        if self._enable:
            enable = self._enable
            live["ModEna"] = lambda: self._inverter.number(enable)
        else:
            fixed["ModEna"] = 1
        return Model(sets.kind.model_id, fixed, live, self._write, {"curve": SETS})

    def _is_active(self, number: int) -> float:
        return number == self._sets.active

    def _write(self, changes: Changes) -> Apply:
        enable, sets = flag(changes, "ModEna"), self._sets
        points = sets.kind.points(changes)
        if sets.active in points:
            raise RefusedWriteError
        number = int(changes.get("ActCrv", sets.active))
        wanted = dict(sets.values(number, points.get(number))) if "ActCrv" in changes else {}
        if enable is not None and self._enable:
            wanted[self._enable] = enable
        configure = self._inverter.judged(wanted)

        def apply() -> None:
            sets.put(points)
            if number != sets.active:
                sets.keep()
            configure()
            sets.active = number

        return apply
