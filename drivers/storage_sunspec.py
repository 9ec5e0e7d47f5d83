"""Storage by SunSpec: an inverter whose charging is held too, with its state of charge."""

from __future__ import annotations

import math
import time
from collections.abc import Mapping
from dataclasses import replace
from typing import Literal

from drivers.bus import Bus
from drivers.errors import BadData
from drivers.inverter_sunspec import SunSpecInverter
from drivers.protocol import Outcome, WriteResult
from drivers.storage_block import Band124, Setpoint704, StorageBlock
from drivers.sunspec.window import Window
from edge.model.readings import DerRaw

SOC_EVERY_S = 5.0
"""The state of charge moves slowly: it is asked for this often, with a poll."""

_SOC = {713: "SoC", 802: "SoC", 124: "ChaState"}
_DISCHARGE = {702: ("WDisChaRteMax", "WDisChaRteMaxRtg"), 120: ("MaxDisChaRte",)}
_PCT = 100.0


class SunSpecStorage(SunSpecInverter):
    """One storage unit: told a band (124), or operated by set-point (704 WSet)."""

    def __init__(self, bus: Bus, unit: int, operation: Literal["band", "setpoint"]) -> None:
        super().__init__(bus, unit)
        self._operation = operation
        self._storage: StorageBlock | None = None
        self._soc: Window | None = None
        self._soc_due_s = 0.0
        self._reverts: tuple[float, int] | None = None

    async def measure(self) -> DerRaw:
        """Output, voltage and frequency, and now and then the state of charge."""
        answer = await super().measure()
        now_s = time.monotonic()
        if now_s < self._soc_due_s:
            return answer
        soc_pu = await self._read_soc()
        self._soc_due_s = now_s + SOC_EVERY_S
        return replace(answer, soc_pu=soc_pu)

    async def write_band(self, limit_w: float, floor_w: float) -> WriteResult:
        """Hold storage between two powers, each end rounded to less; `wanted` and `found` hold both."""
        if not (math.isfinite(limit_w) and math.isfinite(floor_w) and floor_w <= min(0.0, limit_w)):
            asked = {"limit_w": limit_w, "floor_w": floor_w}
            return WriteResult(Outcome.REFUSED, asked, {}, "the floor must be at or below 0 W and the limit")
        with self._looking_again():
            return await (await self._storage_block()).write_band(limit_w, floor_w)

    async def read_band(self) -> tuple[float | None, float | None]:
        """Limit and floor in force in W, None where that end is not."""
        with self._looking_again():
            return await (await self._storage_block()).read_band()

    async def set_reversion(self, safe_w: float, timer_s: int) -> WriteResult:
        """Fall to a set-point of `safe_w` after `timer_s` of silence; refused where only a band is held."""
        with self._looking_again():
            result = await (await self._storage_block()).set_reversion(safe_w, timer_s)
        if result.verified:
            self._reverts = (safe_w, timer_s)
        return result

    async def _storage_block(self) -> StorageBlock:
        if self._storage is None:
            bus, unit = self.device.bus, self.device.unit
            if self._operation == "setpoint":
                self._storage = Setpoint704(bus, unit, await self.device.need(704), self._reverts)
            else:
                ref = await self.device.need(124)
                self._storage = Band124(bus, unit, ref, await self._discharge_w())
        return self._storage

    async def _discharge_w(self) -> float | None:
        """What the unit can discharge at, where a model states it."""
        ref = await self.device.find(*_DISCHARGE)
        if ref is None:
            return None
        values = await self._values(Window(ref, _DISCHARGE[ref.id]))
        return next((value for value in values.values() if value), None)

    async def _read_soc(self) -> float | None:
        if self._soc is None:
            ref = await self.device.find(*_SOC)
            if ref is None:
                return None
            self._soc = Window(ref, (_SOC[ref.id],))
        soc_pct = (await self._values(self._soc))[_SOC[self._soc.ref.id]]
        if soc_pct is None:
            return None
        if not 0 <= soc_pct <= _PCT:
            raise BadData(f"a state of charge of {soc_pct:g} % is not possible")
        return soc_pct / _PCT

    async def _values(self, window: Window) -> Mapping[str, float | None]:
        return window.decode((await self._read(window)).words)

    def _forget(self) -> None:
        super()._forget()
        self._storage = self._soc = None
