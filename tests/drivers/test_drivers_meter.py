"""What every meter driver must do, for each SunSpec meter model, over a real server."""

from __future__ import annotations

import struct
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from pymodbus.constants import ExcCodes
from served_map import chain, common, device, model, serve

from drivers.bus import Bus
from drivers.errors import BadData, ModbusException, Unreachable
from drivers.meter_sunspec import Sign, SunSpecMeter, line_to_neutral
from drivers.protocol import Meter

AT = 40070
WHOLE = {"A_SF": -1, "V_SF": -1, "Hz_SF": -2, "W_SF": 1, "A": 520, "PhV": 2771, "Hz": 6001}
PHASES = {"PhVphA": 2770, "PhVphB": 2771, "PhVphC": 2772, "WphA": -100, "WphB": -110, "WphC": -120}


def floats(**values: float) -> dict[str, int]:
    return {name: struct.unpack(">I", struct.pack(">f", value))[0] for name, value in values.items()}


FLOATS = floats(W=-3300, WphA=-1000, WphB=-1100, WphC=-1200, PhV=277.1, Hz=60.01)
MODELS = {
    **{number: model(number, {**WHOLE, **PHASES, "W": -330}) for number in (201, 202, 203, 204)},
    **{number: model(number, FLOATS) for number in (211, 212, 213, 214)},
}


@asynccontextmanager
async def over(words: list[int], sign: Sign = "export_positive") -> AsyncIterator[Meter]:
    async with serve(device(1, chain(common(), words))) as uri:
        bus = Bus(uri, timeout_s=2)
        yield SunSpecMeter(bus, 1, sign)
        bus.close()


@pytest.mark.parametrize("number", MODELS)
async def test_one_reading_in_si_with_the_sign_of_the_site(number: int) -> None:
    async with over(MODELS[number]) as meter:
        before_s = time.monotonic()
        raw = await meter.read()
    assert raw.export_w == -3300
    assert raw.phase_export_w == pytest.approx((-1000, -1100, -1200))
    assert raw.v_v == pytest.approx(277.1)
    assert raw.f_hz == pytest.approx(60.01)
    assert before_s < raw.request_sent_s < raw.received_s < time.monotonic()
    async with over(MODELS[number], "import_positive") as meter:
        turned = await meter.read()
    assert turned.export_w == 3300
    assert turned.phase_export_w == pytest.approx((1000, 1100, 1200))


@pytest.mark.parametrize("number", MODELS)
async def test_reactive_power_is_read_with_it_where_it_is_asked_for(number: int) -> None:
    words = (
        model(
            number,
            {
                **WHOLE,
                **PHASES,
                "W": -330,
                "VAR": 120,
                "VARphA": -10,
                "VARphB": 60,
                "VARphC": 70,
                "VAR_SF": 1,
            },
        )
        if number < 210
        else model(number, FLOATS | floats(VAR=1200, VARphA=-100, VARphB=600, VARphC=700))
    )
    async with serve(device(1, chain(common(), words))) as uri:
        bus = Bus(uri, timeout_s=2)
        plain = await SunSpecMeter(bus, 1, "export_positive").read()
        asked = await SunSpecMeter(bus, 1, "export_positive", reactive=True).read()
        turned = await SunSpecMeter(bus, 1, "import_positive", reactive=True).read()
        bus.close()
    assert (plain.export_var, plain.phase_export_var) == (None, (None, None, None))
    assert asked.export_var == pytest.approx(1200)
    assert asked.phase_export_var == pytest.approx((-100, 600, 700))
    assert (asked.export_w, asked.phase_export_w) == (plain.export_w, plain.phase_export_w)
    assert len(asked.raw) > len(plain.raw)
    assert turned.export_var == pytest.approx(-1200)
    assert turned.phase_export_var == pytest.approx((100, -600, -700))


@pytest.mark.parametrize("number", [203, 213])
async def test_a_meter_without_reactive_power_shows_none(number: int) -> None:
    async with serve(device(1, chain(common(), MODELS[number]))) as uri:
        bus = Bus(uri, timeout_s=2)
        raw = await SunSpecMeter(bus, 1, "export_positive", reactive=True).read()
        bus.close()
    assert (raw.export_var, raw.phase_export_var) == (None, (None, None, None))
    assert raw.export_w == -3300


@pytest.mark.parametrize("number", MODELS)
async def test_identity(number: int) -> None:
    async with over(MODELS[number]) as meter:
        who = await meter.identify()
    assert (who.manufacturer, who.model, who.version, who.serial) == ("Maker", "Kind", "1.0", "42")


async def test_a_reading_is_one_request() -> None:
    reads: list[tuple[int, int]] = []

    async def note(_code: int, _start: int, address: int, count: int, *_: object) -> ExcCodes | None:
        reads.append((address, count))
        return None

    async with serve(device(1, chain(common(), MODELS[203]), note)) as uri:
        bus = Bus(uri, timeout_s=2)
        meter = SunSpecMeter(bus, 1, "export_positive")
        await meter.read()
        reads.clear()
        await meter.read()
        bus.close()
    assert reads == [(AT, 23)]


async def test_raw_changes_with_any_of_v_i_p_and_f_and_only_then() -> None:
    for name in ("A", "PhVphB", "Hz", "WphC"):
        async with over(model(203, {**WHOLE, **PHASES, "W": -330})) as meter:
            before = await meter.read()
            assert (await meter.read()).raw == before.raw
        async with over(model(203, {**WHOLE, **PHASES, "W": -330, name: 7})) as meter:
            assert (await meter.read()).raw != before.raw


async def test_absent_is_none_and_never_zero() -> None:
    async with over(model(203, {"W_SF": 0, "WphA": 0})) as meter:
        raw = await meter.read()
    assert raw.export_w is None
    assert list(raw.phase_export_w) == [0, None, None]
    assert (raw.v_v, raw.f_hz) == (None, None)


async def test_a_power_without_scale_factor_is_absent() -> None:
    async with over(model(203, {"W": 500})) as meter:
        assert (await meter.read()).export_w is None


async def test_zeros_throughout_are_no_measurement() -> None:
    words = [203, 105, *([0] * 105)]
    async with over(words) as meter:
        raw = await meter.read()
    assert raw.export_w is None
    assert raw.v_v is None


async def test_a_scale_factor_that_jumps_is_followed() -> None:
    polls = 0

    async def jump(
        _code: int, start: int, address: int, _count: int, current: list[int], _new: object
    ) -> None:
        nonlocal polls
        if address == AT:
            polls += 1
            current[AT - start + 22] = polls % 2

    async with serve(device(1, chain(common(), MODELS[203]), jump)) as uri:
        bus = Bus(uri, timeout_s=2)
        meter = SunSpecMeter(bus, 1, "export_positive")
        assert {(await meter.read()).export_w for _ in range(4)} == {-330, -3300}
        bus.close()


async def test_a_model_that_moved_is_found_again() -> None:
    old, new = chain(common(), MODELS[203]), chain([*common(), 64001, 1, 0], MODELS[203])
    moved = False

    async def firmware(_c: int, start: int, _a: int, _n: int, current: list[int], _new: object) -> None:
        layout = new if moved else old
        for address, word in layout.items():
            current[address - start] = word

    async with serve(device(1, {**new, **old}, firmware)) as uri:
        bus = Bus(uri, timeout_s=2)
        meter = SunSpecMeter(bus, 1, "export_positive")
        assert (await meter.read()).export_w == -3300
        moved = True
        with pytest.raises(BadData, match="no longer at 40070"):
            await meter.read()
        assert (await meter.read()).export_w == -3300
        bus.close()


async def test_a_busy_meter_is_asked_again_without_a_new_walk() -> None:
    busy = False
    reads: list[int] = []

    async def sometimes(_code: int, _start: int, address: int, *_: object) -> ExcCodes | None:
        reads.append(address)
        return ExcCodes.DEVICE_BUSY if busy else None

    async with serve(device(1, chain(common(), MODELS[203]), sometimes)) as uri:
        bus = Bus(uri, timeout_s=2)
        meter = SunSpecMeter(bus, 1, "export_positive")
        await meter.read()
        busy = True
        with pytest.raises(ModbusException, match="busy"):
            await meter.read()
        busy = False
        reads.clear()
        await meter.read()
        bus.close()
    assert reads == [AT]


async def test_a_unit_without_meter_says_so() -> None:
    async with over(model(103, {"W": 1})) as meter:
        with pytest.raises(BadData, match="no SunSpec model 203 or 204"):
            await meter.read()


async def test_a_lost_meter_is_an_error_and_comes_back() -> None:
    async with over(MODELS[203]) as meter:
        await meter.read()
    with pytest.raises(Unreachable):
        await meter.read()


def test_voltage_from_what_there_is() -> None:
    assert line_to_neutral(277.0, [1.0, None], 480.0) == 277.0
    assert line_to_neutral(None, [270.0, None, 280.0], None) == 275.0
    assert line_to_neutral(None, [None], 480.0) == pytest.approx(277.128, abs=0.001)
    assert line_to_neutral(None, [], None) is None
