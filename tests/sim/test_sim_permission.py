"""An inverter that keeps to its minimum is switched off by its permission, over real sockets, both generations."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from hand_moved_site import HandMoved
from scanned_device import scanned

from drivers.bus import Buses
from drivers.factory import make_inverter
from drivers.limit import LimitBlock
from drivers.permission import SunSpecPermission
from drivers.protocol import Inverter, Outcome, WriteResult
from edge.model.site import Der
from sim.simfile import DEMO, load_simfile

POINTS = {"inverter-1": (703, "ES"), "inverter-2": (123, "Conn")}
MIN_PCT = 10.0


@asynccontextmanager
async def served() -> AsyncIterator[HandMoved]:
    """The demo's devices, their inverters with a minimum and behind no contact."""
    sim = load_simfile(DEMO)
    units = tuple(unit.model_copy(update={"min_pct": MIN_PCT}) for unit in sim.inverter)
    async with HandMoved(sim.model_copy(update={"inverter": units, "coil": ()})) as site:
        site.run(20.0)
        yield site


def made_w(site: HandMoved, role: str) -> float:
    index = [unit.role for unit in site.plant.sim.inverter].index(role)
    return float(site.plant.fleet.power_w[index])


def shipped(buses: Buses, site: HandMoved, role: str, told_zero: str) -> Inverter:
    """The driver that the agent would take for a site file that says so."""
    der = Der.model_validate(
        {
            "name": role,
            "uri": f"tcp://127.0.0.1:{site.port(role)}?unit=1",
            "profile": "sunspec-7xx",
            "nameplate_w": 1000.0,
            "dead_time_s": 0.2,
            "slope_pct_per_s": 100.0,
            "min_pct": MIN_PCT,
            "told_zero": told_zero,
        }
    )
    return make_inverter(buses, der)


@pytest.mark.parametrize("role", POINTS)
async def test_told_nothing_it_makes_nothing_and_comes_back_under_its_limit(role: str) -> None:
    model, point = POINTS[role]
    buses = Buses()
    async with served() as site:
        inverter = shipped(buses, site, role, "keeps_minimum")
        await inverter.identify()
        assert (await inverter.write_limit(0.0)).outcome is Outcome.VERIFIED
        site.run(5.0)
        assert made_w(site, role) == 0.0
        assert (await scanned(site, role))[model][point] == 0
        told = await inverter.write_limit(9_000.0)
        assert told.outcome is Outcome.VERIFIED
        assert told.found["limit_w"] == pytest.approx(9_000.0, abs=100.0)
        assert (await scanned(site, role))[model][point] == 1
        site.run(5.0)
        assert 0.0 < made_w(site, role) <= 9_000.0
        buses.close()


@pytest.mark.parametrize("role", POINTS)
async def test_one_that_stops_by_itself_keeps_its_permission(role: str) -> None:
    model, point = POINTS[role]
    buses = Buses()
    async with served() as site:
        inverter = shipped(buses, site, role, "stops")
        await inverter.identify()
        assert (await inverter.write_limit(0.0)).outcome is Outcome.VERIFIED
        site.run(5.0)
        assert made_w(site, role) == pytest.approx(MIN_PCT / 100 * nameplate_w(site, role))
        assert (await scanned(site, role))[model][point] == 1
        buses.close()


def nameplate_w(site: HandMoved, role: str) -> float:
    return next(unit.nameplate_w for unit in site.plant.sim.inverter if unit.role == role)


async def test_a_permission_that_is_not_taken_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    async def not_taken(_self: SunSpecPermission, *, given: bool) -> WriteResult:
        return WriteResult(
            Outcome.MISMATCH, {"Conn": int(given)}, {"Conn": 1}, "reads back differently: Conn"
        )

    buses = Buses()
    async with served() as site:
        inverter = shipped(buses, site, "inverter-2", "keeps_minimum")
        await inverter.identify()
        monkeypatch.setattr(SunSpecPermission, "give", not_taken)
        told = await inverter.write_limit(0.0)
        assert told.outcome is Outcome.MISMATCH
        assert told.reason == "its permission: reads back differently: Conn"
        assert told.found["limit_w"] == 0.0
        buses.close()


async def test_without_a_limit_that_was_read_back_it_may_not_come_back(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async def not_in_force(_self: LimitBlock, fraction: float, w_max_w: float | None) -> WriteResult:
        del fraction, w_max_w
        return WriteResult(
            Outcome.MISMATCH, {"limit_w": 9_000.0}, {"limit_w": None}, "reads back differently"
        )

    buses = Buses()
    async with served() as site:
        inverter = shipped(buses, site, "inverter-1", "keeps_minimum")
        await inverter.identify()
        await inverter.write_limit(0.0)
        monkeypatch.setattr(LimitBlock, "write_limit", not_in_force)
        assert (await inverter.write_limit(9_000.0)).outcome is Outcome.MISMATCH
        assert (await scanned(site, "inverter-1"))[703]["ES"] == 0
        site.run(5.0)
        assert made_w(site, "inverter-1") == 0.0
        buses.close()
