"""Every profile shipped loads, is evidenced, and says what its driver does; mistakes in one are refused."""

from __future__ import annotations

from pathlib import Path

import pytest

from drivers import profile
from drivers.bus import Buses
from drivers.errors import DriverError, UriError
from drivers.factory import make_inverter, make_meter, make_trip_output
from drivers.inverter_sunspec import SunSpecInverter
from drivers.meter_sunspec import SunSpecMeter
from drivers.profile import ProfileError, load_profile, profile_names
from drivers.sunspec.definition import definition
from drivers.trip_coil import TripCoil
from edge.model import site


@pytest.mark.parametrize("name", profile_names())
def test_profile_loads(name: str) -> None:
    loaded = load_profile(name)
    assert all(definition(model) is not None for model in loaded.models)
    assert all(caveat.evidence for caveat in loaded.caveats)
    assert loaded.caveats


def test_the_kinds_are_there_with_what_happens_after_silence() -> None:
    assert {name: load_profile(name).capabilities.reversion for name in profile_names()} == {
        "modbus-coil": "dead_man",
        "sunspec-124": "fails_open",
        "sunspec-1xx": "fails_open",
        "sunspec-7xx": "safe_value",
        "sunspec-7xx-storage": "safe_value",
        "sunspec-meter": "none",
    }


GOOD = 'name = "one"\ntitle = "t"\nrole = "meter"\n[capabilities]\nfunction_codes = [3]\nreversion = "none"\n'


@pytest.mark.parametrize(
    "text",
    [
        GOOD.replace('"meter"', '"toaster"'),
        GOOD.replace("[3]", "[99]"),
        GOOD.replace("[3]", "[]"),
        GOOD.replace('"one"', '"two"'),
        GOOD + "min_pct = 100.0\n",
        GOOD + "colour = 1\n",
        GOOD + '[[caveats]]\ntext = "no evidence"\nevidence = []\n',
        "name =",
    ],
)
def test_a_wrong_profile_is_refused(text: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(profile, "_FOLDER", tmp_path)
    load_profile.cache_clear()
    (tmp_path / "one.toml").write_text(GOOD)
    assert load_profile("one").name == "one"
    load_profile.cache_clear()
    (tmp_path / "one.toml").write_text(text)
    with pytest.raises(ProfileError, match="profile one"):
        load_profile("one")
    load_profile.cache_clear()


def test_an_unknown_profile_names_those_there_are() -> None:
    with pytest.raises(ProfileError, match="modbus-coil, sunspec-124, sunspec-1xx"):
        load_profile("nonsense")


def test_drivers_of_a_site_share_the_line_of_one_endpoint() -> None:
    buses = Buses()
    meter = make_meter(buses, _meter("tcp://192.0.2.7?unit=1"))
    inverter = make_inverter(buses, _der("tcp://192.0.2.7?unit=2"))
    apart = make_inverter(buses, _der("tcp://192.0.2.8?unit=2"))
    output = make_trip_output(buses, _output("tcp://192.0.2.9"), ())
    assert isinstance(meter, SunSpecMeter)
    assert isinstance(inverter, SunSpecInverter)
    assert isinstance(apart, SunSpecInverter)
    assert isinstance(output, TripCoil)
    assert meter.device.bus.line is inverter.device.bus.line
    assert apart.device.bus.line is not inverter.device.bus.line
    assert (meter.device.bus.timeout_s, inverter.device.bus.timeout_s) == (0.15, 0.3)
    assert output.dead_man_s == pytest.approx(0.55)
    buses.close()


def test_a_site_that_mixes_things_up_is_refused() -> None:
    buses = Buses()
    with pytest.raises(DriverError, match="describes a trip_output, not a meter"):
        make_meter(buses, _meter("tcp://192.0.2.7", profile="modbus-coil"))
    with pytest.raises(UriError, match="unknown option"):
        make_meter(buses, _meter("tcp://192.0.2.7?slave=1"))


def _meter(uri: str, profile: str = "sunspec-meter") -> site.Meter:
    return site.Meter(uri=uri, profile=profile, sign="export_positive", period_s=0.2, latency_s=0.02)


def _der(uri: str) -> site.Der:
    return site.Der(
        name="one",
        uri=uri,
        profile="sunspec-7xx",
        nameplate_w=20_000.0,
        dead_time_s=0.2,
        slope_pct_per_s=100.0,
    )


def _output(uri: str) -> site.TripOutput:
    return site.ModbusCoil(name="coil", uri=uri, watchdog_s=0.5)
