"""What only one kind of inverter can do: 704 with its reversion, 123 without."""

from __future__ import annotations

import pytest
from inverter_bench import der_7xx, over, pv_1xx
from served_map import model

from drivers.protocol import Outcome


async def test_704_is_written_in_one_request_with_its_reversion_whole() -> None:
    plant = der_7xx()
    async with over(plant) as inverter:
        result = await inverter.set_reversion(4000, 10)
        assert result.verified, result.reason
        assert result.found == {"safe_w": 4000, "timer_s": 10}
        assert plant.writes == [(16, [200, 1, 0, 10])]
        plant.writes.clear()
        assert (await inverter.write_limit(5000)).verified
    assert plant.writes == [(14, [1, 250, 200, 1, 0, 10])]


async def test_704_without_reversion_leaves_that_of_the_device_alone() -> None:
    plant = der_7xx(WMaxLimPctRvrt=70, WMaxLimPctRvrtTms=30)
    async with over(plant) as inverter:
        await inverter.write_limit(5000)
    assert plant.writes == [(14, [1, 250])]


async def test_704_reversion_that_is_ignored_is_a_mismatch_and_not_repeated() -> None:
    plant = der_7xx()
    plant.ignores = True
    async with over(plant) as inverter:
        assert (await inverter.set_reversion(4000, 10)).outcome is Outcome.MISMATCH
        plant.ignores = False
        plant.writes.clear()
        await inverter.write_limit(5000)
    assert plant.writes == [(14, [1, 250])]


@pytest.mark.parametrize(("safe_w", "timer_s"), [(-1, 10), (4000, -5)])
async def test_an_impossible_reversion_is_refused(safe_w: float, timer_s: int) -> None:
    plant = der_7xx()
    async with over(plant) as inverter:
        assert (await inverter.set_reversion(safe_w, timer_s)).outcome is Outcome.REFUSED
    assert plant.writes == []


async def test_123_is_written_in_one_request_without_a_timer_that_releases() -> None:
    plant = pv_1xx()
    async with over(plant) as inverter:
        assert (await inverter.write_limit(5000)).verified
    assert plant.writes == [(5, [250, 0, 0, 0, 1])]


async def test_123_times_that_are_not_implemented_are_left_out() -> None:
    none = 0xFFFF
    plant = pv_1xx(WMaxLimPct_WinTms=none, WMaxLimPct_RvrtTms=none, WMaxLimPct_RmpTms=none)
    async with over(plant) as inverter:
        assert (await inverter.write_limit(5000)).verified
    assert plant.writes == [(5, [250]), (9, [1])]


async def test_123_with_only_a_reversion_timer_is_told_not_to_use_it() -> None:
    plant = pv_1xx(WMaxLimPct_WinTms=0xFFFF, WMaxLimPct_RmpTms=0xFFFF)
    async with over(plant) as inverter:
        assert (await inverter.write_limit(5000)).verified
        assert plant.writes == [(5, [250]), (7, [0]), (9, [1])]
        plant.writes.clear()
        assert (await inverter.write_limit(4000)).verified
    assert plant.writes == [(5, [200]), (9, [1])]


async def test_123_has_no_safe_reversion() -> None:
    plant = pv_1xx()
    async with over(plant) as inverter:
        result = await inverter.set_reversion(4000, 10)
    assert result.outcome is Outcome.REFUSED
    assert "limit is released" in result.reason
    assert plant.writes == []


async def test_704_is_preferred_where_both_exist() -> None:
    both = der_7xx()
    end = max(both.words) - 1
    legacy = model(123, {"WMaxLimPct": 100, "WMaxLim_Ena": 1, "WMaxLimPct_SF": 0})
    both.words |= {end + i: word for i, word in enumerate([*legacy, 0xFFFF, 0])}
    async with over(both) as inverter:
        assert await inverter.read_limit() is None
        await inverter.write_limit(5000)
    assert both.writes == [(14, [1, 250])]
