"""Settings through registers: what is in force is shown, what is written and adopted or chosen is in force."""

from __future__ import annotations

from typing import Any

import pytest
from device_registers import Registers
from hand_moved_site import HandMoved
from site_tables import battery, inverter, site_of

from drivers.bus import Bus
from drivers.sunspec.device import SunSpecDevice
from drivers.uri import ModbusUri
from sim.devices.unit import ModbusRefusal
from tiir import catalogue
from tiir.sunspec_read import read_settings
from tiir.values import Value

MODERN = [1, *range(701, 713)]
LEGACY = [1, 103, 120, 121, 123, 126, 127, 129, 130, 132, 134, 135, 136]

OTHER: dict[str, Value] = {
    "AP_LIMIT_ENABLE": True,
    "AP_LIMIT": 0.8,
    "ES_V_LOW": 0.9,
    "ES_DELAY": 120.0,
    "ES_RAMP_RATE": 30.0,
    "CONST_PF_MODE_ENABLE": False,
    "CONST_PF": 0.95,
    "CONST_PF_EXCITATION": "INJ",
    "CONST_Q": -0.25,
    "QV_MODE_ENABLE": True,
    "QV_VREF": 1.01,
    "QV_VREF_TIME": 1000.0,
    "QV_CURVE_V1": 0.9,
    "QV_CURVE_Q4": -0.3,
    "QV_OLRT": 7.0,
    "QP_CURVE_P1_GEN": 0.3,
    "QP_CURVE_Q3_GEN": -0.4,
    "PV_MODE_ENABLE": True,
    "PV_CURVE_V2": 1.09,
    "PV_OLRT": 20.0,
    "OV2_TRIP_T": 0.1,
    "OV1_TRIP_V": 1.15,
    "UV1_TRIP_T": 30.0,
    "UV2_TRIP_V": 0.4,
    "OF1_TRIP_F": 61.5,
    "UF2_TRIP_T": 5.0,
    "MC_ENABLE": True,
    "MC_LVRT_V1": 0.45,
    "MC_HVRT_V1": 1.18,
    "PF_MODE_ENABLE": True,
    "PF_DBOF": 0.1,
    "PF_KUF": 0.04,
    "PF_OLRT": 3.0,
}
"""Of every function something that is not the default."""


@pytest.fixture
def modern() -> Registers:
    return Registers(battery(1, models=MODERN))


@pytest.fixture
def legacy() -> Registers:
    return Registers(inverter(1, models=LEGACY))


async def test_what_is_in_force_is_read_by_our_own_reader() -> None:
    """703 to 712 over a real socket with the shipped driver and settings reader, every label that has a point."""
    site = HandMoved(site_of(battery(1, models=MODERN)))
    await site.server.start()
    site.plant.fleet.configure(0, OTHER)
    bus = Bus(ModbusUri(host="127.0.0.1", port=site.port("battery-1"), unit=1))
    try:
        device = SunSpecDevice(bus, 1)
        models = [(await device.read_model(ref)) for ref in (await device.discover()).models]
    finally:
        bus.close()
        await site.server.stop()
    in_force = site.plant.fleet.settings(0)
    labels = [label for label, each in catalogue.settings().items() if each.point and label in in_force]
    found = read_settings([as_read(model) for model in models], labels)
    assert len(labels) == 72
    assert {label: found[label].value for label in labels} == {
        label: pytest.approx(value, abs=2e-4) if isinstance(value, float) else value
        for label, value in in_force.items()
        if label in labels
    }
    changed = {label for label in OTHER if in_force[label] == OTHER[label]}
    assert changed == set(OTHER)


def as_read(model: Any) -> dict[str, Any]:
    """A model as `dergate read --json` has it."""

    def group(values: Any) -> dict[str, Any]:
        groups = {name: [group(each) for each in inner] for name, inner in values.groups.items()}
        return {"points": dict(values.points), "groups": groups}

    return {
        "id": model.ref.id,
        "address": model.ref.address,
        "length": model.ref.length,
        **group(model.values),
    }


@pytest.mark.parametrize(
    ("model", "changes", "settings"),
    [
        (705, {"Pt.1.V": 9000, "Pt.4.Var": -3000, "RspTms": 70, "VRef": 10100}, {"QV_CURVE_V1": 0.9, "QV_CURVE_Q4": -0.3, "QV_OLRT": 7.0, "QV_VREF": 1.01}),
        (705, {"VRefAutoEna": 1, "VRefAutoTms": 600}, {"QV_VREF_AUTO_MODE": True, "QV_VREF_TIME": 600.0}),
        (706, {"Pt.2.V": 10900, "Pt.2.W": 2500, "RspTms": 200}, {"PV_CURVE_V2": 1.09, "PV_CURVE_P2": 0.25, "PV_OLRT": 20.0}),
        (707, {"MustTrip.Pt.1.V": 8700, "MustTrip.Pt.2.Tms": 250, "MomCess.Pt.1.V": 4500, "MomCess.ActPt": 0}, {"UV1_TRIP_V": 0.87, "UV2_TRIP_T": 2.5, "MC_LVRT_V1": 0.45, "MC_ENABLE": False}),
        (708, {"MustTrip.Pt.2.Tms": 10, "MustTrip.Pt.1.V": 11500, "MomCess.Pt.1.V": 11800}, {"OV2_TRIP_T": 0.1, "OV1_TRIP_V": 1.15, "MC_HVRT_V1": 1.18}),
        (709, {"MustTrip.Pt.1.Hz": 58_000, "MustTrip.Pt.2.Tms": 500}, {"UF1_TRIP_F": 58.0, "UF2_TRIP_T": 5.0}),
        (710, {"MustTrip.Pt.1.Hz": 61_500, "MustTrip.Pt.2.Hz": 63_000}, {"OF1_TRIP_F": 61.5, "OF2_TRIP_F": 63.0}),
        (711, {"DbOf": 100, "KUf": 400, "RspTms": 30}, {"PF_DBOF": 0.1, "PF_KUF": 0.04, "PF_OLRT": 3.0}),
        (712, {"Pt.4.W": 3000, "Pt.6.Var": -4000}, {"QP_CURVE_P1_GEN": 0.3, "QP_CURVE_Q3_GEN": -0.4}),
    ],
)  # fmt: skip
def test_a_set_is_in_force_once_it_is_adopted(
    modern: Registers, model: int, changes: dict[str, int], settings: dict[str, Value]
) -> None:
    group, what = ("Ctl", "Ctl") if model == 711 else ("Crv", "Crv")
    before = dict(modern.plant.fleet.settings(0))
    assert not settings.items() <= before.items()
    for path, raw in changes.items():
        modern.write(model, f"{group}.2.{path}", raw)
    assert modern.plant.fleet.settings(0) == before
    modern.write(model, f"Adpt{what}Req", 2)
    assert modern.raw(model, f"Adpt{what}Rslt") == 0
    modern.run(0.32)
    assert modern.raw(model, f"Adpt{what}Rslt") == 1
    after = modern.plant.fleet.settings(0)
    assert {label: after[label] for label in settings} == pytest.approx(settings)
    assert {label for label, value in after.items() if value != before[label]} == set(settings)
    assert {path: modern.raw(model, f"{group}.1.{path}") for path in changes} == changes


@pytest.mark.parametrize("model", [705, 706, 711, 712])
def test_ena_switches_the_function(modern: Registers, model: int) -> None:
    label = {705: "QV", 706: "PV", 711: "PF", 712: "QP"}[model] + "_MODE_ENABLE"
    for enable in (0, 1, 0):
        modern.write(model, "Ena", enable)
        assert (modern.setting(label), modern.raw(model, "Ena")) == (bool(enable), enable)
    with pytest.raises(ModbusRefusal):
        modern.write(model, "Ena", 2)


@pytest.mark.parametrize("model", [707, 708, 709, 710])
def test_trips_cannot_be_switched_off(modern: Registers, model: int) -> None:
    with pytest.raises(ModbusRefusal):
        modern.write(model, "Ena", 0)


@pytest.mark.parametrize(
    ("model", "changes"),
    [
        (705, {"Pt.2.V": 9200}),
        (705, {"Pt.2.V": 9199}),
        (705, {"Pt.1.Var": 10_001}),
        (705, {"DeptRef": 2}),
        (706, {"Pt.2.V": 10_600}),
        (706, {"ActPt": 1}),
        (707, {"MustTrip.ActPt": 1}),
        (709, {"MayTrip.ActPt": 3}),
        (712, {"Pt.3.W": -5000}),
        (712, {"Pt.3.W": 2001}),
    ],
)
def test_a_set_that_is_no_curve_fails_and_changes_nothing(
    modern: Registers, model: int, changes: dict[str, int]
) -> None:
    before = modern.plant.fleet.settings(0)
    for path, raw in changes.items():
        modern.write(model, f"Crv.3.{path}", raw)
    modern.write(model, "AdptCrvReq", 3)
    modern.run(0.32)
    assert modern.raw(model, "AdptCrvRslt") == 2
    assert modern.plant.fleet.settings(0) == before


def test_a_percentage_is_of_what_the_set_says(modern: Registers) -> None:
    """22 kVA, 20 kW, 9.68 kvar: 50 % of VarMax is 0.22 of the rating; the shown set keeps its own base."""
    modern.write(705, "Crv.2.DeptRef", 1)
    for number, raw in ((1, 5000), (4, -5000)):
        modern.write(705, f"Crv.2.Pt.{number}.Var", raw)
    modern.write(705, "AdptCrvReq", 2)
    modern.run(0.32)
    assert modern.setting("QV_CURVE_Q1") == pytest.approx(0.22)
    assert modern.raw(705, "Crv.1.DeptRef") == 1
    assert modern.raw(705, "Crv.1.Pt.1.Var") == 5000
    modern.plant.fleet.configure(0, {"QV_CURVE_Q1": 0.11})
    assert modern.raw(705, "Crv.1.Pt.1.Var") == 2500


def test_an_adoption_in_progress_takes_no_other(modern: Registers) -> None:
    modern.write(706, "AdptCrvReq", 2)
    with pytest.raises(ModbusRefusal):
        modern.write(706, "AdptCrvReq", 3)
    modern.run(0.32)
    modern.write(706, "AdptCrvReq", 3)


@pytest.mark.parametrize(
    ("model", "changes", "settings"),
    [
        (126, {"V1": 9000, "VAr4": -5000, "RmpTms": 13}, {"QV_CURVE_V1": 0.9, "QV_CURVE_Q4": -0.22, "QV_OLRT": 9.992}),
        (126, {"DeptRef": 1, "VAr1": 2200, "VAr4": -2200}, {"QV_CURVE_Q1": 0.2, "QV_CURVE_Q4": -0.2}),
        (132, {"V2": 10900, "W2": 2500, "RmpPt1Tms": 26}, {"PV_CURVE_V2": 1.09, "PV_CURVE_P2": 0.25, "PV_OLRT": 19.984}),
        (129, {"V1": 8700, "Tms2": 250}, {"UV1_TRIP_V": 0.87, "UV2_TRIP_T": 2.5}),
        (130, {"V1": 11500, "Tms2": 10}, {"OV1_TRIP_V": 1.15, "OV2_TRIP_T": 0.1}),
        (135, {"Hz1": 5800, "Tms2": 500}, {"UF1_TRIP_F": 58.0, "UF2_TRIP_T": 5.0}),
        (136, {"Hz1": 6150, "Hz2": 6300}, {"OF1_TRIP_F": 61.5, "OF2_TRIP_F": 63.0}),
    ],
)  # fmt: skip
def test_an_older_curve_is_in_force_once_it_is_chosen(
    legacy: Registers, model: int, changes: dict[str, int], settings: dict[str, Value]
) -> None:
    before = legacy.plant.fleet.settings(0)
    shown = {path: legacy.raw(model, f"curve.1.{path}") for path in changes}
    for path, raw in changes.items():
        legacy.write(model, f"curve.2.{path}", raw)
    assert legacy.plant.fleet.settings(0) == before
    legacy.write(model, "ActCrv", 2)
    after = legacy.plant.fleet.settings(0)
    assert {label: after[label] for label in settings} == pytest.approx(settings, abs=1e-3)
    assert {path: legacy.raw(model, f"curve.2.{path}") for path in changes} == changes
    assert [legacy.raw(model, f"curve.{number}.ReadOnly") for number in (1, 2, 3)] == [0, 1, 0]
    with pytest.raises(ModbusRefusal):
        legacy.write(model, "curve.2.ActPt", 2)
    legacy.write(model, "ActCrv", 1)
    assert {path: legacy.raw(model, f"curve.1.{path}") for path in shown} == shown
    again = legacy.plant.fleet.settings(0)
    assert {label: again[label] for label in settings} == pytest.approx(
        {label: before[label] for label in settings}, abs=2e-3
    )


@pytest.mark.parametrize(("model", "path", "label"), [(126, "V1", "QV_CURVE_V1"), (136, "Hz1", "OF1_TRIP_F")])
def test_an_older_curve_stays_as_it_was_in_force(
    legacy: Registers, model: int, path: str, label: str
) -> None:
    """A setting that changed by another way is in the curve that was in force then, and only in that."""
    others = legacy.raw(model, f"curve.3.{path}")
    in_force = {"QV_CURVE_V1": 0.9, "OF1_TRIP_F": 61.5}[label]
    legacy.plant.fleet.configure(0, {label: in_force})
    shown = legacy.raw(model, f"curve.1.{path}")
    assert shown != others
    legacy.write(model, "ActCrv", 2)
    assert [legacy.raw(model, f"curve.{number}.{path}") for number in (1, 2, 3)] == [shown, others, others]
    legacy.write(model, "ActCrv", 1)
    assert legacy.setting(label) == pytest.approx(in_force)


@pytest.mark.parametrize(
    ("model", "changes"),
    [
        (126, {"V2": 9200}),
        (126, {"DeptRef": 3}),
        (126, {"VAr1": 10_001}),
        (132, {"ActPt": 3}),
        (136, {"ActPt": 1}),
    ],
)
def test_an_older_curve_that_is_none_is_refused(
    legacy: Registers, model: int, changes: dict[str, int]
) -> None:
    before = legacy.plant.fleet.settings(0)
    for path, raw in changes.items():
        legacy.write(model, f"curve.3.{path}", raw)
    for number in (3, 0, 4):
        with pytest.raises(ModbusRefusal):
            legacy.write(model, "ActCrv", number)
    assert legacy.raw(model, "ActCrv") == 1
    assert legacy.plant.fleet.settings(0) == before


@pytest.mark.parametrize(
    ("model", "label"),
    [(126, "QV_MODE_ENABLE"), (132, "PV_MODE_ENABLE"), (127, "PF_MODE_ENABLE"), (134, "PF_MODE_ENABLE")],
)
def test_mod_ena_switches_the_function(legacy: Registers, model: int, label: str) -> None:
    for enable in (0, 1, 0):
        legacy.write(model, "ModEna", enable)
        assert (legacy.setting(label), legacy.raw(model, "ModEna")) == (bool(enable), enable)


def test_frequency_watt_is_the_droop_in_other_words(legacy: Registers) -> None:
    """Droop 0.05 at 60 Hz: 100 % over 3 Hz."""
    assert (legacy.raw(127, "WGra"), legacy.raw(127, "HzStr")) == (3333, 36)
    assert (legacy.raw(134, "curve.1.Hz1"), legacy.raw(134, "curve.1.Hz2")) == (6004, 6304)
    legacy.write(127, "WGra", 5000)
    legacy.write(127, "HzStr", 200)
    assert legacy.setting("PF_KOF") == pytest.approx(1 / 30)
    assert legacy.setting("PF_DBOF") == pytest.approx(0.2)
    assert (legacy.raw(134, "curve.1.Hz1"), legacy.raw(134, "curve.1.Hz2")) == (6020, 6220)
    legacy.write(134, "curve.1.Hz2", 6320)
    assert legacy.setting("PF_KOF") == pytest.approx(0.05)
    legacy.write(134, "curve.1.W2", 500)
    assert legacy.setting("PF_KOF") == pytest.approx(3 / 0.5 / 60)
    legacy.write(134, "curve.1.RmpPT1Tms", 13)
    assert legacy.setting("PF_OLRT") == pytest.approx(10, abs=0.01)


@pytest.mark.parametrize(
    ("model", "path", "raw"),
    [
        (127, "WGra", 0),
        (127, "HzStop", 1),
        (134, "curve.1.Hz1", 5999),
        (134, "curve.1.Hz2", 6003),
        (134, "curve.1.W2", 1000),
    ],
)
def test_a_droop_that_does_not_fall_is_refused(legacy: Registers, model: int, path: str, raw: int) -> None:
    before = legacy.plant.fleet.settings(0)
    with pytest.raises(ModbusRefusal):
        legacy.write(model, path, raw)
    assert legacy.plant.fleet.settings(0) == before
