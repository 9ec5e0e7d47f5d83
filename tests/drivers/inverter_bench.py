"""An inverter of either kind of SunSpec models, served: 7xx with model 704, 1xx with model 123."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from pymodbus.constants import ExcCodes
from served_map import chain, common, device, model, serve

from drivers.bus import Bus
from drivers.inverter_sunspec import SunSpecInverter
from drivers.protocol import Inverter


@dataclass
class Plant:
    """An inverter's map, and what is done to it."""

    words: dict[int, int]
    control: int
    ignores: bool = False
    refuses: bool = False
    silent_sf: int | None = None
    writes: list[tuple[int, list[int]]] = field(default_factory=list)
    poke: dict[int, int] = field(default_factory=dict)

    async def action(
        self,
        code: int,
        start: int,
        address: int,
        _count: int,
        current: list[int],
        new: list[int] | list[bool] | None,
    ) -> ExcCodes | None:
        for place, word in self.poke.items():
            current[place - start] = word
        if code != 16 or new is None:
            return None
        self.writes.append((address - self.control, [int(word) for word in new]))
        if self.refuses:
            return ExcCodes.DEVICE_FAILURE
        if self.ignores:
            new[:] = current[address - start : address - start + len(new)]  # type: ignore[assignment]  # words
        return None


def der_7xx(sf: int = -1, w_max: int = 2000, **limit: int) -> Plant:
    measure = {
        "W": 1500,
        "W_SF": 1,
        "LNV": 2771,
        "LLV": 4800,
        "V_SF": -1,
        "Hz": 60010,
        "Hz_SF": -3,
        "InvSt": 3,
    }
    rating = {"WMaxRtg": 2000, "WMax": w_max, "VAMaxRtg": 2200, "W_SF": 1, "VA_SF": 1}
    off = {"WMaxLimPctEna": 0, "WMaxLimPct": 100 * 10**-sf, "WMaxLimPctRvrt": 0, "WMaxLimPctEnaRvrt": 0}
    control = {**off, "WMaxLimPctRvrtTms": 0, "WMaxLimPct_SF": sf, **limit}
    words = chain(common(), model(701, measure), model(702, rating), model(704, control))
    return Plant(words, 40070 + 155 + 52)


def pv_1xx(sf: int = -1, w_max: int = 2000, **limit: int) -> Plant:
    measure = {
        "W": 1500,
        "W_SF": 1,
        "PhVphA": 2770,
        "PhVphB": 2771,
        "PhVphC": 2772,
        "V_SF": -1,
        "Hz": 6001,
        "Hz_SF": -2,
    }
    rating = {"WRtg": 2000, "WRtg_SF": 1, "VARtg": 2200, "VARtg_SF": 1}
    times = {"WMaxLimPct_WinTms": 0, "WMaxLimPct_RvrtTms": 60, "WMaxLimPct_RmpTms": 0}
    control = {"WMaxLimPct": 100 * 10**-sf, **times, "WMaxLim_Ena": 0, "WMaxLimPct_SF": sf, **limit}
    words = chain(
        common(),
        model(103, measure),
        model(120, rating),
        model(121, {"WMax": w_max, "WMax_SF": 1}),
        model(123, control),
    )
    return Plant(words, 40070 + 52 + 28 + 32)


KINDS = {"7xx": der_7xx, "1xx": pv_1xx}
W_MAX_AT = {"7xx": 40070 + 155 + 26, "1xx": 40070 + 52 + 28 + 2}


@asynccontextmanager
async def over(plant: Plant) -> AsyncIterator[Inverter]:
    async with serve(device(1, plant.words, plant.action)) as uri:
        bus = Bus(uri, timeout_s=2)
        yield SunSpecInverter(bus, 1)
        bus.close()
