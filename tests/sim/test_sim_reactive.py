"""Reactive power told to simulated inverters of both generations, over real sockets, read by pysunspec2."""

from __future__ import annotations

from typing import Any

import pytest
from hand_moved_site import HandMoved
from scanned_device import scanned

from drivers.bus import Buses
from drivers.errors import BadData
from drivers.protocol import Outcome
from drivers.reactive import REVERT_S, SunSpecReactive
from drivers.sunspec.device import SunSpecDevice
from drivers.uri import ModbusUri
from sim.simfile import DEMO, load_simfile


def driver(site: HandMoved, role: str) -> tuple[Buses, SunSpecReactive]:
    buses = Buses()
    bus = buses.open(ModbusUri.parse(f"tcp://127.0.0.1:{site.port(role)}?unit=1"), timeout_s=2.0, retries=1)
    return buses, SunSpecReactive(SunSpecDevice(bus, 1))


def made_var(site: HandMoved, role: str) -> float:
    index = [unit.role for unit in site.plant.sim.inverter].index(role)
    return float(site.plant.fleet.q_pu[index] * site.plant.sim.inverter[index].nameplate_w)


POINTS: dict[str, tuple[int, str, str]] = {
    "inverter-1": (704, "VarSetPct", "VarSetEna"),
    "inverter-2": (123, "VArWMaxPct", "VArPct_Ena"),
}


@pytest.mark.parametrize(("role", "base"), [("inverter-1", 22_000.0), ("inverter-2", 80_000.0)])
async def test_it_is_made_and_read_back(role: str, base: float) -> None:
    async with HandMoved() as site:
        buses, reactive = driver(site, role)
        site.run(20.0)
        told = await reactive.write_var(-3_000.0)
        assert told.outcome is Outcome.VERIFIED
        assert told.found["var"] == pytest.approx(-3_000.0, abs=1e-3 * base)
        model, pct, enable = POINTS[role]
        shown: dict[str, Any] = (await scanned(site, role))[model]
        assert (shown[pct], shown[enable]) == (pytest.approx(-3_000.0 / base * 100, abs=0.01), 1)
        buses.close()


async def test_a_device_with_a_timer_lets_go_after_a_silence() -> None:
    async with HandMoved() as site:
        buses, reactive = driver(site, "inverter-1")
        site.run(20.0)
        for _ in range(2):
            await reactive.write_var(-3_000.0)
            site.run(REVERT_S - 1.0)
            assert (await scanned(site, "inverter-1"))[704]["VarSetEna"] == 1
        assert made_var(site, "inverter-1") == pytest.approx(-3_000.0, rel=0.05)
        site.run(2.0)
        assert (await scanned(site, "inverter-1"))[704]["VarSetEna"] == 0
        site.run(30.0)
        assert made_var(site, "inverter-1") == pytest.approx(0.0, abs=50.0)
        buses.close()


async def test_more_than_the_rating_is_all_of_it() -> None:
    async with HandMoved() as site:
        buses, reactive = driver(site, "inverter-1")
        told = await reactive.write_var(1e9)
        assert told.found["var"] == pytest.approx(22_000.0)
        buses.close()


async def test_an_inverter_without_a_rating_or_a_model_for_it_is_told_apart() -> None:
    demo = load_simfile(DEMO)
    bare = demo.inverter[0].model_copy(update={"models": (1, 701, 704)})
    none = demo.inverter[1].model_copy(update={"models": (1, 103, 120, 121)})
    async with HandMoved(demo.model_copy(update={"inverter": (bare, none)})) as site:
        for role, said in (("inverter-1", "702 VAMax nor 702 VAMaxRtg"), ("inverter-2", "704 or 123")):
            buses, reactive = driver(site, role)
            with pytest.raises(BadData, match=said):
                await reactive.write_var(100.0)
            buses.close()
