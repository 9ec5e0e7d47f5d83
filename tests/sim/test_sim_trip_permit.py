"""A trip through the permit service over real sockets: the simulated inverter ceases in time, and comes back by itself."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from hand_moved_site import HandMoved
from scanned_device import scanned

from drivers.bus import Buses
from drivers.errors import BadData
from drivers.factory import make_trip_output
from edge.model.site import Der, PermitService
from sim.simfile import DEMO, load_simfile

STEP_S = 0.05


@asynccontextmanager
async def served() -> AsyncIterator[tuple[HandMoved, Buses]]:
    """The demo's devices behind no contact, in full sun, and lines to them."""
    sim, buses = load_simfile(DEMO), Buses()
    async with HandMoved(sim.model_copy(update={"coil": ()})) as site:
        try:
            yield site, buses
        finally:
            buses.close()


def der(site: HandMoved, role: str) -> Der:
    unit = next(unit for unit in site.plant.sim.inverter if unit.role == role)
    return Der(
        name=role,
        uri=f"tcp://127.0.0.1:{site.port(role)}?unit=1",
        profile="sunspec-7xx",
        nameplate_w=unit.nameplate_w,
        dead_time_s=0.2,
        slope_pct_per_s=100.0,
    )


def made_w(site: HandMoved) -> float:
    return float(site.plant.fleet.power_w[0])


async def test_without_its_permit_it_ceases_within_its_time_and_shows_it() -> None:
    async with served() as (site, buses):
        site.run(20.0)
        declared = PermitService(name="permit-1", kind="permit-service", der="inverter-1")
        output = make_trip_output(buses, declared, [der(site, "inverter-1")])
        assert output.dead_man_s is None
        assert await output.read() is True
        full_w = made_w(site)
        assert full_w > 10_000.0
        await output.open()
        assert (await scanned(site, "inverter-1"))[703]["ES"] == 0
        took_s = 0.0
        while made_w(site) > 0.02 * full_w:
            site.run(STEP_S)
            took_s += STEP_S
        assert took_s <= declared.actuation_s, "IEEE 1547-2018 4.6.1"
        assert await output.read() is False
        site.run(30.0)
        assert made_w(site) == 0.0, "nothing gives it back"

        await output.hold()
        assert (await scanned(site, "inverter-1"))[703]["ES"] == 1
        assert await output.read() is True
        site.run(30.0)
        assert made_w(site) > 0.9 * full_w, "by its own enter service"


async def test_silence_leaves_a_permit_where_it_is() -> None:
    async with served() as (site, buses):
        declared = PermitService(name="permit-1", kind="permit-service", der="inverter-1")
        output = make_trip_output(buses, declared, [der(site, "inverter-1")])
        await output.hold()
        site.run(60.0)
        assert made_w(site) > 10_000.0, (
            "703 has no timer: this is why check refuses it for a 2-second element"
        )


async def test_an_inverter_of_the_older_models_has_no_permit_service() -> None:
    async with served() as (site, buses):
        declared = PermitService(name="permit-2", kind="permit-service", der="inverter-2")
        output = make_trip_output(buses, declared, [der(site, "inverter-2")])
        with pytest.raises(BadData, match="no SunSpec model 703"):
            await output.open()
