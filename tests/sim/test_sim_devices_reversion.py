"""Functions that go back by themselves when nobody writes to them any more, and what comes first at the rating."""

from __future__ import annotations

import pytest
from device_registers import Registers
from site_tables import battery, inverter

from sim.devices.unit import ModbusRefusal, Refusal
from tiir.values import Value

FUNCTIONS = {705: "QV", 706: "PV", 711: "PF", 712: "QP"}


@pytest.fixture
def modern() -> Registers:
    return Registers(battery(1, models=[1, *range(701, 713)]))


def refused(device: Registers, model: int, path: str, raw: int) -> Refusal:
    with pytest.raises(ModbusRefusal) as found:
        device.write(model, path, raw)
    return found.value.code


def test_704_power_factor_is_switched_off_when_its_time_is_up(modern: Registers) -> None:
    modern.write(704, "PFWInjEna", 0)
    modern.write(704, "PFWInj.PF", 900)
    modern.write(704, "PFWInjRvrtTms", 3)
    assert modern.raw(704, "PFWInjRvrtRem") == 0
    modern.write(704, "PFWInjEna", 1)
    modern.run(2.5)
    assert (modern.raw(704, "PFWInjEna"), modern.raw(704, "PFWInjRvrtRem")) == (1, 1)
    modern.write(704, "PFWInj.PF", 950)
    modern.run(2.5)
    assert (modern.raw(704, "PFWInjEna"), modern.raw(704, "PFWInjRvrtRem")) == (1, 1)
    modern.run(0.6)
    assert (modern.raw(704, "PFWInjEna"), modern.raw(704, "PFWInjRvrtRem")) == (0, 0)
    assert modern.setting("CONST_PF") == 0.95


def test_704_power_factor_goes_on_with_its_reversion_values(modern: Registers) -> None:
    for path, raw in (
        ("PFWInjRvrt.PF", 980),
        ("PFWInjRvrt.Ext", 1),
        ("PFWInjEnaRvrt", 1),
        ("PFWInjRvrtTms", 2),
    ):
        modern.write(704, path, raw)
        assert modern.raw(704, path) == raw
    modern.write(704, "PFWInjEna", 1)
    modern.run(2.1)
    assert (modern.raw(704, "PFWInjEna"), modern.raw(704, "PFWInj.PF"), modern.raw(704, "PFWInj.Ext")) == (
        1,
        980,
        1,
    )
    for path, raw in (("PFWInjRvrt.PF", 0), ("PFWInjRvrt.Ext", 2), ("PFWInjEnaRvrt", 2)):
        assert refused(modern, 704, path, raw) == Refusal.ILLEGAL_VALUE
    assert (modern.raw(704, "PFWInjRvrt.PF"), modern.raw(704, "PFWInjEnaRvrt")) == (980, 1)


@pytest.mark.parametrize(("path", "raw"), [("VarSetRvrt", -2_200), ("VarSetPctRvrt", -1_000)])
def test_704_reactive_power_reverts(modern: Registers, path: str, raw: int) -> None:
    """Of 22 kVA."""
    for point, value in (
        ("VarSet", 4_400),
        ("VarSetEnaRvrt", 1),
        (path, raw),
        ("VarSetRvrtTms", 2),
        ("VarSetEna", 1),
    ):
        modern.write(704, point, value)
    modern.run(1.9)
    assert (modern.raw(704, "VarSet"), modern.raw(704, "VarSetRvrtRem")) == (4_400, 1)
    modern.run(0.2)
    assert (modern.raw(704, "VarSet"), modern.raw(704, "VarSetEna")) == (-2_200, 1)
    assert (modern.raw(704, "VarSetRvrt"), modern.raw(704, "VarSetPctRvrt")) == (-2_200, -1_000)
    assert refused(modern, 704, "VarSetRvrt", 22_001) == Refusal.ILLEGAL_VALUE


def test_a_timer_stops_with_its_function(modern: Registers) -> None:
    """Reactive power in its place ends the power factor, and what is due later touches neither."""
    for path, raw in (("PFWInjRvrt.PF", 900), ("PFWInjEnaRvrt", 1), ("PFWInjRvrtTms", 2)):
        modern.write(704, path, raw)
    modern.write(704, "PFWInjEna", 1)
    modern.write(704, "VarSetEna", 1)
    assert modern.raw(704, "PFWInjRvrtRem") == 0
    modern.run(3.0)
    assert (modern.raw(704, "PFWInjEna"), modern.raw(704, "VarSetEna")) == (0, 1)
    assert modern.setting("CONST_PF") == 1.0


@pytest.mark.parametrize(("ena", "other"), [("PFWInj", "VarSet"), ("VarSet", "PFWInj")])
def test_each_function_has_a_timer_of_its_own(modern: Registers, ena: str, other: str) -> None:
    modern.write(704, f"{ena}RvrtTms", 2)
    modern.write(704, f"{ena}Ena", 1)
    modern.run(1.5)
    modern.write(704, f"{other}RvrtTms", 60)
    modern.write(704, "WMaxLimPct", 5_000)
    modern.run(0.6)
    assert modern.raw(704, f"{ena}Ena") == 0


@pytest.mark.parametrize(
    ("model", "path", "raw", "settings"),
    [
        (705, "Crv.3.Pt.1.V", 9_000, {"QV_CURVE_V1": 0.9}),
        (706, "Crv.3.Pt.2.V", 10_900, {"PV_CURVE_V2": 1.09}),
        (711, "Ctl.3.DbOf", 100, {"PF_DBOF": 0.1}),
        (712, "Crv.3.Pt.4.W", 3_000, {"QP_CURVE_P1_GEN": 0.3}),
    ],
)
def test_the_reversion_curve_becomes_active(
    modern: Registers, model: int, path: str, raw: int, settings: dict[str, Value]
) -> None:
    what = "Ctl" if model == 711 else "Crv"
    modern.write(model, path, raw)
    modern.write(model, f"Rvrt{what}", 3)
    modern.write(model, "Ena", 1)
    modern.write(model, "RvrtTms", 2)
    assert (modern.raw(model, "RvrtTms"), modern.raw(model, "RvrtRem")) == (2, 2)
    modern.run(1.9)
    before = modern.plant.fleet.settings(0)
    assert not settings.items() <= before.items()
    modern.run(0.2)
    after = modern.plant.fleet.settings(0)
    assert {label for label, value in after.items() if value != before[label]} == set(settings)
    assert {label: after[label] for label in settings} == pytest.approx(settings)
    assert (modern.raw(model, f"Adpt{what}Rslt"), modern.raw(model, "Ena"), modern.raw(model, "RvrtRem")) == (
        1,
        1,
        0,
    )


@pytest.mark.parametrize("model", FUNCTIONS)
def test_without_a_reversion_curve_the_function_is_switched_off(modern: Registers, model: int) -> None:
    label = f"{FUNCTIONS[model]}_MODE_ENABLE"
    modern.write(model, "RvrtTms", 2)
    modern.write(model, "Ena", 0)
    assert modern.raw(model, "RvrtRem") == 0
    modern.write(model, "Ena", 1)
    modern.run(1.9)
    assert modern.setting(label) is True
    modern.run(0.2)
    assert (modern.setting(label), modern.raw(model, "Ena")) == (False, 0)


@pytest.mark.parametrize("model", FUNCTIONS)
def test_only_a_set_that_can_be_written_is_a_reversion_curve(modern: Registers, model: int) -> None:
    path = "RvrtCtl" if model == 711 else "RvrtCrv"
    for raw in (1, 4):
        assert refused(modern, model, path, raw) == Refusal.ILLEGAL_VALUE
    for raw in (2, 3, 0):
        modern.write(model, path, raw)
        assert modern.raw(model, path) == raw


def test_a_reversion_curve_that_is_none_fails_and_changes_nothing(modern: Registers) -> None:
    modern.write(705, "Crv.2.Pt.2.V", 9_200)
    for path, raw in (("RvrtCrv", 2), ("Ena", 1), ("RvrtTms", 1)):
        modern.write(705, path, raw)
    before = modern.plant.fleet.settings(0)
    modern.run(1.1)
    assert modern.raw(705, "AdptCrvRslt") == 2
    assert modern.plant.fleet.settings(0) == before


@pytest.mark.parametrize("model", [707, 708, 709, 710])
def test_a_may_trip_curve_is_kept(modern: Registers, model: int) -> None:
    what = "V" if model < 709 else "Hz"
    before = modern.plant.fleet.settings(0)
    points = {"ActPt": 2, f"Pt.1.{what}": 7_000, "Pt.1.Tms": 210, f"Pt.2.{what}": 6_000, "Pt.2.Tms": 110}
    for path, raw in points.items():
        modern.write(model, f"Crv.2.MayTrip.{path}", raw)
    modern.write(model, "AdptCrvReq", 2)
    modern.run(0.32)
    assert modern.raw(model, "AdptCrvRslt") == 1
    assert {path: modern.raw(model, f"Crv.1.MayTrip.{path}") for path in points} == points
    assert modern.raw(model, "Crv.3.MayTrip.ActPt") == 0
    assert modern.plant.fleet.settings(0) == before


@pytest.mark.parametrize("model", [705, 712])
def test_adoption_sets_what_comes_first(modern: Registers, model: int) -> None:
    fleet = modern.plant.fleet
    assert (bool(fleet.var_priority[0]), modern.raw(model, "Crv.1.Pri")) == (True, 1)
    for number, priority in ((2, 0), (3, 1)):
        modern.write(model, f"Crv.{number}.Pri", priority)
        assert bool(fleet.var_priority[0]) is not bool(priority)
        modern.write(model, "AdptCrvReq", number)
        modern.run(0.32)
        assert bool(fleet.var_priority[0]) is bool(priority)
        assert [modern.raw(other, "Crv.1.Pri") for other in (705, 712)] == [priority] * 2
        assert modern.raw(704, "VarSetPri") == priority
    modern.write(model, "Crv.2.Pri", 2)
    modern.write(model, "AdptCrvReq", 2)
    modern.run(0.32)
    assert (modern.raw(model, "AdptCrvRslt"), bool(fleet.var_priority[0])) == (2, True)


def test_704_says_what_comes_first() -> None:
    """20 kW and 9.68 kvar do not both fit into 22 kVA."""
    device = Registers(inverter(1, models=[1, 701, 704, 705], priority="watt", va_rating_pu=1.0))
    assert [device.raw(705, f"Crv.{number}.Pri") for number in (1, 2)] == [0, 0]
    for path, raw in (("VarSetMod", 3), ("VarSetPct", 4_400), ("VarSetEna", 1), ("VarSetPri", 1)):
        device.write(704, path, raw)
    device.run(20.0)
    assert device.raw(701, "W") == pytest.approx(20_000 * (1 - 0.44**2) ** 0.5, abs=20)
    assert refused(device, 704, "VarSetPri", 2) == Refusal.ILLEGAL_VALUE
    assert device.raw(704, "VarSetPri") == 1


@pytest.mark.parametrize("path", ["PFWAbsEna", "PFWAbs.PF", "PFWAbsRvrtTms", "WRmp", "AntiIslEna"])
def test_what_is_not_realised_is_not_there(modern: Registers, path: str) -> None:
    _, size, _ = modern.at(704, path)
    assert modern.raw(704, path) == (1 << 16 * size) - 1
    assert refused(modern, 704, path, 1) == Refusal.ILLEGAL_ADDRESS
