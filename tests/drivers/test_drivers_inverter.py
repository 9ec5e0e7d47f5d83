"""What every inverter driver must do: identity, measuring, and limits that are proven by reading back."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from inverter_bench import KINDS, W_MAX_AT, der_7xx, over

from drivers.errors import BadData, Unreachable
from drivers.protocol import Outcome


@pytest.fixture(params=KINDS)
def kind(request: pytest.FixtureRequest) -> str:
    return str(request.param)


async def test_identity_has_the_nameplate(kind: str) -> None:
    async with over(KINDS[kind]()) as inverter:
        who = await inverter.identify()
    assert (who.manufacturer, who.serial) == ("Maker", "42")
    assert (who.nameplate_w, who.nameplate_va) == (20_000, 22_000)


async def test_measuring_is_positive_when_generating(kind: str) -> None:
    async with over(KINDS[kind]()) as inverter:
        raw = await inverter.measure()
    assert raw.output_w == 15_000
    assert raw.v_v == pytest.approx(277.1)
    assert raw.f_hz == pytest.approx(60.01)
    assert raw.request_sent_s < raw.received_s


async def test_a_limit_is_written_read_back_and_in_force(kind: str) -> None:
    async with over(KINDS[kind]()) as inverter:
        assert await inverter.read_limit() is None
        result = await inverter.write_limit(5000)
        assert result.outcome is Outcome.VERIFIED, result.reason
        assert result.wanted == result.found == {"limit_w": 5000}
        assert await inverter.read_limit() == 5000


async def test_a_limit_is_rounded_down_to_the_scale_factor(kind: str) -> None:
    async with over(KINDS[kind](sf=0)) as inverter:
        result = await inverter.write_limit(5199)
    assert result.verified
    assert result.found == {"limit_w": 5000}


@given(limit_w=st.floats(0, 30_000))
@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
async def test_what_is_in_force_never_exceeds_what_was_asked(kind: str, limit_w: float) -> None:
    async with over(KINDS[kind]()) as inverter:
        result = await inverter.write_limit(limit_w)
        in_force_w = await inverter.read_limit()
    assert result.verified
    assert in_force_w is not None
    assert in_force_w <= limit_w + 1e-3
    assert in_force_w > min(limit_w, 20_000) - 20 - 1e-3


@pytest.mark.parametrize("limit_w", [-1, float("nan"), float("inf"), -0.001])
async def test_an_impossible_limit_is_refused_without_a_write(kind: str, limit_w: float) -> None:
    plant = KINDS[kind]()
    async with over(plant) as inverter:
        result = await inverter.write_limit(limit_w)
    assert result.outcome is Outcome.REFUSED
    assert "is not possible" in result.reason
    assert plant.writes == []


async def test_a_limit_above_wmax_is_all_of_it(kind: str) -> None:
    async with over(KINDS[kind]()) as inverter:
        assert (await inverter.write_limit(50_000)).found == {"limit_w": 20_000}


async def test_a_write_that_is_ignored_is_a_mismatch(kind: str) -> None:
    plant = KINDS[kind]()
    plant.ignores = True
    async with over(plant) as inverter:
        result = await inverter.write_limit(5000)
    assert result.outcome is Outcome.MISMATCH
    assert result.wanted == {"limit_w": 5000}
    assert result.found == {"limit_w": None}


async def test_a_write_that_is_refused_says_so(kind: str) -> None:
    plant = KINDS[kind]()
    plant.refuses = True
    async with over(plant) as inverter:
        result = await inverter.write_limit(5000)
    assert result.outcome is Outcome.REFUSED
    assert "exception 4" in result.reason


async def test_no_rating_no_limit(kind: str) -> None:
    plant = KINDS[kind](w_max=0)
    for place in (W_MAX_AT[kind], 40070 + 155 + 2, 40070 + 52 + 3):
        plant.words[place] = 0
    async with over(plant) as inverter:
        result = await inverter.write_limit(5000)
    assert result.outcome is Outcome.REFUSED
    assert "states no WMax" in result.reason
    assert plant.writes == []


async def test_a_rating_that_vanishes_at_night_changes_nothing(kind: str) -> None:
    plant = KINDS[kind]()
    async with over(plant) as inverter:
        await inverter.write_limit(5000)
        for gone in (0, 0xFFFF):
            plant.poke = {W_MAX_AT[kind]: gone}
            assert await inverter.read_limit() == 5000
            assert (await inverter.write_limit(4000)).found == {"limit_w": 4000}
            await inverter.write_limit(5000)


async def test_a_rating_that_changes_is_refused(kind: str) -> None:
    plant = KINDS[kind]()
    async with over(plant) as inverter:
        await inverter.write_limit(5000)
        plant.poke = {W_MAX_AT[kind]: 4000}
        with pytest.raises(BadData, match="changed from 20000 W to 40000 W"):
            await inverter.read_limit()
        plant.writes.clear()
        result = await inverter.write_limit(5000)
        assert result.outcome is Outcome.REFUSED
        assert "changed from" in result.reason
        assert plant.writes == []
        plant.poke = {W_MAX_AT[kind]: 2000}
        assert await inverter.read_limit() == 5000
        assert (await inverter.write_limit(5000)).verified


RATING_AT = {"7xx": 40070 + 155 + 2, "1xx": 40070 + 52 + 3}


async def test_a_rating_that_outlives_wmax_at_night_is_no_change() -> None:
    plant = der_7xx(w_max=1600)
    async with over(plant) as inverter:
        await inverter.write_limit(4000)
        plant.poke = {W_MAX_AT["7xx"]: 0}
        assert await inverter.read_limit() == 4000
        assert (await inverter.write_limit(8000)).verified
    assert plant.writes[-1] == (14, [1, 500])


async def test_0_w_is_taken_whatever_wmax_is(kind: str) -> None:
    plant = KINDS[kind]()
    async with over(plant) as inverter:
        await inverter.write_limit(5000)
        plant.poke = {W_MAX_AT[kind]: 4000}
        with pytest.raises(BadData):
            await inverter.read_limit()
        result = await inverter.write_limit(0.0)
        assert result.verified
        assert result.wanted == result.found == {"limit_w": 0}
        assert await inverter.read_limit() == 0
    silent = KINDS[kind](w_max=0)
    silent.words[RATING_AT[kind]] = 0
    async with over(silent) as inverter:
        assert (await inverter.write_limit(0.0)).found == {"limit_w": 0}
        assert (await inverter.write_limit(1.0)).outcome is Outcome.REFUSED


async def test_an_ignored_0_w_is_not_told_in_watts_of_an_unknown_wmax(kind: str) -> None:
    plant = KINDS[kind]()
    async with over(plant) as inverter:
        await inverter.write_limit(5000)
        plant.poke, plant.ignores = {W_MAX_AT[kind]: 4000}, True
        with pytest.raises(BadData):
            await inverter.read_limit()
        result = await inverter.write_limit(0.0)
    assert (result.outcome, result.found) == (Outcome.MISMATCH, {"limit_w": None})


async def test_a_wmax_that_is_itself_again_is_found_by_the_next_write(kind: str) -> None:
    plant = KINDS[kind]()
    async with over(plant) as inverter:
        await inverter.write_limit(5000)
        plant.poke = {W_MAX_AT[kind]: 4000}
        with pytest.raises(BadData):
            await inverter.read_limit()
        assert (await inverter.write_limit(5000)).outcome is Outcome.REFUSED
        plant.poke = {W_MAX_AT[kind]: 2000}
        assert (await inverter.write_limit(5000)).verified
        plant.poke = {W_MAX_AT[kind]: 4000}
        with pytest.raises(BadData):
            await inverter.read_limit()
    with pytest.raises(Unreachable):
        await inverter.write_limit(5000)


async def test_a_scale_factor_that_jumps_is_followed_in_the_same_write(kind: str) -> None:
    plant = KINDS[kind](sf=-1)
    async with over(plant) as inverter:
        await inverter.write_limit(5000)
        plant.poke = {plant.control + (54 if kind == "7xx" else 23): 0xFFFE}
        result = await inverter.write_limit(4000)
        assert result.verified
        assert result.found == {"limit_w": 4000}


async def test_zeros_throughout_are_no_measurement() -> None:
    plant = der_7xx()
    for place in range(40072, 40072 + 153):
        plant.words[place] = 0
    async with over(plant) as inverter:
        raw = await inverter.measure()
    assert (raw.output_w, raw.v_v, raw.f_hz) == (None, None, None)


async def test_zero_output_on_a_dead_grid_is_zero() -> None:
    plant = der_7xx()
    for offset in (10, 15, 16, 17, 18):
        plant.words[40070 + offset] = 0
    async with over(plant) as inverter:
        raw = await inverter.measure()
    assert (raw.output_w, raw.v_v, raw.f_hz) == (0, 0, 0)


async def test_a_lost_inverter_is_an_error(kind: str) -> None:
    async with over(KINDS[kind]()) as inverter:
        await inverter.measure()
    with pytest.raises(Unreachable):
        await inverter.write_limit(5000)
