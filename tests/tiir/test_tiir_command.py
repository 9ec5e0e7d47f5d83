"""`dergate tiir` against the simulated demo site, over real sockets and without an agent."""

from __future__ import annotations

import asyncio
import json
import re
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from cli.tiir import app
from drivers.bus import Bus
from drivers.sunspec.device import SunSpecDevice
from drivers.uri import ModbusUri
from sim.serve import SimServer
from sim.simfile import DEMO

SITE = DEMO.parent / "demo.site.toml"


async def dergate_tiir(*args: str) -> Result:
    """The command in a thread of its own: it runs its own event loop."""
    return await asyncio.to_thread(lambda: CliRunner().invoke(app, args))


async def answer(*args: str, status: int) -> dict[str, dict[str, Any]]:
    """The DERs of the command's JSON, by name, with their findings by setting."""
    result = await dergate_tiir(*args, "--json")
    assert result.exit_code == status, result.output
    document = json.loads(result.stdout)
    assert document.keys() == {"site", "profile", "ders"}
    for der in document["ders"]:
        der["findings"] = {finding["setting"]: finding for finding in der["findings"]}
    return {der["name"]: der for der in document["ders"]}


async def test_verify_apply_verify(site: str) -> None:
    before = await answer("verify", site, status=1)
    assert before["inverter-1"]["verified"] is False
    assert before["inverter-1"]["findings"]["QV_MODE_ENABLE"]["verdict"] == "differs"
    assert before["inverter-1"]["findings"]["ES_DELAY"]["found"] == 5
    assert before["inverter-1"]["written"] == []

    applied = await answer("apply", site, status=0)
    written = [(step["model"], step["outcome"]) for step in applied["inverter-1"]["written"]]
    assert written == [(705, "verified"), (706, "verified"), (703, "verified")]

    after = await answer("verify", site, status=0)
    assert after["inverter-1"]["verified"] is True
    held = {
        label: f["found"] for label, f in after["inverter-1"]["findings"].items() if f["verdict"] == "match"
    }
    assert held["QV_CURVE_V1"] == 0.92
    assert held["PV_CURVE_P2"] == 0
    assert held["ES_V_LOW"] == 0.917
    assert (held["ES_DELAY"], held["ES_RAMP_RATE"]) == (300, 300)

    again = await answer("apply", site, status=0)
    assert again["inverter-1"]["written"] == []


async def test_what_was_applied_is_in_the_device(site: str, plant: SimServer) -> None:
    assert (await dergate_tiir("apply", site, "--der", "inverter-1")).exit_code == 0
    uri = ModbusUri.parse(plant.servers["inverter-1"].uri)
    bus = Bus(uri)
    try:
        device = SunSpecDevice(bus, uri.unit_or_1)
        volt_watt = (await device.read_model(706)).values
        enter_service = (await device.read_model(703)).values.points
    finally:
        bus.close()
    in_force = volt_watt.groups["Crv"][0]
    assert volt_watt.points["Ena"] == 1
    assert [(p.points["V"], p.points["W"]) for p in in_force.groups["Pt"]] == [(106.0, 100.0), (110.0, 0.0)]
    assert (enter_service["ESVLo"], enter_service["ESRmpTms"], enter_service["ES"]) == (91.7, 300, 1)
    assert bool(plant.plant.fleet.volt_watt.enabled[0])


async def test_inverter_two_says_what_cannot_be_set(site: str) -> None:
    for command in ("verify", "apply"):
        der = (await answer(command, site, "--der", "inverter-2", status=1))["inverter-2"]
        assert der["verified"] is None
        assert der["written"] == []
        assert {finding["verdict"] for finding in der["findings"].values()} == {"not supported"}
        assert der["findings"]["QV_CURVE_V1"]["reason"] == (
            "cannot be set on this device, because it has no model 705, nor the older 126"
        )


async def test_drift_is_found_and_named(site: str, plant: SimServer) -> None:
    await answer("apply", site, status=0)
    plant.plant.fleet.service.ramp_s[0] = 12.0
    der = (await answer("verify", site, status=1))["inverter-1"]
    differing = [label for label, finding in der["findings"].items() if finding["verdict"] == "differs"]
    assert differing == ["ES_RAMP_RATE"]
    assert der["findings"]["ES_RAMP_RATE"]["found"] == 12


async def test_a_device_that_refuses_is_told(site: str, tmp_path: Path) -> None:
    """The simulated 705 refuses two points at one voltage, which is what the rotating profile asks for."""
    der = (await answer("apply", site, "--der", "inverter-1", "--profile", "irec-2023-rotating", status=1))[
        "inverter-1"
    ]
    assert der["verified"] is False
    assert der["findings"]["QV_CURVE_V1"]["reason"].startswith("the write ended refused: ")
    assert der["findings"]["ES_DELAY"]["verdict"] == "match"


async def test_an_unreachable_der_is_named_and_the_other_is_still_read(site: str, plant: SimServer) -> None:
    await plant.servers["inverter-2"].wire.stop()
    ders = await answer("verify", site, status=3)
    assert "inverter-2" in ders["inverter-2"]["unreachable"]
    assert ders["inverter-2"]["verified"] is None
    assert {f["verdict"] for f in ders["inverter-2"]["findings"].values()} == {"not readable"}
    assert ders["inverter-1"]["findings"]["ES_DELAY"]["found"] == 5
    told = await dergate_tiir("verify", site)
    assert told.exit_code == 3
    assert "cannot reach inverter-2" in told.stdout


async def test_table_for_people(site: str) -> None:
    shown = (await dergate_tiir("apply", site)).stdout
    assert "over Modbus" in shown
    assert "inverter-1: curve adopted in model 705: verified" in shown
    summed = re.search(
        r"inverter-1: verified in all that this device offers \((\d+) match, (\d+) not supp", shown
    )
    assert summed is not None
    assert int(summed[1]) + int(summed[2]) == 51
    assert "inverter-2: cannot be verified on this device (51 not supported)" in shown


async def test_random_delay_needs_a_known_rating_below_500_kva(site: str) -> None:
    refused = await dergate_tiir("apply", site, "--random-delay")
    assert refused.exit_code == 2
    assert "ES_RANDOMIZED_DELAY" in refused.stderr
    assert "below 500 kVA" in refused.stderr


@pytest.mark.parametrize(
    ("args", "told"),
    [
        (("verify", "missing.toml"), "missing.toml"),
        (("verify", str(SITE), "--der", "inverter-9"), "it has inverter-1, inverter-2"),
        (("verify", str(SITE), "--profile", "nobody"), "irec-2023-rotating"),
        (("show", "nobody"), "no profile is named 'nobody'"),
        (("show", str(DEMO)), "demo.sim.toml"),
    ],
)
async def test_bad_usage_ends_with_2_and_a_sentence(args: tuple[str, ...], told: str) -> None:
    result = await dergate_tiir(*args)
    assert result.exit_code == 2
    assert told in result.stderr
    assert "Traceback" not in result.output


async def test_a_uri_that_cannot_be_used_ends_with_2(tmp_path: Path) -> None:
    file = tmp_path / "bad.site.toml"
    file.write_text(SITE.read_text().replace("15022?unit=1", "15022?unti=1"))
    result = await dergate_tiir("verify", str(file))
    assert result.exit_code == 2
    assert "unknown option 'unti'" in result.stderr


async def test_a_profile_file_with_a_mistake_names_its_line(tmp_path: Path) -> None:
    text = (await dergate_tiir("show", "irec-2023-inverter", "--json")).stdout
    assert len(json.loads(text)["settings"]) == 51
    file = tmp_path / "own.toml"
    file.write_text(
        'name = "own"\ntitle = "Own"\nsource = "here"\nnormal_category = "B"\nabnormal_category = "III"\n'
        "[settings.volt_var]\nQV_OLRT = 95\n"
    )
    refused = await dergate_tiir("show", str(file))
    assert refused.exit_code == 2
    assert f"{file}:7: settings.volt_var.QV_OLRT" in refused.stderr
    assert "1 to 90 s" in refused.stderr


async def test_show_a_site_for_people_and_machines() -> None:
    table = (await dergate_tiir("show", str(SITE))).stdout
    assert "required of: inverter-1, inverter-2" in table
    assert "ES_RANDOMIZED_DELAY: 300 in place of ES_RAMP_RATE, below 500 kVA" in table
    document = json.loads((await dergate_tiir("show", str(SITE), "--json")).stdout)
    assert [der["name"] for der in document["ders"]] == ["inverter-1", "inverter-2"]
    (row,) = [row for row in document["ders"][0]["settings"] if row["setting"] == "QV_CURVE_V2"]
    assert row == {
        "setting": "QV_CURVE_V2",
        "clause": "5.3.3 Table 8",
        "unit": "pu of V_N",
        "required": 0.98,
        "range": [0.97, 1.0],
    }


async def test_settings_lists_the_ranges_of_a_category_and_edition() -> None:
    def uv1(document: dict[str, Any]) -> dict[str, Any]:
        assert len(document["settings"]) == 91
        return next(row for row in document["settings"] if row["setting"] == "UV1_TRIP_T")

    plain = json.loads((await dergate_tiir("settings", "--json")).stdout)
    assert uv1(plain)["range"] == [21.0, 50.0]
    assert uv1(plain)["clause"] == "6.4.1 Tables 11-13"
    amended = json.loads((await dergate_tiir("settings", "--edition", "2018+2020", "--json")).stdout)
    assert uv1(amended)["range"] == [2.0, 50.0]
    rotating = ("settings", "--normal", "A", "--abnormal", "I", "--json")
    first = json.loads((await dergate_tiir(*rotating)).stdout)
    assert (uv1(first)["default"], uv1(first)["range"]) == (2.0, [2.0, 21.0])
    table = (await dergate_tiir("settings", "--edition", "2018+2020", "--storage")).stdout
    assert "categories B and III, bidirectional, IEEE 1547-2018+2020" in table
    assert "recalled: confirm them" in table
    assert "recalled" not in (await dergate_tiir("settings")).stdout
    assert (await dergate_tiir("settings", "--edition", "2003")).exit_code == 2


async def test_a_profile_of_the_amended_edition_may_have_its_times(tmp_path: Path) -> None:
    file = tmp_path / "own.toml"
    head = 'name = "own"\ntitle = "Own"\nsource = "here"\nnormal_category = "B"\nabnormal_category = "III"\n'
    asks = "[settings.voltage_trip]\nUV1_TRIP_T = 10\n"
    file.write_text(head + asks)
    refused = await dergate_tiir("show", str(file))
    assert refused.exit_code == 2
    assert f"{file}:7: settings.voltage_trip.UV1_TRIP_T" in refused.stderr
    assert "outside 21 to 50 s (IEEE 1547-2018 6.4.1" in refused.stderr
    file.write_text(head + 'edition = "2018+2020"\n' + asks)
    shown = await dergate_tiir("show", str(file))
    assert shown.exit_code == 0
    assert "ranges: categories B and III, IEEE 1547-2018+2020" in shown.stdout
    file.write_text(head + 'edition = "2003"\n' + asks)
    assert "edition" in (await dergate_tiir("show", str(file))).stderr
