"""Models 705 to 712: stored sets, and the adoption that puts one in force.

Set 1 is read-only and shows what is in force. A write of k to AdptCrvReq asks for set k; the result is
IN_PROGRESS for a moment, then COMPLETED, or FAILED when set k is not consistent. Single points may therefore
be written in any order.

705, 706, 711 and 712 have a reversion timer (RvrtTms). When it runs out set RvrtCrv (RvrtCtl) is adopted, and
with 0 there, which is no set, the function is switched off.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from enum import IntEnum
from functools import partial

from sim.devices.common import flag
from sim.devices.inverter import Inverter
from sim.devices.reversion import ReversionTimer
from sim.devices.sets import enable_of, in_set, reactive_bases, wmax_base
from sim.devices.stored import SETS, TRIP_POINTS, SetKind, StoredSets
from sim.devices.sunspec import Apply, Changes, Live, Model, RefusedWriteError, Value
from tiir.setting import TiirError

ADOPTION_S = 0.3
"""How long an adoption takes, in s of the plant."""


class Result(IntEnum):
    """AdptCrvRslt."""

    IN_PROGRESS = 0
    COMPLETED = 1
    FAILED = 2


_SCALES: Mapping[int, Mapping[str, int]] = {
    705: {"V_SF": -2, "DeptRef_SF": -2, "RspTms_SF": -1},
    706: {"V_SF": -2, "DeptRef_SF": -2, "RspTms_SF": -1},
    707: {"V_SF": -2, "Tms_SF": -2},
    708: {"V_SF": -2, "Tms_SF": -2},
    709: {"Hz_SF": -3, "Tms_SF": -2},
    710: {"Hz_SF": -3, "Tms_SF": -2},
    711: {"Db_SF": -3, "K_SF": -4, "RspTms_SF": -1},
    712: {"W_SF": -2, "DeptRef_SF": -2},
}

_REVERTING = (705, 706, 711, 712)
_REVERTS_TO = (0, *range(2, SETS + 1))
"""What RvrtCrv can be: none, or a set that can be written; set 1 is what is in force."""

_COUNT_OF_SETS = {**dict.fromkeys((707, 708, 709, 710), "NCrvSet"), 711: "NCtl"}


def kind_of(model_id: int, *, var_first: bool) -> SetKind:
    """What a set of one of these models holds, and what this device makes a condition of adopting it.

    With `var_first` reactive power comes first (Pri) in a set that nobody has written.
    """
    places, percent = in_set(model_id), (-100.0, 100.0)
    if model_id == 708:
        # One setting switches momentary cessation on both sides; the catalogue names the lower one.
        places = (*places, *(place for place in in_set(707) if place.label == "MC_ENABLE"))
    if model_id == 711:
        return SetKind(711, "Ctl", places)
    if model_id in (705, 706, 712):
        x, y, points = {705: ("V", "Var", 4), 706: ("V", "W", 2), 712: ("W", "Var", 6)}[model_id]
        reactive = y == "Var"
        own = {"ActPt": float(points), "DeptRef": 3.0 if reactive else 0.0}
        only: dict[str, Sequence[float]] = {"ActPt": (points,)}
        if reactive:
            own["Pri"], only["Pri"] = float(var_first), (0, 1)
        return SetKind(
            model_id,
            "Crv",
            places,
            own,
            only,
            reactive_bases(0, 1, 3) if reactive else {0: wmax_base},
            ascending=[f"Pt.{number}.{x}" for number in range(1, points + 1)],
            bounded={f"Pt.{number}.{y}": percent for number in range(1, points + 1)},
        )
    momentary = {} if any(place.path == "MomCess.ActPt" for place in places) else {"MomCess.ActPt": 0.0}
    own = {"MustTrip.ActPt": float(TRIP_POINTS), **momentary}
    only = {path: (value,) for path, value in own.items()} | {"MayTrip.ActPt": range(TRIP_POINTS + 1)}
    return SetKind(model_id, "Crv", places, {**own, **_may_trip(model_id)}, only)


def _may_trip(model_id: int) -> dict[str, float]:
    """Where the unit may trip and need not: kept for whoever asks, since it trips only where it must."""
    quantity = "V" if model_id in (707, 708) else "Hz"
    points = {f"MayTrip.Pt.{n}.{what}": 0.0 for n in range(1, TRIP_POINTS + 1) for what in (quantity, "Tms")}
    return {"MayTrip.ActPt": 0.0, **points}


class AdoptedSets:
    """The firmware behind one of these models of one inverter."""

    def __init__(self, inverter: Inverter, model_id: int) -> None:
        self._inverter = inverter
        self._sets = StoredSets(inverter, kind_of(model_id, var_first=inverter.var_first()))
        self._enable = enable_of(model_id)
        what = "Ctl" if model_id == 711 else "Crv"
        self._request_path, self._result_path = f"Adpt{what}Req", f"Adpt{what}Rslt"
        self._request = 0
        self._result = Result.COMPLETED
        self._due_s: float | None = None
        inverter.plant.firmware.append(self.run)
        self._reverts_to, self._revert_path = 0, f"Rvrt{what}"
        self._timer = (
            ReversionTimer(inverter, self._enable, self._revert)
            if self._enable and model_id in _REVERTING
            else None
        )

    def model(self) -> Model:
        """The model as it is served."""
        kind = self._sets.kind
        live: dict[str, Live] = {}
        locked: list[str] = []
        for number in range(1, SETS + 1):
            prefix = f"{kind.group}.{number}."
            live |= {prefix + path: partial(self._sets.amount, number, path) for path in self._sets.paths()}
            locked += [prefix + path for path in self._sets.paths() if number == 1]
        fixed: dict[str, Value] = {
            f"{kind.group}.{number}.ReadOnly": number == 1 for number in range(1, SETS + 1)
        }
        fixed |= _SCALES[kind.model_id]
        if self._enable:
            enable = self._enable
            live["Ena"] = lambda: self._inverter.number(enable)
        else:
            fixed["Ena"] = 1
        if "Pri" in kind.own:
            live[f"{kind.group}.1.Pri"] = self._inverter.var_first
        if self._timer:
            timer = self._timer
            live |= {"RvrtTms": lambda: timer.after_s, "RvrtRem": timer.remaining_s}
            live[self._revert_path] = lambda: self._reverts_to
        live[self._request_path] = lambda: self._request
        live[self._result_path] = lambda: self._result
        return Model(kind.model_id, fixed, live, self._write, self._counts(), locked)

    def run(self) -> None:
        """Finish an adoption whose time has come; runs in every step of the plant."""
        if self._due_s is None or self._inverter.plant.t_s < self._due_s:
            return
        self._due_s = None
        self._result = self._adopt(self._request)

    def _adopt(self, number: int) -> Result:
        sets = self._sets
        try:
            self._inverter.configure(sets.values(number))
        except (RefusedWriteError, TiirError):
            return Result.FAILED
        sets.move_own(number, to=1)
        if "Pri" in sets.kind.own:
            self._inverter.put_var_first(sets.amount(number, "Pri") == 1)
        return Result.COMPLETED

    def _revert(self) -> None:
        if self._reverts_to:
            self._result = self._adopt(self._reverts_to)
        elif self._enable:
            self._inverter.configure({self._enable: False})

    def _counts(self) -> dict[str, int]:
        kind = self._sets.kind
        counts = {_COUNT_OF_SETS.get(kind.model_id, "NCrv"): SETS}
        points = int(kind.own.get("ActPt", kind.own.get("MustTrip.ActPt", 0)))
        return {"NPt": points, **counts} if points else counts

    def _write(self, changes: Changes) -> Apply:
        enable, request = flag(changes, "Ena"), changes.get(self._request_path)
        reverts_to = changes.get(self._revert_path, self._reverts_to)
        if (request is not None and self._due_s is not None) or reverts_to not in _REVERTS_TO:
            raise RefusedWriteError
        switch = {self._enable: enable} if self._enable and enable is not None else {}
        configure = self._inverter.judged(switch)

        def apply() -> None:
            configure()
            self._sets.put(self._sets.kind.points(changes))
            self._reverts_to = int(reverts_to)
            if request is not None:
                self._ask(int(request))
            if self._timer:
                self._timer.after_s = changes.get("RvrtTms", self._timer.after_s)
                self._timer.start()

        return apply

    def _ask(self, number: int) -> None:
        self._request = number
        self._result = Result.IN_PROGRESS
        self._due_s = self._inverter.plant.t_s + ADOPTION_S
