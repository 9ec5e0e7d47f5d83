"""`dergate check`: the page for the utility, the same in JSON, and what interval data does to the exit status."""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from cli.main import build
from sim.simfile import DEMO

DEMO_SITE = DEMO.with_name("demo.site.toml").read_text(encoding="utf-8")
REVERSE_POWER = DEMO.with_name("no-export-32r.site.toml").read_text(encoding="utf-8")

SOURCE = """nominal_hz = 60
host_load_w = 60_000.0
[site.source]
r_ohm = 2.0
x_ohm = 5.0
primary_v = 12_470.0
power_factor = 0.95
transformer_z_pct = 5.0
transformer_x_over_r = 3.0
"""
INSTRUMENTS = """count_w = 10.0
[meter.instruments]
expected_var = 20_000.0
meter_error_pct = 0.2
ratio_error_pct = 0.3
angle_error_min = 15.0
creep_w = 5.0
ct_primary_a = 200.0
ct_secondary_a = 5.0
"""
NO_EXPORT = [
    ('method = "reverse_power_32r"', 'method = "relative_rating"'),
    ('listed_device = "a listed reverse power relay, serial 0815"\n', ""),
]


def check(folder: Path, text: str, *arguments: str) -> tuple[int, str, str]:
    """Exit status, standard output with its white space evened out, and standard error."""
    file = folder / "site.toml"
    file.write_text(text, encoding="utf-8")
    result = CliRunner(env={"COLUMNS": "200"}).invoke(build(), ["check", str(file), *arguments])
    return result.exit_code, " ".join(result.stdout.split()), result.stderr


def swapped(text: str, *pairs: tuple[str, str]) -> str:
    for old, new in pairs:
        assert old in text, old
        text = text.replace(old, new, 1)
    return text


def stated(folder: Path, text: str, *arguments: str) -> dict[str, Any]:
    status, out, err = check(folder, text, "--json", *arguments)
    assert status in {0, 1}, err
    told: dict[str, Any] = json.loads(out)
    return told


def a_year(folder: Path, low_kw: float = 200.0, *, offset: str = "+00:00", days: int = 366) -> Path:
    """Interval data of hours that ended yesterday; the lowest in the 101st row."""
    end = datetime.now().astimezone().replace(hour=0, minute=0, second=0, microsecond=0, tzinfo=None)
    first = end - timedelta(days=days + 1)
    rows = [
        f"{(first + timedelta(hours=hour)).isoformat()}{offset},{low_kw if hour == 100 else 220}"
        for hour in range(24 * days)
    ]
    file = folder / "load.csv"
    file.write_text("\n".join(["start,host_load_kw", *rows]), encoding="utf-8")
    return file


def test_the_page_of_a_limited_export_site(tmp_path: Path) -> None:
    text = swapped(
        DEMO_SITE, ("nominal_hz = 60\n", SOURCE), ("nameplate_w = 80_000.0", "nameplate_w = 980_000.0")
    )
    status, out, _ = check(tmp_path, text)
    assert status == 0
    for piece in (
        "Demo site (demo-site), 150 kVA service transformer, 277 V line to neutral, 60 Hz, radial network",
        "Capacity statement IREC 2023 Section I.B",
        "inverter-1 pv 20 20 20 under the common limit",
        "together 1,000 1,000 1,000",
        "Export Capacity 25",
        "Total aggregate nameplate output rating 1000 kW (1000 kVA); Export Capacity 25 kW, not counting",
        "Inadvertent Export Screen IREC 2023 Section III.B.3.b",
        "difference 975 kW asked for above 250 kW",
        "R_source, X_source 2 Ω, 5 Ω",
        "dP, dQ 926.25 kW, 304.4437 kvar",
        "voltage change +0.212 %",
        "passed: nameplate less export capacity is 975.0 kW",
        "Power elements IREC 2023 Section IV.B.3.a.i-ii and IV.B.3.b.i",
        "pickup by the rule 25,000.0 W the Export Capacity, export",
        "Ride-through of load steps",
        "host load that may be lost 60 kW declared",
        "The site is fit.",
        "dergate is not a certified relay or power control system.",
    ):
        assert piece in out, piece
    assert "Relative DER rating" not in out
    assert "Configured power rating" not in out


def test_the_page_of_a_non_export_site(tmp_path: Path) -> None:
    status, out, _ = check(tmp_path, swapped(REVERSE_POWER, ("count_w = 10.0\n", INSTRUMENTS)))
    assert status == 0
    for piece in (
        "No inverter exports, alone or at the same time as another.",
        "32R listed device IREC 2023 Section IV.B.3.a.i",
        "pickup by the rule 150.0 W 0.1 % of the service",
        "pickup, secondary 3.750 W CT 200:5 A, voltage direct",
        "40.0 meter + 0.5 ratio +",
        "from half of the pickup",
    ):
        assert piece in out, piece


def test_the_json_holds_every_number_of_the_page(tmp_path: Path) -> None:
    text = swapped(DEMO_SITE, ("nominal_hz = 60\n", SOURCE), ("count_w = 10.0\n", INSTRUMENTS))
    told = stated(tmp_path, text)["engineering"]
    assert set(told) == {
        "capacity",
        "relative_rating",
        "configured_ratings",
        "export_screen",
        "pickups",
        "ride_through",
    }
    assert told["capacity"]["export_w"] == 25_000.0
    assert told["capacity"]["at_the_same_time"] == ["inverter-1", "inverter-2"]
    assert told["export_screen"]["source"]["r_ohm"] == 2.0
    assert told["export_screen"]["asked_for"] is False
    assert told["pickups"][0]["secondary_w"] == 25_000.0 / 40
    assert told["ride_through"][0]["margin_w"] == pytest.approx(14_000)


def test_a_measuring_error_at_the_pickup_makes_the_site_unfit(tmp_path: Path) -> None:
    worse = INSTRUMENTS.replace("creep_w = 5.0", "creep_w = 22.3")
    status, out, _ = check(tmp_path, swapped(REVERSE_POWER, ("count_w = 10.0\n", worse)), "--json")
    assert status == 1
    (problem,) = [one for one in json.loads(out)["findings"] if one["level"] == "problem"]
    assert problem["path"] == "guard.element[0].pickup_w"
    assert "= 150.0 W (100 % of it)" in problem["text"]


def test_relative_rating_is_computed_from_the_interval_data(tmp_path: Path) -> None:
    text = swapped(REVERSE_POWER, *NO_EXPORT)
    told = stated(tmp_path, text, "--load", str(a_year(tmp_path, 80.0)))
    assert told["fit"]
    result = told["engineering"]["relative_rating"]
    assert (result["minimum_w"], result["minimum_line"], result["passed"]) == (80_000.0, 102, True)
    assert result["source"].endswith("load.csv")
    status, out, _ = check(tmp_path, text, "--load", str(a_year(tmp_path, 80.0)))
    assert status == 0
    for piece in ("Relative DER rating IREC 2023 Section IV.B.3.a.iii", "minimum host load 80 kW", "gaps 0"):
        assert piece in out
    status, out, _ = check(tmp_path, text, "--load", str(a_year(tmp_path, 79.9)))
    assert status == 1
    assert "not shown: nameplate 40 kW is above 50 % of the minimum host load, 39.95 kW" in out


def test_a_record_that_is_too_short_makes_a_relative_rating_unfit(tmp_path: Path) -> None:
    load = a_year(tmp_path, days=300)
    status, out, _ = check(tmp_path, swapped(REVERSE_POWER, *NO_EXPORT), "--load", str(load))
    assert status == 1
    assert "less than 12 months" in out
    assert check(tmp_path, REVERSE_POWER, "--load", str(load))[0] == 0


def test_without_interval_data_a_relative_rating_is_a_warning(tmp_path: Path) -> None:
    told = stated(tmp_path, swapped(REVERSE_POWER, *NO_EXPORT))
    assert told["fit"]
    assert any("give the interval data with --load" in one["text"] for one in told["findings"])


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("host_load_kw", "load_kw", ":1: column 2, 'load_kw': unknown column; did you mean 'host_load_kw'?"),
        (",220", ",22O", ":2: column 2, host_load_kw: '22O' is not a number"),
        ("+00:00", "", ":2: column 1, start: "),
    ],
)
def test_a_mistake_in_the_interval_data_is_told_and_ends_with_2(
    tmp_path: Path, old: str, new: str, said: str
) -> None:
    load = a_year(tmp_path)
    load.write_text(load.read_text().replace(old, new, 1))
    status, out, err = check(tmp_path, DEMO_SITE, "--load", str(load))
    assert (status, out) == (2, "")
    assert f"{load}{said}" in err


def test_local_times_take_a_zone(tmp_path: Path) -> None:
    text, load = swapped(REVERSE_POWER, *NO_EXPORT), str(a_year(tmp_path, offset=""))
    for zone in ("-05:00", "+05:30", "UTC"):
        told = stated(tmp_path, text, "--load", load, "--zone", zone)
        assert told["engineering"]["relative_rating"]["passed"], zone
    assert check(tmp_path, text, "--load", load)[0] == 2
    # A meter on standard time has an hour that no clock in New York shows.
    status, _, err = check(tmp_path, text, "--load", load, "--zone", "America/New_York")
    assert status == 2
    assert "does not exist in America/New_York" in err


@pytest.mark.parametrize("zone", ["Atlantis/Capital", "-99:00", "../../etc/passwd", "", "America"])
def test_a_zone_that_nobody_knows_is_refused(tmp_path: Path, zone: str) -> None:
    status, _, err = check(tmp_path, DEMO_SITE, "--load", str(a_year(tmp_path)), "--zone", zone)
    assert status == 2
    assert f"--zone: no time zone {zone!r} is known here" in err


def test_a_zone_without_data_and_data_that_is_not_there_are_refused(tmp_path: Path) -> None:
    status, _, err = check(tmp_path, DEMO_SITE, "--zone", "UTC")
    assert (status, "goes with --load" in err) == (2, True)
    status, _, err = check(tmp_path, DEMO_SITE, "--load", str(tmp_path / "none.csv"))
    assert (status, "none.csv: No such file" in err) == (2, True)


def test_configured_ratings_stand_on_the_page(tmp_path: Path) -> None:
    papers = 'certificate = "C-17", derating_tag = "label on the door"'
    text = swapped(
        DEMO_SITE,
        ('method = "agreed_means"', 'method = "configured_rating"'),
        ("nameplate_w = 20_000.0", f"nameplate_w = 20_000.0\nconfigured = {{ limit_w = 5_000.0, {papers} }}"),
        (
            "nameplate_w = 80_000.0",
            f"nameplate_w = 80_000.0\nconfigured = {{ limit_w = 20_000.0, {papers} }}",
        ),
    )
    status, out, _ = check(tmp_path, text)
    assert status == 0
    for piece in ("Configured power rating IREC 2023", "25.0 %", "C-17", "each up to its configured rating"):
        assert piece in out
    status, out, _ = check(tmp_path, text.replace("limit_w = 20_000.0", "limit_w = 20_000.1"))
    assert status == 1
    assert "sum to 25000.1 W" in out


def test_text_in_brackets_is_shown_as_it_stands(tmp_path: Path) -> None:
    text = swapped(
        DEMO_SITE, ('name = "Demo site"', 'name = "Demo [red]site[/]"'), ("DEMO-2026-001", "[bold]R[/]")
    )
    status, out, _ = check(tmp_path, text)
    assert status == 0
    assert "Demo [red]site[/] (demo-site)" in out
    assert "(Section IV.B.3.c.ii): [bold]R[/]." in out
