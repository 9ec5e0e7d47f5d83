"""COMTRADE files: an independent reader reads what was captured, and every line is what the standard asks for."""

from __future__ import annotations

import math
import re
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import comtrade as reader
import pytest
from hypothesis import given
from hypothesis import strategies as st
from made_incident import AT, capture, incident, of_values, trip

from edge.evidence.comtrade import Comtrade, NoSamplesError, comtrade
from edge.evidence.incident import Incident

UTC_OFFSET = timedelta()


def files(one: Incident, offset: timedelta = UTC_OFFSET) -> Comtrade:
    return comtrade(one, offset)


def read(one: Incident) -> Any:
    """What the reader makes of it, times and values as double precision."""
    record = reader.Comtrade(use_double_precision=True)
    made = files(one)
    record.read(made.cfg, made.dat)
    return record


def analogue(record: Any, name: str) -> list[float]:
    return [float(value) for value in record.analog[record.analog_channel_ids.index(name)]]


def status(record: Any, name: str) -> list[int]:
    return [int(value) for value in record.status[record.status_channel_ids.index(name)]]


def test_an_independent_reader_reads_the_capture() -> None:
    record = read(incident())
    given_ = trip()
    assert (record.station_name, record.rec_dev_id, record.rev_year) == ("Demo site", "demo-site", "2013")
    assert record.total_samples == len(given_.rows)
    assert record.frequency == 60.0
    assert list(record.time) == pytest.approx([t_s + 0.4213 for t_s in given_.t_s], abs=1e-9)
    assert record.trigger_timestamp == AT.replace(tzinfo=None)
    assert record.trigger_time == pytest.approx(0.4213, abs=1e-6)
    for name, column, scale in (
        ("PCC export", "export_w", 1.0),
        ("PCC voltage", "v_pu", 277.0),
        ("PCC frequency", "f_hz", 1.0),
        ("inverter-1 output", "inverter-1 output_w", 1.0),
        ("inverter-1 limit read back", "inverter-1 limit_w", 1.0),
        ("inverter-1 limit commanded", "inverter-1 commanded_w", 1.0),
    ):
        channel = record.cfg.analog_channels[record.analog_channel_ids.index(name)]
        for value, found in zip(incident().series(column), analogue(record, name), strict=True):
            if value is None:
                assert math.isnan(found), name
            else:
                assert abs(value * scale - found) <= channel.a / 2 + 1e-9, name
        assert channel.a <= max(
            1e-9, 10 * max(abs(v or 0.0) for v in incident().series(column)) * scale / 99_998
        )
    assert analogue(record, "export limit") == [25_000.0] * 6
    assert analogue(record, "32 pickup") == [25_000.0] * 6
    assert analogue(record, "32 dropout") == [24_500.0] * 6


def test_states_and_what_was_absent() -> None:
    record = read(incident())
    assert status(record, "32 picked up") == [0, 0, 1, 0, 0, 0]
    assert status(record, "32 operated") == [0, 0, 0, 0, 1, 0]
    assert status(record, "trip latch") == [0, 0, 0, 0, 1, 1]
    assert status(record, "coil-2 closed") == [1, 1, 1, 0, 0, 0]
    assert status(record, "coil-2 closed absent") == [0, 0, 0, 1, 0, 0]
    assert status(record, "PCC export absent") == [0, 0, 0, 1, 0, 0]
    assert "PCC frequency absent" not in record.status_channel_ids
    normal = {channel.name: channel.y for channel in record.cfg.status_channels}
    assert (normal["coil-2 closed"], normal["coil-2 commanded closed"], normal["trip latch"]) == (1, 1, 0)


def test_the_lines_are_those_of_the_standard() -> None:
    made = files(incident())
    lines = made.cfg.split("\r\n")
    assert lines[0] == "Demo site,demo-site,2013"
    assert lines[1] == "20,11A,9D"
    assert lines[2] == "1,PCC export,,,W,1,0,0,-99999,99998,1,1,P"
    assert lines[13] == "1,coil-2 commanded closed,,coil-2,1"
    assert lines[22:] == [
        "60",
        "0",
        "0,6",
        "01/05/2026,11:59:59.828700",
        "01/05/2026,12:00:00.250000",
        "ASCII",
        "1",
        "0,0",
        "A,3",
        "",
    ]
    data = made.dat.split("\r\n")
    assert data[0].startswith("1,0,")
    assert data[3].startswith("4,432600,99999,")
    assert data[6:] == [""]
    assert {line.count(",") for line in data[:6]} == {1 + 20}


@pytest.mark.parametrize("text", ["cfg", "dat", "hdr"])
def test_every_line_ends_as_it_must_and_is_ascii(text: str) -> None:
    content: str = getattr(files(incident(station="Été, Straße\r\n7 北")), text)
    assert content.isascii()
    assert content.endswith("\r\n")
    assert not re.search(r"(?<!\r)\n|\r(?!\n)", content)


@pytest.mark.parametrize(("quality", "code"), [("synchronised", "A"), ("holdover", "F"), ("unknown", "F")])
def test_time_quality(quality: str, code: str) -> None:
    assert files(incident(time_quality=quality)).cfg.splitlines()[-1] == f"{code},3"


@pytest.mark.parametrize(
    ("offset", "code"),
    [
        (timedelta(0), "0"),
        (timedelta(hours=2), "+2"),
        (timedelta(hours=-5), "-5"),
        (timedelta(hours=5, minutes=30), "+5h30"),
        (timedelta(hours=-3, minutes=-30), "-3h30"),
        (timedelta(minutes=-15), "-0h15"),
        (timedelta(hours=12, minutes=45), "+12h45"),
    ],
)
def test_local_time_code(offset: timedelta, code: str) -> None:
    assert files(incident(), offset).cfg.splitlines()[-2] == f"0,{code}"


@pytest.mark.parametrize(
    "value",
    [
        0.0,
        -0.0,
        1e-12,
        1.0,
        99_998.0,
        99_998.4,
        99_998.5,
        99_999.0,
        -99_999.0,
        199_996.0,
        199_997.0,
        5e5,
        1e9,
        1e300,
    ],
)
def test_boundaries_of_the_scale(value: float) -> None:
    for given_ in (value, -value):
        record = read(of_values([given_, None, given_ / 3]))
        step = record.cfg.analog_channels[0].a
        first, absent, third = analogue(record, "PCC export")
        assert abs(first - given_) <= step / 2 * (1 + 1e-9) + abs(given_) * 1e-8
        assert abs(third - given_ / 3) <= step / 2 * (1 + 1e-9) + abs(given_) * 1e-8
        assert math.isnan(absent)


@given(
    st.lists(
        st.one_of(
            st.none(), st.floats(allow_nan=False, allow_infinity=False, min_value=-1e300, max_value=1e300)
        ),
        min_size=1,
        max_size=20,
    )
)
def test_any_values_come_back_within_half_a_step(values: list[float | None]) -> None:
    record = read(of_values(values))
    step = record.cfg.analog_channels[0].a
    for value, found in zip(values, analogue(record, "PCC export"), strict=True):
        if value is None:
            assert math.isnan(found)
        else:
            assert abs(found - value) <= step / 2 * (1 + 1e-9) + abs(value) * 1e-8
    assert step <= max(1e-9, 5.1 * max(abs(value or 0.0) for value in values) / 99_998)


@given(st.text(max_size=200), st.text(min_size=1, max_size=200), st.text(max_size=200))
def test_odd_names_break_no_line(station: str, gateway: str, column: str) -> None:
    one = incident(capture(("t_s", column), [(0.0, 1.5)]), station=station, gateway=gateway)
    made = files(one)
    lines = made.cfg.split("\r\n")
    assert lines[0].count(",") == 2
    first = lines[0].split(",")
    assert all(len(field) <= 64 for field in first)
    assert all(" " <= letter <= "~" for line in lines for letter in line)
    for line in lines[2:3]:
        assert line.count(",") in (4, 12)
        assert len(line.split(",")[1]) <= 128
        assert len(line.split(",")[3]) <= 64
    read(one)


def test_an_unknown_column_of_a_later_version_is_a_channel_without_a_unit() -> None:
    record = read(of_values([1.0, 2.0], column="inverter-1 reactive_var"))
    assert record.analog_channel_ids == ["inverter-1 reactive_var"]
    assert record.cfg.analog_channels[0].uu == ""


def test_a_voltage_without_a_nominal_one_stays_per_unit() -> None:
    record = read(of_values([1.0, 0.9], column="v_pu"))
    assert record.cfg.analog_channels[0].uu == "pu"


def test_one_scan_is_enough_and_none_is_not() -> None:
    assert read(of_values([1.0])).total_samples == 1
    with pytest.raises(NoSamplesError, match="capture 17 has no samples"):
        files(of_values([]))


def test_a_day_begins_within_it() -> None:
    one = incident(at=datetime(2027, 1, 1, 0, 0, 0, 100_000, tzinfo=UTC))
    lines = files(one).cfg.splitlines()
    assert "31/12/2026,23:59:59.678700" in lines
    assert "01/01/2027,00:00:00.100000" in lines


def test_the_header_tells_a_person(tmp_path: Path) -> None:
    paths = files(incident()).write(tmp_path / "new" / "folder", "demo-site-17")
    assert [path.name for path in paths] == ["demo-site-17.cfg", "demo-site-17.dat", "demo-site-17.hdr"]
    header = paths[2].read_bytes().decode("ascii")
    assert "clock synchronised; monotonic 1234.500 s of boot bbbbbbbb" in header
    assert "+1.250 s trip: target 32" in header
    record = reader.Comtrade()
    record.load(str(paths[0]), str(paths[1]))
    assert record.total_samples == 6


def test_the_end_byte_of_older_files_is_neither_written_nor_needed() -> None:
    made = files(incident())
    assert "\x1a" not in made.cfg + made.dat
    with_it, without = reader.Comtrade(), reader.Comtrade()
    without.read(made.cfg, made.dat)
    with_it.read(made.cfg, f"{made.dat}\x1a")
    assert list(with_it.time) == list(without.time)


def test_why_an_absent_value_is_no_empty_field() -> None:
    """The 2013 text has it so; a reader that takes it would be a reason to write it so."""
    made = files(incident())
    with pytest.raises(ValueError, match="could not convert"):
        reader.Comtrade().read(made.cfg, made.dat.replace(",99999,", ",,"))
