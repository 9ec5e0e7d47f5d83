"""The active-power limit of an inverter: SunSpec 704, and 123 for older ones.

Each write goes out in one request and is read back together with its scale factor.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass

from drivers.bus import Bus
from drivers.protocol import Outcome, Value, WriteResult
from drivers.sunspec.discovery import ModelRef
from drivers.verified import VerifiedBlock

_PCT = 100.0
_SCALE = "WMaxLimPct_SF"
_ENABLED = 1


@dataclass(slots=True)
class Safe:
    """The reversion set up on a device: a share of WMax after a silence; survives a new look at the device."""

    fraction: float
    timer_s: int


class LimitBlock(VerifiedBlock, ABC):
    """The registers of one model that limit the output. Shares of WMax go from 0 to 1.

    Where WMax is unknown (None) only a share of 0 has a value in W; any other reads as None, no known limit.
    """

    points: tuple[str, ...]
    enable: str

    def __init__(self, bus: Bus, unit: int, ref: ModelRef, safe: Safe | None) -> None:
        super().__init__(bus, unit, ref, self.points, _SCALE)
        self.safe = safe

    @abstractmethod
    def values(self, fraction: float) -> dict[str, Value]:
        """What a write of a limit holds, on a device as last read."""

    @abstractmethod
    async def set_reversion(self, safe: Safe, w_max_w: float | None) -> WriteResult:
        """Set up what happens after silence; `wanted` and `found` hold `safe_w` and `timer_s`."""

    async def write_limit(self, fraction: float, w_max_w: float | None) -> WriteResult:
        """Limit to a share of WMax, all in one request; `wanted` and `found` hold `limit_w`."""
        done = await self._write(lambda: self.values(fraction))
        wanted_w = self._limit_w(done.wanted, w_max_w) if done.wanted else _watts(fraction * _PCT, w_max_w)
        wanted = {} if wanted_w is None else {"limit_w": wanted_w}
        found = {"limit_w": self._limit_w(done.found, w_max_w)} if done.found else {}
        return WriteResult(done.outcome, wanted, found, done.reason)

    async def read_limit(self, w_max_w: float | None) -> float | None:
        """The limit in force in W, None when none is enabled."""
        return self._limit_w(self._window.decode(await self._read()), w_max_w)

    def _limit_w(self, values: Mapping[str, float | None], w_max_w: float | None) -> float | None:
        pct = values["WMaxLimPct"]
        return _watts(pct, w_max_w) if pct is not None and values[self.enable] == _ENABLED else None


class Limit704(LimitBlock):
    """DERCtlAC: after `WMaxLimPctRvrtTms` without a write the output falls to `WMaxLimPctRvrt`."""

    enable = "WMaxLimPctEna"
    points = ("WMaxLimPctEna", "WMaxLimPct", "WMaxLimPctRvrt", "WMaxLimPctEnaRvrt", "WMaxLimPctRvrtTms")

    def values(self, fraction: float) -> dict[str, Value]:
        """Enable and value; when set up, the whole reversion with them, so that each write re-asserts it."""
        reversion = _reversion(self.safe) if self.safe is not None else {}
        return {"WMaxLimPctEna": _ENABLED, "WMaxLimPct": fraction * _PCT, **reversion}

    async def set_reversion(self, safe: Safe, w_max_w: float | None) -> WriteResult:
        """Value, enable on reversion and timer in one request."""
        done = await self._write(lambda: _reversion(safe))
        if done.outcome is Outcome.VERIFIED:
            self.safe = safe
        wanted = {name: value for name, value in _shown(done.wanted, w_max_w).items() if value is not None}
        return WriteResult(
            done.outcome, wanted or _asked(safe, w_max_w), _shown(done.found, w_max_w), done.reason
        )


class Limit123(LimitBlock):
    """Immediate controls: no safe reversion, when its timer runs out the limit is released."""

    enable = "WMaxLim_Ena"
    points = ("WMaxLimPct", "WMaxLimPct_WinTms", "WMaxLimPct_RvrtTms", "WMaxLimPct_RmpTms", "WMaxLim_Ena")

    def values(self, fraction: float) -> dict[str, Value]:
        """Value and enable together, no window, no ramp, and no timer that would release the limit.

        All five registers go in one request. Times that the device does not implement are left out, as some
        devices refuse them: then the value goes first and the enable after it.
        """
        times = {name: 0 for name in self.points[1:4] if self._last[name] is not None}
        if len(times) < 3:
            times = {name: 0 for name in times if self._last[name]}
        return {"WMaxLimPct": fraction * _PCT, **times, "WMaxLim_Ena": _ENABLED}

    async def set_reversion(self, safe: Safe, w_max_w: float | None) -> WriteResult:
        """Always refused."""
        return WriteResult(
            Outcome.REFUSED,
            _asked(safe, w_max_w),
            {},
            "model 123 has no safe reversion value: when its timer runs out the limit is released",
        )


def _watts(pct: float, w_max_w: float | None) -> float | None:
    """Percent of WMax in W; none of it is 0 W even where WMax is unknown."""
    if pct == 0:
        return 0.0
    return None if w_max_w is None else pct * w_max_w / _PCT


def _asked(safe: Safe, w_max_w: float | None) -> dict[str, Value]:
    safe_w = _watts(safe.fraction * _PCT, w_max_w)
    return {"timer_s": safe.timer_s} if safe_w is None else {"safe_w": safe_w, "timer_s": safe.timer_s}


def _reversion(safe: Safe) -> dict[str, Value]:
    return {
        "WMaxLimPctRvrt": safe.fraction * _PCT,
        "WMaxLimPctEnaRvrt": _ENABLED,
        "WMaxLimPctRvrtTms": safe.timer_s,
    }


def _shown(values: Mapping[str, float | None], w_max_w: float | None) -> dict[str, float | None]:
    if not values:
        return {}
    pct = values["WMaxLimPctRvrt"]
    in_force = values["WMaxLimPctEnaRvrt"] == _ENABLED
    safe_w = _watts(pct, w_max_w) if pct is not None and in_force else None
    return {"safe_w": safe_w, "timer_s": values["WMaxLimPctRvrtTms"]}
