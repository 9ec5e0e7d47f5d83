"""Constant reactive power of an inverter: SunSpec 704, and 123 for older ones.

It ends by itself after a silence where the device has a timer for it; 123 need not have one.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from drivers.errors import BadData, DriverError, layout_changed
from drivers.protocol import Value, WriteResult
from drivers.sunspec.device import SunSpecDevice

REVERT_S = 10
"""After so long without a write the inverter goes back to no reactive power of ours."""

_PCT = 100.0
_VA_MAX_PCT, _W_MAX_PCT = 3, 1  # 704 VarSetMod, 123 VArPct_Mod


@dataclass(frozen=True, slots=True)
class _Way:
    """The points of one model: value, what it is a percentage of, and what else goes with each write."""

    value: str
    base: tuple[tuple[int, str], ...]
    timer: Mapping[str, Value]
    others: Mapping[str, Value]


_WAYS = {
    704: _Way(
        "VarSetPct",
        ((702, "VAMax"), (702, "VAMaxRtg")),
        {"VarSetEnaRvrt": 0, "VarSetRvrtTms": REVERT_S},
        {"VarSetMod": _VA_MAX_PCT, "VarSetEna": 1},
    ),
    123: _Way(
        "VArWMaxPct",
        ((121, "WMax"), (120, "WRtg")),
        {"VArPct_RvrtTms": REVERT_S},
        {"VArPct_Mod": _W_MAX_PCT, "VArPct_Ena": 1},
    ),
}


class SunSpecReactive:
    """The reactive power of one inverter, in var, injection positive."""

    def __init__(self, device: SunSpecDevice) -> None:
        self._device = device
        self._model = 0
        self._base = 0.0
        self._timer: Mapping[str, Value] = {}

    async def write_var(self, var: float) -> WriteResult:
        """Make `var` from now on, and nothing after `REVERT_S` of silence; `wanted` and `found` hold `var`.

        Raises:
            DriverError: The device does not answer, has neither model, or states no rating.
        """
        try:
            if not self._model:
                await self._look()
            way = _WAYS[self._model]
            share = min(max(var / self._base, -1.0), 1.0)
            values = {way.value: share * _PCT, **self._timer, **way.others}
            result = await self._device.write_points(self._model, values)
        except DriverError as error:
            if layout_changed(error):
                self._device.forget()
                self._model = 0
            raise
        return WriteResult(
            result.outcome, self._shown(result.wanted), self._shown(result.found), result.reason
        )

    def _shown(self, values: Mapping[str, Value | None]) -> dict[str, float]:
        pct = values.get(_WAYS[self._model].value)
        return {"var": pct * self._base / _PCT} if isinstance(pct, int | float) else {}

    async def _look(self) -> None:
        """Which model it has, whether with a timer, and what its percentage is of; pinned until it looks otherwise."""
        ref = await self._device.need(*_WAYS)
        shown = (await self._device.read_model(ref)).values.points
        timer = _WAYS[ref.id].timer
        self._timer = timer if all(shown.get(name) is not None for name in timer) else {}
        for model, name in _WAYS[ref.id].base:
            if await self._device.find(model) is None:
                continue
            stated = (await self._device.read_model(model)).values.points.get(name)
            if isinstance(stated, int | float) and stated > 0:
                self._model, self._base = ref.id, float(stated)
                return
        named = " nor ".join(f"{model} {name}" for model, name in _WAYS[ref.id].base)
        raise BadData(f"neither {named} states a rating: a percentage of it means nothing")
