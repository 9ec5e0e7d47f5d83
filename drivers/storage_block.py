"""How storage is held: SunSpec 124 as a band, SunSpec 704 WSet as a set-point.

124: OutWRte and InWRte limit discharging and charging, in percent of what the unit can at most, and a negative rate
forces the other way; together they are a band. Nothing in it is safe when the gateway falls silent. 704: WSet is a
set-point in W, negative when charging, with a set-point to revert to.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Mapping

from drivers.bus import Bus
from drivers.errors import OutOfRange
from drivers.protocol import Outcome, Value, WriteResult
from drivers.sunspec.discovery import ModelRef
from drivers.verified import VerifiedBlock

_PCT = 100.0
_BOTH = 3  # StorCtl_Mod: charge and discharge
_CHARGE, _DISCHARGE = 1, 2
_TIMES = ("InOutWRte_WinTms", "InOutWRte_RvrtTms", "InOutWRte_RmpTms")
_ENABLED, _IN_WATTS = 1, 1
_NOISE = 1e-9

Values = Mapping[str, float | None]
Ends = tuple[float | None, float | None]
"""Limit and floor in W, None where that end is not in force."""


class StorageBlock(VerifiedBlock, ABC):
    """The registers that hold storage."""

    points: tuple[str, ...]
    scale: str

    def __init__(self, bus: Bus, unit: int, ref: ModelRef) -> None:
        super().__init__(bus, unit, ref, self.points, self.scale)

    @abstractmethod
    def values(self, limit_w: float, floor_w: float) -> dict[str, Value]:
        """What a write of a band holds, on a device as last read.

        Raises:
            OutOfRange: The device cannot be told.
        """

    @abstractmethod
    def ends(self, values: Values) -> Ends:
        """Limit and floor that registers stand for."""

    async def set_reversion(self, safe_w: float, timer_s: int) -> WriteResult:
        """Set up what happens after silence; refused where the device has nothing safe."""
        asked = {"safe_w": safe_w, "timer_s": timer_s}
        reason = "model 124 has no safe reversion value: when its timer runs out both rates are released"
        return WriteResult(Outcome.REFUSED, asked, {}, reason)

    async def write_band(self, limit_w: float, floor_w: float) -> WriteResult:
        """Hold storage between two powers; `wanted` and `found` hold `limit_w` and `floor_w`."""
        try:
            if not self._last:
                await self._read()
            done = await self._write(lambda: self.values(limit_w, floor_w))
        except OutOfRange as error:
            return WriteResult(Outcome.REFUSED, {"limit_w": limit_w, "floor_w": floor_w}, {}, str(error))
        wanted = self._named(done.wanted) if done.wanted else {"limit_w": limit_w, "floor_w": floor_w}
        found = self._named(done.found) if done.found else {}
        given = {name: value for name, value in wanted.items() if value is not None}
        return WriteResult(done.outcome, given, found, done.reason)

    async def read_band(self) -> Ends:
        """Limit and floor in force."""
        return self.ends(self._window.decode(await self._read()))

    def _named(self, values: Values) -> dict[str, float | None]:
        limit_w, floor_w = self.ends(values)
        return {"limit_w": limit_w, "floor_w": floor_w}


class Band124(StorageBlock):
    """Storage that runs itself within a band.

    `discharge_w` is what OutWRte is a percentage of, WChaMax where no model states it.
    """

    points = ("WChaMax", "StorCtl_Mod", "OutWRte", "InWRte", *_TIMES)
    scale = "InOutWRte_SF"

    def __init__(self, bus: Bus, unit: int, ref: ModelRef, discharge_w: float | None) -> None:
        super().__init__(bus, unit, ref)
        self._discharge_w = discharge_w
        self._charge_w: float | None = None

    def values(self, limit_w: float, floor_w: float) -> dict[str, Value]:
        """Both rates rounded to less, the times off, and the bits unless they are set.

        Where the rounded ends cross, less is absorbed.
        """
        charge_w, discharge_w = self._rated_w(self._last)
        step_pct = 10.0 ** (self._exponent or 0)
        in_pct = _down(min(_PCT, -floor_w / charge_w * _PCT), step_pct)
        out_pct = _down(min(_PCT, limit_w / discharge_w * _PCT), step_pct)
        least_pct = -in_pct * charge_w / discharge_w
        if out_pct < least_pct:
            out_pct = -_down(-least_pct, step_pct)
        times = {name: 0 for name in _TIMES if self._last[name] is not None}
        bits: dict[str, Value] = {} if self._last["StorCtl_Mod"] == _BOTH else {"StorCtl_Mod": _BOTH}
        return {"OutWRte": max(-_PCT, out_pct), "InWRte": in_pct, **times, **bits}

    def ends(self, values: Values) -> Ends:
        """Each rate whose bit is set."""
        charge_w, discharge_w = self._rated_w(values)
        bits = int(values["StorCtl_Mod"] or 0)
        in_pct, out_pct = values["InWRte"], values["OutWRte"]
        limit_w = out_pct * discharge_w / _PCT if bits & _DISCHARGE and out_pct is not None else None
        floor_w = min(0.0, -in_pct * charge_w / _PCT) if bits & _CHARGE and in_pct is not None else None
        return limit_w, floor_w

    def _rated_w(self, values: Values) -> tuple[float, float]:
        """What the rates are percentages of, charging and discharging; pinned when first read."""
        charge_w = values["WChaMax"]
        if self._charge_w is None:
            if not charge_w:
                raise OutOfRange("the storage states no WChaMax, so percent of it means nothing")
            self._charge_w = charge_w
        if charge_w and charge_w != self._charge_w:
            raise OutOfRange(
                f"WChaMax changed from {self._charge_w:g} W to {charge_w:g} W: rates in percent would mean something else"
            )
        return self._charge_w, self._discharge_w or self._charge_w


class Setpoint704(StorageBlock):
    """Storage that the gateway operates: the upper end of the band is its set-point."""

    points = ("WSetEna", "WSetMod", "WSet", "WSetRvrt", "WSetEnaRvrt", "WSetRvrtTms")
    scale = "WSet_SF"

    def __init__(self, bus: Bus, unit: int, ref: ModelRef, safe: tuple[float, int] | None) -> None:
        super().__init__(bus, unit, ref)
        self.safe = safe

    def values(self, limit_w: float, floor_w: float) -> dict[str, Value]:
        """Enable and value, and the unit unless it is set; when set up, the whole reversion with them, so that each write re-asserts it."""
        del floor_w
        if self._last["WSet"] is None:
            raise OutOfRange("the storage implements no WSet")
        set_already = self._last["WSetMod"] in {None, _IN_WATTS}
        mode: dict[str, Value] = {} if set_already else {"WSetMod": _IN_WATTS}
        return {"WSetEna": _ENABLED, **mode, "WSet": limit_w, **self._reversion()}

    def ends(self, values: Values) -> Ends:
        """The set-point while it is in force; a positive one takes nothing."""
        set_w = values["WSet"]
        if values["WSetEna"] != _ENABLED or values["WSetMod"] not in {None, _IN_WATTS} or set_w is None:
            return None, None
        return set_w, min(set_w, 0.0)

    async def set_reversion(self, safe_w: float, timer_s: int) -> WriteResult:
        """Fall to a set-point after silence."""
        before, self.safe = self.safe, (safe_w, timer_s)
        done = await self._write(self._reversion)
        if done.outcome is not Outcome.VERIFIED:
            self.safe = before
        holds = bool(done.found) and done.found["WSetEnaRvrt"] == _ENABLED
        found = {
            "safe_w": done.found["WSetRvrt"] if holds else None,
            "timer_s": done.found["WSetRvrtTms"] if done.found else None,
        }
        return WriteResult(done.outcome, {"safe_w": safe_w, "timer_s": timer_s}, found, done.reason)

    def _reversion(self) -> dict[str, Value]:
        if self.safe is None:
            return {}
        safe_w, timer_s = self.safe
        return {"WSetRvrt": safe_w, "WSetEnaRvrt": _ENABLED, "WSetRvrtTms": timer_s}


def _down(value: float, step: float) -> float:
    """The multiple of `step` at or below `value`, but for the noise of floating point."""
    return math.floor(value / step + _NOISE) * step
