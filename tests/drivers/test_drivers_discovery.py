"""Chains as real devices have them (quirks.md, "The model chain"), generated and served."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from pymodbus.constants import ExcCodes
from served_map import chain, common, device, model, serve

from drivers.bus import Bus
from drivers.errors import NotSunSpec, Timeout
from drivers.sunspec.device import SunSpecDevice

METER = model(203, {"W": 1, "W_SF": 0})
INVERTER = model(103, {"W": 1, "W_SF": 0})
VENDOR = [64020, 4, 1, 2, 3, 4]
SHORT_COMMON = common()[:-1]
SHORT_COMMON[1] = 65


@asynccontextmanager
async def over(registers: dict[int, int]) -> AsyncIterator[SunSpecDevice]:
    async with serve(device(1, registers)) as uri:
        bus = Bus(uri, timeout_s=2)
        yield SunSpecDevice(bus, 1)
        bus.close()


@pytest.mark.parametrize("base", [40000, 0, 50000])
async def test_each_base_is_found(base: int) -> None:
    async with over(chain(common(), METER, base=base)) as unit:
        found = await unit.discover()
    assert found.base == base
    assert [(ref.id, ref.address, ref.length) for ref in found.models] == [
        (1, base + 2, 66),
        (203, base + 70, 105),
    ]
    assert found.warnings == ()


async def test_model_1_of_65_registers_has_no_pad() -> None:
    async with over(chain(SHORT_COMMON, METER)) as unit:
        found = await unit.discover()
        points = (await unit.read_model(1)).values.points
    assert [ref.address for ref in found.models] == [40002, 40069]
    assert "Pad" not in points
    assert points["SN"] == "42"


async def test_vendor_models_are_skipped_by_length() -> None:
    async with over(chain(common(), VENDOR, [61234, 2, 9, 9], METER)) as unit:
        found = await unit.discover()
        read = await unit.read_model(found.models[2])
    assert [(ref.id, ref.name) for ref in found.models[1:]] == [
        (64020, "model_64020"),
        (61234, None),
        (203, "ac_meter_abcn"),
    ]
    assert dict(read.values.points) == {"ID": 61234, "L": 2}


async def test_a_second_common_model_is_the_next_device() -> None:
    async with over(chain(common(SN="1"), INVERTER, common(SN="2"), METER)) as unit:
        found = await unit.discover()
        serials = [(await unit.identity(common=refs[0])).serial for refs in found.devices()]
    assert [[ref.id for ref in refs] for refs in found.devices()] == [[1, 103], [1, 203]]
    assert serials == ["1", "2"]


async def test_any_order_and_repeated_models() -> None:
    async with over(chain(common(), model(160, {}), METER, INVERTER, METER)) as unit:
        found = await unit.discover()
    assert [ref.id for ref in found.models] == [1, 160, 203, 103, 203]


async def test_an_end_marker_of_one_register_is_an_end() -> None:
    async with over(chain(common(), METER, end=[0xFFFF])) as unit:
        found = await unit.discover()
    assert [ref.id for ref in found.models] == [1, 203]
    assert found.warnings == ()


@pytest.mark.parametrize(
    ("end", "says"),
    [
        ([], "no end marker: exception 2 at 40177"),
        ([0, 0], "ends at 40177 with id 0"),
        ([0, 0, 0, 0, 0, 0], "with id 0"),
        ([714], "only the id 714 can be read at 40177"),
        ([714, 93], "no end marker: exception 2 at 40272"),
    ],
)
async def test_a_broken_end_keeps_what_was_found(end: list[int], says: str) -> None:
    async with over(chain(common(), METER, end=end)) as unit:
        found = await unit.discover()
    assert [ref.id for ref in found.models][:2] == [1, 203]
    assert len(found.warnings) == 1
    assert says in found.warnings[0]


async def test_a_wrong_length_of_model_1_is_told_and_does_not_run_away() -> None:
    wrong = [1, 15, *([0] * 40)]
    async with over(chain(wrong, end=[])) as unit:
        found = await unit.discover()
    assert [ref.id for ref in found.models] == [1]
    assert any("states a length of 15" in warning for warning in found.warnings)


async def test_an_endless_chain_is_bounded() -> None:
    async with over(
        {**chain(common(), end=[]), **{40070 + i: 7 if i % 2 == 0 else 0 for i in range(2000)}}
    ) as unit:
        found = await unit.discover()
    assert len(found.models) == 256
    assert "has no end" in found.warnings[-1]


async def test_a_chain_that_ends_beyond_the_last_address() -> None:
    async with over({40000: 0x5375, 40001: 0x6E53, 40002: 1, 40003: 65000}) as unit:
        found = await unit.discover()
    assert "has no end" in found.warnings[-1]


async def test_another_protocol_is_not_sunspec() -> None:
    async with over({40000: 0xE3DC, 40001: 0x0102}) as unit:
        with pytest.raises(NotSunSpec, match="40000: 0xE3DC 0x0102; 0: exception 2; 50000: exception 2"):
            await unit.discover()


async def test_a_chain_without_common_model_is_told() -> None:
    async with over(chain(METER)) as unit:
        found = await unit.discover()
    assert "starts with model 203" in found.warnings[0]


async def test_a_group_count_beyond_the_length_is_cut() -> None:
    curve = model(705, {"V_SF": -2}, {"NPt": 4, "NCrv": 3})
    curve[6] = 9
    async with over(chain(common(), curve)) as unit:
        read = await unit.read_model(705)
    assert len(read.values.groups["Crv"]) == 3
    assert "9 of group Crv are announced, the length holds 3" in read.warnings


async def test_a_length_that_does_not_fit_its_groups_keeps_the_whole_ones() -> None:
    mppt = model(160, {"module.0.ID": 1, "module.1.ID": 2}, repeats=2)
    mppt[1] += 7
    async with over(chain(common(), [*mppt, *([0] * 7)])) as unit:
        read = await unit.read_model(160)
    assert [group.points["ID"] for group in read.values.groups["module"]] == [1, 2]
    assert "leaves 7 registers over" in read.warnings[0]


async def test_a_model_shorter_than_its_definition_has_absent_points() -> None:
    short = METER[:40]
    short[1] = 38
    async with over(chain(common(), short)) as unit:
        points = (await unit.read_model(203)).values.points
    assert points["W"] == 1
    assert points["Evt"] is None


async def test_silence_is_a_time_out() -> None:
    async def deaf(*_: object) -> ExcCodes | None:
        await asyncio.sleep(0.3)
        return None

    async with serve(device(1, dict.fromkeys((0, 1, 40000, 40001, 50000, 50001), 1), deaf)) as uri:
        bus = Bus(uri, timeout_s=0.02)
        with pytest.raises(Timeout):
            await SunSpecDevice(bus, 1).discover()
        bus.close()
        await asyncio.sleep(0.35)
