"""Inverters by SunSpec: the 7xx models (704 reverts to a safe value) and the 1xx models (123 fails open).

Limits are watts outside and percent of WMax on the wire. WMax is pinned when first read: a rating of 0 at
night or one that someone changes must not turn into another limit.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from drivers.bus import Bus, Registers
from drivers.errors import BadData, DriverError, OutOfRange, layout_changed
from drivers.limit import Limit123, Limit704, LimitBlock, Safe
from drivers.meter_sunspec import line_to_neutral
from drivers.permission import SunSpecPermission
from drivers.protocol import Outcome, WriteResult
from drivers.sunspec.device import SunSpecDevice
from drivers.sunspec.window import Window
from edge.model.readings import DerRaw, Identity

_MEASURE = (701, 103, 102, 101, 113, 112, 111)
_RATINGS = {702: ("WMaxRtg", "VAMaxRtg"), 120: ("WRtg", "VARtg")}
_PHASE_V = ("PhVphA", "PhVphB", "PhVphC")
_W_MAX = ("WMax", "WMaxRtg", "WRtg")
_MEASURED = ("W", "LNV", "LLV", "Hz", *_PHASE_V, "PPVphAB")


class SunSpecInverter:
    """One inverter; 704 is preferred where both it and 123 exist.

    One that `keeps_minimum` at a limit of 0 has its permission taken back then, and given again with a higher limit.
    """

    def __init__(self, bus: Bus, unit: int, *, keeps_minimum: bool = False) -> None:
        self.device = SunSpecDevice(bus, unit)
        self._permission = SunSpecPermission(self.device) if keeps_minimum else None
        self._measure: Window | None = None
        self._setting: Window | None = None
        self._block: LimitBlock | None = None
        self._w_max_w: float | None = None
        self._w_max_point = ""
        self._w_max_fault = ""
        self._safe: Safe | None = None

    async def identify(self) -> Identity:
        """Who it is, with its nameplate; the chain is walked anew.

        Raises:
            BadData: no usable rating, or another one than before.
        """
        self._forget()
        nameplate = await self._nameplate()
        identity = await self.device.identity(nameplate)
        await self._look_at_w_max()
        if self._w_max_fault:
            raise BadData(self._w_max_fault)
        return identity

    async def measure(self) -> DerRaw:
        """Output, voltage and frequency from one request; an answer of zeros throughout is None."""
        window = self._measure
        if window is None:
            ref = await self.device.need(*_MEASURE)
            window = self._measure = Window(ref, _MEASURED)
        answer = await self._read(window)
        values = window.decode(answer.words)
        return DerRaw(
            request_sent_s=answer.sent_s,
            received_s=answer.received_s,
            output_w=values["W"],
            v_v=_voltage(values),
            f_hz=values["Hz"],
            raw=window.raw(answer.words),
        )

    async def write_limit(self, limit_w: float) -> WriteResult:
        """Limit the output, rounded down to the device's resolution; `wanted` and `found` hold `limit_w`.

        A limit of 0 W goes out whatever WMax is, for it is 0 % of any.
        """
        wanted = {"limit_w": limit_w}
        try:
            share, w_max_w = await self._share(limit_w)
        except OutOfRange as error:
            return WriteResult(Outcome.REFUSED, wanted, {}, str(error))
        with self._looking_again():
            result = await (await self._limit_block()).write_limit(share, w_max_w)
            if self._permission is None or not result.verified:
                return result
            # Only under a limit that was read back may it come back.
            permitted = await self._permission.give(given=limit_w > 0)
        if permitted.verified:
            return result
        return WriteResult(
            Outcome.MISMATCH, result.wanted, result.found, f"its permission: {permitted.reason}"
        )

    async def read_limit(self) -> float | None:
        """The limit in force in W, None when none is enabled; WMax is checked on the way.

        Raises:
            BadData: WMax is not what it was when pinned, and the limit is not 0.
            OutOfRange: There is no WMax, and the limit is not 0.
        """
        await self._look_at_w_max()
        with self._looking_again():
            limit_w = await (await self._limit_block()).read_limit(self._w_max_w)
        if limit_w != 0:
            if self._w_max_fault:
                raise BadData(self._w_max_fault)
            self._need_w_max()
        return limit_w

    async def set_reversion(self, safe_w: float, timer_s: int) -> WriteResult:
        """Fall to `safe_w` after `timer_s` of silence, re-asserted by each limit written from now on."""
        wanted = {"safe_w": safe_w, "timer_s": timer_s}
        try:
            share, w_max_w = await self._share(safe_w)
        except OutOfRange as error:
            return WriteResult(Outcome.REFUSED, wanted, {}, str(error))
        safe = Safe(share, timer_s)
        with self._looking_again():
            result = await (await self._limit_block()).set_reversion(safe, w_max_w)
        if result.verified:
            self._safe = safe
        return result

    async def _share(self, limit_w: float) -> tuple[float, float | None]:
        """A limit as a share of WMax, at most all of it, and WMax; 0 is a share of any, None is an unknown one."""
        if not (math.isfinite(limit_w) and limit_w >= 0):
            raise OutOfRange(f"a limit of {limit_w:g} W is not possible")
        if self._w_max_w is None or self._w_max_fault:
            await self._look_at_w_max()
        if limit_w == 0:
            return 0.0, None if self._w_max_fault else self._w_max_w
        w_max_w = self._need_w_max()
        return min(1.0, limit_w / w_max_w), w_max_w

    @contextmanager
    def _looking_again(self) -> Iterator[None]:
        """A device that does not look as it did is walked again before the next use."""
        try:
            yield
        except DriverError as error:
            if layout_changed(error):
                self._forget()
            raise

    async def _nameplate(self) -> tuple[float | None, float | None]:
        ref = await self.device.find(*_RATINGS)
        if ref is None:
            return None, None
        names = _RATINGS[ref.id]
        window = Window(ref, names)
        values = window.decode((await self._read(window)).words)
        return values[names[0]] or None, values[names[1]] or None

    def _need_w_max(self) -> float:
        if self._w_max_fault:
            raise OutOfRange(self._w_max_fault)
        if self._w_max_w is None:
            raise OutOfRange("the inverter states no WMax, so percent of it means nothing")
        return self._w_max_w

    async def _look_at_w_max(self) -> None:
        """Pin WMax, or hold it against what was pinned; absent or 0, as at night, says nothing new.

        Which point states it is settled with the first: when WMax goes out at night, its rating is no successor.
        """
        if self._setting is None:
            ref = await self.device.need(702, 121, 120)
            self._setting = Window(ref, _W_MAX)
        values = self._setting.decode((await self._read(self._setting)).words)
        if self._w_max_w is None:
            stated = (name for name in _W_MAX if values[name])
            self._w_max_point = next(stated, "")
            self._w_max_w = values.get(self._w_max_point)
            return
        w_max_w = values[self._w_max_point]
        if not w_max_w:
            return
        self._w_max_fault = ""
        if w_max_w != self._w_max_w:
            self._w_max_fault = (
                f"WMax of unit {self.device.unit} changed from {self._w_max_w:g} W to {w_max_w:g} W: "
                "limits in percent would mean something else"
            )

    async def _limit_block(self) -> LimitBlock:
        if self._block is None:
            ref = await self.device.need(704, 123)
            kind = Limit704 if ref.id == 704 else Limit123
            self._block = kind(self.device.bus, self.device.unit, ref, self._safe)
        return self._block

    async def _read(self, window: Window) -> Registers:
        with self._looking_again():
            answer = await self.device.bus.read(self.device.unit, window.ref.address, window.count)
            window.check(answer.words)
            return answer

    def _forget(self) -> None:
        self.device.forget()
        self._measure = self._setting = self._block = None


def _voltage(values: Mapping[str, float | None]) -> float | None:
    """Line to neutral: 701 states it; single-phase 101 units may fill only PPVphAB, which then is it."""
    phases = [values[name] for name in _PHASE_V]
    v = line_to_neutral(values["LNV"], phases, values["LLV"])
    return values["PPVphAB"] if v is None else v
