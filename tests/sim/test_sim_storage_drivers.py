"""The shipped driver of storage on the simulated devices, over a socket: bands and set-points that hold, or are refused."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, Literal

import pytest
from hand_moved_site import HandMoved
from site_tables import battery, site_of

from drivers.bus import Bus
from drivers.protocol import Inverter, Outcome, Storage
from drivers.storage_sunspec import SunSpecStorage
from drivers.uri import ModbusUri
from sim.files.script import ScriptEvent

BAND = [1, 103, 120, 121, 123, 124, 713]
OPERATED = [1, 701, 702, 704, 713]
CELL = {"capacity_wh": 40_000.0, "soc_pu": 0.5, "charge_w": 10_000.0, "discharge_w": 16_000.0}


@asynccontextmanager
async def unit(
    operation: Literal["band", "setpoint"], models: list[int] | None = None, **cell: Any
) -> AsyncIterator[tuple[SunSpecStorage, HandMoved]]:
    """A storage unit of 20 kW that charges at 10 kW and discharges at 16 kW, and its driver."""
    chain = models or (BAND if operation == "band" else OPERATED)
    async with HandMoved(site_of(battery(1, models=chain, storage=CELL | cell))) as moved:
        bus = Bus(ModbusUri.parse(f"tcp://127.0.0.1:{moved.port('battery-1')}?unit=1"), timeout_s=2.0)
        try:
            storage = SunSpecStorage(bus, 1, operation)
            await storage.identify()
            yield storage, moved
        finally:
            bus.close()


def wants(moved: HandMoved, power_w: float) -> float:
    """What the unit gives, a while after its own wish came to `power_w`."""
    moved.plant.apply(ScriptEvent(at_s=0.0, role="battery-1", wish_w=power_w))
    moved.run(3.0)
    return float(moved.plant.fleet.power_w[0])


async def test_it_keeps_to_both_protocols() -> None:
    async with unit("band") as (storage, _):
        assert isinstance(storage, Storage)
        inverter: Inverter = storage
        assert (await inverter.identify()).nameplate_w == 20_000


async def test_a_band_is_written_read_back_and_in_force() -> None:
    async with unit("band") as (storage, moved):
        assert await storage.read_band() == (None, None)
        result = await storage.write_band(4_000.0, -2_500.0)
        assert result.verified
        assert result.wanted == result.found == {"limit_w": 4_000.0, "floor_w": -2_500.0}
        assert await storage.read_band() == (4_000.0, -2_500.0)
        assert wants(moved, 20_000.0) == pytest.approx(4_000.0)
        assert wants(moved, -20_000.0) == pytest.approx(-2_500.0)
        assert wants(moved, 1_000.0) == pytest.approx(1_000.0)


async def test_an_order_to_absorb_forces_and_a_band_of_nothing_stops() -> None:
    async with unit("band") as (storage, moved):
        assert (await storage.write_band(-3_000.0, -5_000.0)).verified
        assert wants(moved, 20_000.0) == pytest.approx(-3_000.0, abs=1.0)
        assert (await storage.write_band(0.0, 0.0)).verified
        assert wants(moved, -20_000.0) == 0.0


async def test_each_end_is_rounded_to_less_and_where_they_cross_less_is_absorbed() -> None:
    async with unit("band") as (storage, _):
        result = await storage.write_band(4_000.9, -2_500.9)
        assert result.found == {"limit_w": pytest.approx(4_000.0), "floor_w": pytest.approx(-2_500.0)}
        result = await storage.write_band(-3_001.0, -3_001.0)
        assert result.verified
        assert result.found == {"limit_w": pytest.approx(-3_000.0), "floor_w": pytest.approx(-3_001.0)}
        assert (await storage.write_band(99_000.0, -99_000.0)).found == {
            "limit_w": 16_000.0,
            "floor_w": -10_000.0,
        }


async def test_what_is_no_band_is_refused_before_anything_is_sent() -> None:
    async with unit("band") as (storage, moved):
        for limit_w, floor_w in ((float("nan"), 0.0), (1.0, float("-inf")), (5.0, 1.0), (-5.0, -4.0)):
            assert (await storage.write_band(limit_w, floor_w)).outcome is Outcome.REFUSED
        assert moved.plant.fleet.band.mode[0] == 0


async def test_a_band_has_no_safe_reversion_and_its_timer_is_switched_off() -> None:
    async with unit("band") as (storage, moved):
        moved.plant.fleet.band.revert_after_s[0] = 60.0
        assert (await storage.set_reversion(0.0, 10)).outcome is Outcome.REFUSED
        assert (await storage.write_band(0.0, 0.0)).verified
        assert moved.plant.fleet.band.revert_after_s[0] == 0.0


async def test_a_set_point_is_written_read_back_in_force_and_reverts() -> None:
    async with unit("setpoint") as (storage, moved):
        assert await storage.read_band() == (None, None)
        result = await storage.set_reversion(0.0, 4)
        assert result.verified
        assert result.found == {"safe_w": 0.0, "timer_s": 4}
        assert (await storage.write_band(5_000.0, 0.0)).found == {"limit_w": 5_000.0, "floor_w": 0.0}
        moved.run(2.0)
        assert moved.plant.fleet.power_w[0] == pytest.approx(5_000.0)
        assert (await storage.write_band(-5_000.0, -5_000.0)).found == {
            "limit_w": -5_000.0,
            "floor_w": -5_000.0,
        }
        moved.run(3.5)
        assert moved.plant.fleet.power_w[0] == pytest.approx(-5_000.0)
        moved.run(2.0)
        assert moved.plant.fleet.power_w[0] == 0.0
        assert await storage.read_band() == (0.0, 0.0)


async def test_a_fractional_set_point_is_rounded_down() -> None:
    async with unit("setpoint") as (storage, _):
        assert (await storage.write_band(1_000.9, 0.0)).found == {"limit_w": 1_000.0, "floor_w": 0.0}
        assert (await storage.write_band(-1_000.1, -1_000.1)).found == {
            "limit_w": -1_001.0,
            "floor_w": -1_001.0,
        }


@pytest.mark.parametrize("operation", ["band", "setpoint"])
async def test_the_state_of_charge_comes_with_the_measurement(operation: Literal["band", "setpoint"]) -> None:
    async with unit(operation) as (storage, _):
        first = await storage.measure()
        assert (first.soc_pu, first.output_w) == (0.5, 0.0)
        assert (await storage.measure()).soc_pu is None, "it is not asked for with each"


async def test_124_alone_states_the_charge_and_what_the_rates_are_of() -> None:
    async with unit("band", [1, 103, 121, 124]) as (storage, moved):
        assert (await storage.measure()).soc_pu == 0.5
        assert (await storage.write_band(5_000.0, 0.0)).found["limit_w"] == 5_000.0, "of WChaMax"
        assert wants(moved, 20_000.0) == pytest.approx(8_000.0), "this unit means another rating"
    async with unit("setpoint", [1, 701, 702, 704]) as (storage, _):
        assert (await storage.measure()).soc_pu is None


async def test_a_unit_that_takes_a_write_and_keeps_its_band_is_found() -> None:
    async with unit("band") as (storage, moved):
        write, moved.plant.fleet.band.write = moved.plant.fleet.band.write, lambda *_: None  # type: ignore[method-assign]
        result = await storage.write_band(4_000.0, -2_500.0)
        assert result.outcome is Outcome.MISMATCH
        assert result.found == {"limit_w": None, "floor_w": None}
        moved.plant.fleet.band.write = write  # type: ignore[method-assign]
        assert (await storage.write_band(4_000.0, -2_500.0)).verified
