"""Curves written into a free set and adopted, read and written by a client that is not ours."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest
from hand_moved_site import HandMoved, values, write
from sunspec2.modbus.modbus import ModbusClientException

from sim.files.script import ScriptEvent


@pytest.fixture
async def site() -> AsyncIterator[HandMoved]:
    async with HandMoved() as moved:
        yield moved


def curve(device: Any, model: int, number: int) -> Any:
    device.models[model][0].read()
    return device.models[model][0].Crv[number - 1]


def adopt(number: int, points: list[tuple[float, float]], **settings: float) -> Callable[[Any], None]:
    def work(device: Any) -> None:
        stored = curve(device, 705, number)
        stored.ActPt.cvalue = len(points)
        for place, (volts, var) in zip(stored.Pt, points, strict=False):
            place.V.cvalue, place.Var.cvalue = volts, var
        for name, value in settings.items():
            getattr(stored, name).cvalue = value
        stored.write()
        write(device, 705, AdptCrvReq=number)

    return work


CURVE = [(94.0, 30.0), (97.0, 0.0), (103.0, 0.0), (106.0, -30.0)]


async def result(site: HandMoved) -> Any:
    return (await site.client("inverter-1", lambda device: values(device, 705, "AdptCrvRslt")))[0]


async def test_a_curve_is_adopted_after_a_moment(site: HandMoved) -> None:
    await site.client("inverter-1", adopt(2, CURVE, RspTms=1.0))
    assert await result(site) == 0
    site.run(0.25)
    assert await result(site) == 0
    site.run(0.1)
    assert await result(site) == 1

    def active(device: Any) -> tuple[list[tuple[float, float]], float, int]:
        shown = curve(device, 705, 1)
        points = [(place.V.cvalue, place.Var.cvalue) for place in shown.Pt]
        return points, shown.RspTms.cvalue, shown.ReadOnly.cvalue

    assert await site.client("inverter-1", active) == (CURVE, 1.0, 1)
    await site.client("inverter-1", lambda device: write(device, 705, Ena=1))
    site.plant.apply(ScriptEvent(at_s=0.0, v_pu=1.045))
    site.run(10.0)
    v_pu = site.plant.site.state.v_pu
    expected_pu = -0.3 * 1.1 * (v_pu - 1.03) / 0.03
    assert site.plant.fleet.q_pu[0] == pytest.approx(expected_pu, abs=1e-3)


@pytest.mark.parametrize(
    ("number", "points", "settings"),
    [
        (2, [(97.0, 30.0), (94.0, 0.0)], {}),
        (2, [(94.0, 30.0), (94.0, 0.0)], {}),
        (3, [(94.0, 101.0), (97.0, 0.0)], {}),
        (3, CURVE, {"ActPt": 1}),
        (3, CURVE, {"ActPt": 5}),
        (2, CURVE, {"DeptRef": 2}),
        (2, CURVE, {"Pri": 2}),
    ],
)
async def test_an_inconsistent_curve_fails_and_changes_nothing(
    site: HandMoved, number: int, points: list[tuple[float, float]], settings: dict[str, float]
) -> None:
    await site.client("inverter-1", adopt(number, points, **settings))
    site.run(0.35)
    assert await result(site) == 2
    shown = await site.client("inverter-1", lambda device: curve(device, 705, 1).Pt[0].V.cvalue)
    assert shown == 92.0


@pytest.mark.parametrize("number", [0, 4])
async def test_a_set_that_is_not_there_fails(site: HandMoved, number: int) -> None:
    await site.client("inverter-1", lambda device: write(device, 705, AdptCrvReq=number))
    site.run(0.35)
    assert await result(site) == 2


async def test_the_active_set_cannot_be_written(site: HandMoved) -> None:
    def attempt(device: Any) -> None:
        active = curve(device, 705, 1)
        active.Pt[0].V.cvalue = 90.0
        with pytest.raises(ModbusClientException):
            active.write()

    await site.client("inverter-1", attempt)


async def test_volt_watt_is_adopted_too(site: HandMoved) -> None:
    def work(device: Any) -> None:
        stored = curve(device, 706, 3)
        stored.Pt[0].V.cvalue, stored.Pt[1].V.cvalue, stored.Pt[1].W.cvalue = 103.0, 105.0, 50.0
        stored.RspTms.cvalue = 0.5
        stored.write()
        write(device, 706, AdptCrvReq=3)
        write(device, 706, Ena=1)

    await site.client("inverter-1", work)
    site.plant.apply(ScriptEvent(at_s=0.0, v_pu=1.08))
    site.run(5.0)
    assert site.plant.fleet.p_pu[0] == pytest.approx(0.5, abs=1e-3)
