"""Verified writes and curve adoption against devices that obey, refuse, ignore and fail."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import pytest
from pymodbus.constants import ExcCodes
from served_map import chain, common, device, model, serve

from drivers.bus import Bus
from drivers.protocol import Outcome
from drivers.sunspec.curve import adopt_curve
from drivers.sunspec.device import SunSpecDevice

AT = 40070  # the model under test follows a common model of 66 registers
Hook = Callable[[int, list[int], list[int]], ExcCodes | None]
CONTROLS = {"WMaxLimPctEna": 0, "WMaxLimPct": 1000, "WMaxLimPctRvrtTms": 0, "WMaxLimPct_SF": -1}


@asynccontextmanager
async def over(
    words: list[int], hook: Hook | None = None
) -> AsyncIterator[tuple[SunSpecDevice, list[tuple[int, int]]]]:
    """A device with one model, and the writes it saw as (offset in the model, registers).

    The hook gets the offset, the registers written and the model's registers before the write.
    """
    writes: list[tuple[int, int]] = []

    async def action(
        code: int,
        start: int,
        address: int,
        _count: int,
        current: list[int],
        new: list[int] | list[bool] | None,
    ) -> ExcCodes | None:
        if code != 16 or new is None:
            return None
        writes.append((address - AT, len(new)))
        return hook(address - AT, new, current[AT - start :]) if hook is not None else None  # type: ignore[arg-type]  # registers are ints

    async with serve(device(1, chain(common(), words), action)) as uri:
        bus = Bus(uri, timeout_s=2)
        yield SunSpecDevice(bus, 1), writes
        bus.close()


async def test_points_side_by_side_go_in_one_request_and_32_bits_whole() -> None:
    async with over(model(704, CONTROLS)) as (unit, writes):
        values = {"WMaxLimPctRvrtTms": 10, "WMaxLimPctEna": 1, "WMaxLimPct": 33.3, "WMaxLimPctRvrt": 20}
        result = await unit.write_points(704, {**values, "WMaxLimPctEnaRvrt": 1})
        assert result.verified
        assert result.wanted == {**values, "WMaxLimPctEnaRvrt": 1}
        assert result.found == result.wanted
        assert writes == [(14, 6)]


async def test_points_apart_go_in_their_own_requests() -> None:
    async with over(model(704, CONTROLS)) as (unit, writes):
        assert (await unit.write_points(704, {"WMaxLimPctEna": 1, "WMaxLimPctRvrtTms": 5})).verified
        assert writes == [(14, 1), (18, 2)]


@pytest.mark.parametrize(
    ("values", "says"),
    [
        ({"WMaxLimPct": -5}, "cannot be -5"),
        ({"WMaxLimPct": 7000}, "cannot be 7000"),
        ({"WMaxLimPct_SF": 0}, "read-only"),
        ({"Nonsense": 0}, "no point Nonsense"),
        ({"WSet": 100}, "states no scale factor WSet_SF"),
        ({"WMaxLimPct": 50, "WSet": 100}, "WSet_SF"),
    ],
)
async def test_what_does_not_fit_is_refused_before_anything_is_sent(
    values: dict[str, float], says: str
) -> None:
    async with over(model(704, CONTROLS)) as (unit, writes):
        result = await unit.write_points(704, values)
        assert result.outcome is Outcome.REFUSED
        assert says in result.reason
        assert writes == []


async def test_a_sync_group_is_written_whole() -> None:
    async with over(model(704, {"PF_SF": -3})) as (unit, writes):
        half = await unit.write_points(704, {"PF": 0.95}, path=("PFWInj", 0))
        assert half.outcome is Outcome.REFUSED
        assert "written whole" in half.reason
        whole = await unit.write_points(704, {"PF": 0.95, "Ext": 1}, path=("PFWInj", 0))
        assert whole.verified
        assert whole.found == {"PFWInj.0.PF": 0.95, "PFWInj.0.Ext": 1}
        assert writes == [(59, 2)]


async def test_an_acknowledged_write_that_changes_nothing_is_a_mismatch() -> None:
    def ignore(_offset: int, new: list[int], current: list[int]) -> ExcCodes | None:
        new[:] = current[15:16]
        return None

    async with over(model(704, CONTROLS), ignore) as (unit, _):
        result = await unit.write_points(704, {"WMaxLimPct": 50})
        assert result.outcome is Outcome.MISMATCH
        assert (result.wanted, result.found) == ({"WMaxLimPct": 50}, {"WMaxLimPct": 100.0})
        assert "reads back differently: WMaxLimPct" in result.reason


async def test_a_device_that_refuses_says_so() -> None:
    async with over(model(704, CONTROLS), lambda *_: ExcCodes.DEVICE_FAILURE) as (unit, _):
        result = await unit.write_points(704, {"WMaxLimPct": 50})
        assert result.outcome is Outcome.REFUSED
        assert "exception 4" in result.reason


async def test_a_device_that_takes_only_half_is_a_mismatch() -> None:
    def half(offset: int, _new: list[int], _current: list[int]) -> ExcCodes | None:
        return ExcCodes.ILLEGAL_VALUE if offset == 18 else None

    async with over(model(704, CONTROLS), half) as (unit, _):
        result = await unit.write_points(704, {"WMaxLimPctEna": 1, "WMaxLimPctRvrtTms": 5})
        assert result.outcome is Outcome.MISMATCH
        assert result.found == {"WMaxLimPctEna": 1, "WMaxLimPctRvrtTms": 0}


CURVE = [
    {"V": 92.0, "Var": 30.0},
    {"V": 98.0, "Var": 0.0},
    {"V": 102.0, "Var": 0.0},
    {"V": 107.5, "Var": -30.0},
]
SET = 10 + 4 * 2  # registers of one set of 705: its own points and four pairs


def volt_var(**raw: int) -> list[int]:
    read_only = {"Crv.0.ReadOnly": 1, "Crv.1.ReadOnly": 0, "Crv.2.ReadOnly": 0}
    scales = {"V_SF": -2, "DeptRef_SF": -2, "RspTms_SF": 0, "AdptCrvRslt": 1}
    return model(705, {**scales, **read_only, **raw}, {"NPt": 4, "NCrv": 3})


class Firmware:
    """Adopts a set as a real device does, or fails, or does something else with it."""

    def __init__(self, result: int = 1, *, loses_a_point: bool = False) -> None:
        self.asked: list[int] = []
        self.result = result
        self.loses_a_point = loses_a_point

    def __call__(self, offset: int, new: list[int], model_words: list[int]) -> ExcCodes | None:
        if offset != 3:
            return None
        self.asked.append(new[0])
        return None

    def adopt(self, current: list[int], at: int) -> None:
        """Copy set k over set 1 but for its ReadOnly."""
        k = self.asked[-1] - 1
        source = current[at + 15 + k * SET : at + 15 + (k + 1) * SET]
        source[9] = 1
        if self.loses_a_point:
            source[-1] = 0
        current[at + 15 : at + 15 + SET] = source
        current[at + 4] = self.result


@asynccontextmanager
async def inverter(firmware: Firmware, words: list[int]) -> AsyncIterator[SunSpecDevice]:
    pending = False

    async def action(
        code: int,
        start: int,
        address: int,
        _count: int,
        current: list[int],
        new: list[int] | list[bool] | None,
    ) -> ExcCodes | None:
        nonlocal pending
        at = AT - start
        if code == 16 and new is not None:
            firmware(address - AT, [int(word) for word in new], current[at:])
            if address - AT == 3:
                pending = True
                current[at + 4] = 0
        elif pending and address == AT:
            pending = False
            if firmware.result == 1:
                firmware.adopt(current, at)
            current[at + 4] = firmware.result
        return None

    async with serve(device(1, chain(common(), words), action)) as uri:
        bus = Bus(uri, timeout_s=2)
        yield SunSpecDevice(bus, 1)
        bus.close()


async def test_a_curve_is_adopted_and_read_back_from_set_1() -> None:
    firmware = Firmware()
    async with inverter(firmware, volt_var()) as unit:
        result = await adopt_curve(unit, 705, CURVE, settings={"RspTms": 5, "DeptRef": 1}, enable=True)
        after = (await unit.read_model(705)).values
    assert result.verified, result.reason
    assert firmware.asked == [2]
    assert result.found["Crv.0.Pt.3.V"] == 107.5
    assert result.found["Ena"] == 1
    assert after.groups["Crv"][0].points["ActPt"] == 4
    assert after.groups["Crv"][0].points["RspTms"] == 5
    assert [pt.points["Var"] for pt in after.groups["Crv"][0].groups["Pt"]] == [30.0, 0.0, 0.0, -30.0]


async def test_the_first_writable_set_is_taken() -> None:
    firmware = Firmware()
    async with inverter(firmware, volt_var(**{"Crv.1.ReadOnly": 1})) as unit:
        assert (await adopt_curve(unit, 705, CURVE)).verified
    assert firmware.asked == [3]


async def test_a_refused_curve_is_told() -> None:
    async with inverter(Firmware(result=2), volt_var()) as unit:
        result = await adopt_curve(unit, 705, CURVE)
    assert result.outcome is Outcome.REFUSED
    assert "refused the curve" in result.reason


async def test_completed_with_another_curve_in_force_is_a_mismatch() -> None:
    async with inverter(Firmware(loses_a_point=True), volt_var()) as unit:
        result = await adopt_curve(unit, 705, CURVE, timeout_s=0.2)
    assert result.outcome is Outcome.MISMATCH
    assert "adoption is completed; reads back differently: Crv.0.Pt.3.Var" in result.reason


async def test_an_adoption_that_never_ends_is_a_mismatch() -> None:
    async with inverter(Firmware(result=0), volt_var()) as unit:
        result = await adopt_curve(unit, 705, CURVE, timeout_s=0.2)
    assert result.outcome is Outcome.MISMATCH
    assert "in progress" in result.reason


async def test_a_curve_that_cannot_be_stored_is_refused() -> None:
    firmware = Firmware()
    async with inverter(firmware, volt_var()) as unit:
        too_long = await adopt_curve(unit, 705, [*CURVE, {"V": 110.0, "Var": -40.0}])
        too_high = await adopt_curve(unit, 705, [{"V": 9000.0, "Var": 0.0}])
    assert "holds 4 points in a curve, 5 are wanted" in too_long.reason
    assert "cannot be 9000" in too_high.reason
    async with inverter(firmware, volt_var(**{"Crv.1.ReadOnly": 1, "Crv.2.ReadOnly": 1})) as unit:
        locked = await adopt_curve(unit, 705, CURVE)
    assert "no writable curve set" in locked.reason
    assert {too_long.outcome, too_high.outcome, locked.outcome} == {Outcome.REFUSED}
    assert firmware.asked == []
