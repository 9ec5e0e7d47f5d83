"""Interval data is taken as stated or refused, each mistake with file, line and column."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from engineering_site import END, csv_of, starts
from hypothesis import given
from hypothesis import strategies as st

from edge.engineering.interval_data import IntervalDataError, read_intervals

NEW_YORK = ZoneInfo("America/New_York")
THREE = "start,host_load_w\n2025-01-01T00:00Z,10\n2025-01-01T00:15Z,20\n2025-01-01T00:30Z,30\n"


def refused(text: str, zone: ZoneInfo | None = None) -> list[str]:
    with pytest.raises(IntervalDataError) as caught:
        read_intervals(text, "l.csv", zone)
    assert str(caught.value) == "\n".join(caught.value.problems)
    return caught.value.problems


def clocks(*times: str) -> str:
    """Hourly or finer local times with a load of 1 W."""
    return "start,host_load_w\n" + "".join(f"{time},1\n" for time in times)


def test_three_rows_as_they_stand() -> None:
    data = read_intervals(THREE, "l.csv")
    assert (data.name, data.interval_s) == ("l.csv", 900)
    assert [(row.load_w, row.line) for row in data.rows] == [(10.0, 2), (20.0, 3), (30.0, 4)]
    assert data.rows[0].start == datetime(2025, 1, 1, tzinfo=UTC)


@pytest.mark.parametrize(
    ("column", "watts"),
    [("host_load_w", 10.0), ("host_load_kw", 10_000.0), ("host_load_wh", 40.0), ("host_load_kwh", 40_000.0)],
)
def test_each_unit_comes_out_in_watts(column: str, watts: float) -> None:
    assert read_intervals(THREE.replace("host_load_w", column), "l.csv").rows[0].load_w == watts


def test_columns_may_stand_in_any_order_and_empty_lines_and_spaces_are_nothing() -> None:
    text = "host_load_w, start\n\n10 ,2025-01-01 00:00:00Z\n\n 20,2025-01-01 00:01:00+00:00\n"
    data = read_intervals(text, "l.csv")
    assert [(row.load_w, row.line) for row in data.rows] == [(10.0, 3), (20.0, 5)]
    assert data.interval_s == 60


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        (
            "start",
            "begin",
            "l.csv:1: column 1, 'begin': unknown column; allowed: start and one of host_load_w",
        ),
        ("start", "strat", "l.csv:1: column 1, 'strat': unknown column; did you mean 'start'?"),
        ("host_load_w", "host_load", "column 2, 'host_load': unknown column; did you mean 'host_load_w"),
        ("host_load_w", "start", "l.csv:1: column start is named twice"),
        ("start", "host_load_kw", "l.csv:1: column start is missing"),
        ("start", "host_load_kw", "l.csv:1: 2 columns of the load (host_load_kw, host_load_w)"),
        ("host_load_w", "start", "l.csv:1: 0 columns of the load (none)"),
        (",20", ",20,30", "l.csv:3: has 3 columns, the first row 2"),
        (",20", "", "l.csv:3: has 1 columns, the first row 2"),
        (",20", ";20", "l.csv:3: has 1 columns"),
        (",20", ",", "l.csv:3: column 2, host_load_w: is empty; leave the row out for a gap"),
        (",20", ",nan", "l.csv:3: column 2, host_load_w: 'nan' is not a number"),
        (",20", ",inf", "'inf' is not a number"),
        (",20", ",1_0", "'1_0' is not a number"),
        (",20", ",٣", "'٣' is not a number"),
        (",20", ',"1,5"', "'1,5' is not a number"),
        (",20", ",20 kW", "'20 kW' is not a number"),
        (",20", ",-0.1", "l.csv:3: column 2, host_load_w: -0.1 is negative"),
        (",20", ",1e13", "1e13 is no load of a site"),
        (
            "2025-01-01T00:15Z",
            "01/01/2025 00:15",
            "l.csv:3: column 1, start: '01/01/2025 00:15' is not a time",
        ),
        ("2025-01-01T00:15Z", "2025-01-01", "is not a time such as"),
        ("2025-01-01T00:15Z", "0025-01-01T00:15Z", "is not a time such as"),
        ("2025-01-01T00:15Z", "2025-02-30T00:15Z", "'2025-02-30T00:15Z' is no time that exists"),
        ("2025-01-01T00:15Z", "2025-01-01T24:15Z", "is no time that exists"),
        (
            "2025-01-01T00:15Z",
            "2025-01-01T00:15",
            "has no offset from UTC; write it as 2025-01-01T00:15-05:00",
        ),
        ("00:15Z", "00:00Z", "l.csv:3: column 1, start: 2025-01-01T00:00:00+00:00 is on line 2 already"),
        ("00:15Z", "00:00-00:00", "is on line 2 already"),
        ("00:30Z", "00:05Z", "l.csv:4: column 1, start: 2025-01-01T00:05:00+00:00 is before line 3"),
        (
            "00:30Z",
            "00:38Z",
            "l.csv:4: column 1, start: starts 0:23:00 after the row before; intervals are of 900",
        ),
        (",20", ',"20', "not valid CSV"),
    ],
)
def test_a_mistake_names_file_line_and_column(old: str, new: str, told: str) -> None:
    assert old in THREE
    problems = refused(THREE.replace(old, new, 1))
    assert any(told in problem for problem in problems), problems


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "l.csv:1: is empty; the first row names the columns: start and one of"),
        ("\n\n", "l.csv:1: is empty"),
        ("start,host_load_w\n", "l.csv:1: has 0 rows of data; a record needs at least two"),
        (clocks("2025-01-01T00:00Z"), "l.csv:2: has 1 rows of data"),
        (clocks("2025-01-01T00:00Z", "2025-01-01T02:00Z"), "l.csv:3: column 1, start: intervals of 7200 s"),
        (clocks("2025-01-01T00:00Z", "2025-01-01T00:07Z"), "intervals of 420 s; they must divide an hour"),
    ],
)
def test_a_text_that_is_no_record(text: str, told: str) -> None:
    (problem,) = refused(text)
    assert told in problem


def test_an_hour_is_the_longest_interval() -> None:
    assert read_intervals(clocks("2025-01-01T00:00Z", "2025-01-01T01:00Z"), "l.csv").interval_s == 3600


def test_every_mistake_is_told_and_past_twenty_they_are_counted() -> None:
    text = "start,host_load_w\n" + "x,1\n" * 25
    problems = refused(text)
    assert len(problems) == 21
    assert problems[19].startswith("l.csv:21: ")
    assert problems[20] == "l.csv: and 5 more"
    assert len(refused("start,host_load_w\n" + "x,1\n" * 20)) == 20


def test_both_columns_of_a_row_are_told_on_their_own_lines() -> None:
    problems = refused("start,host_load_w\nx,1\n2025-01-01T00:00Z,y\n")
    assert [problem.partition(" ")[0] for problem in problems] == ["l.csv:2:", "l.csv:3:"]


def test_local_times_over_the_end_of_summer_time_are_taken_in_order() -> None:
    # New York, 2 November 2025: 01:00 to 02:00 comes twice.
    times = [f"2025-11-02T{clock}" for clock in ("00:30", "01:00", "01:30", "01:00", "01:30", "02:00")]
    data = read_intervals(clocks(*times), "l.csv", NEW_YORK)
    assert [row.start.strftime("%H:%M%z") for row in data.rows] == [
        "00:30-0400",
        "01:00-0400",
        "01:30-0400",
        "01:00-0500",
        "01:30-0500",
        "02:00-0500",
    ]
    steps = {after.start - row.start for row, after in pairwise(data.rows)}
    assert steps == {timedelta(minutes=30)}


def test_hourly_data_has_the_repeated_hour_in_two_rows_that_look_alike() -> None:
    times = [f"2025-11-02T{clock}" for clock in ("00:00", "01:00", "01:00", "02:00")]
    data = read_intervals(clocks(*times), "l.csv", NEW_YORK)
    assert [row.start.strftime("%H%z") for row in data.rows] == ["00-0400", "01-0400", "01-0500", "02-0500"]
    (problem,) = refused(clocks("2025-11-01T00:00", "2025-11-01T01:00", "2025-11-01T01:00"), NEW_YORK)
    assert "2025-11-01T01:00:00-04:00 is on line 3 already" in problem


def test_the_hour_three_times_is_once_too_often() -> None:
    times = [f"2025-11-02T{clock}" for clock in ("01:00", "01:30", "01:00", "01:30", "01:00")]
    (problem,) = refused(clocks(*times), NEW_YORK)
    assert problem.startswith("l.csv:6: column 1, start: 2025-11-02T01:00:00-04:00 is before line 5")


def test_a_local_time_that_clocks_leap_over_is_refused() -> None:
    times = ["2025-03-09T01:30", "2025-03-09T02:00", "2025-03-09T03:00"]
    (problem,) = refused(clocks(*times), NEW_YORK)
    assert "l.csv:3: column 1, start: '2025-03-09T02:00' does not exist in America/New_York" in problem
    assert "a meter that stays on standard time has a fixed offset" in problem
    leapt = read_intervals(clocks(times[0], times[2]), "l.csv", NEW_YORK)
    assert leapt.interval_s == 1800


def test_an_offset_in_the_file_goes_before_the_zone() -> None:
    data = read_intervals(clocks("2025-01-01T00:00Z", "2025-01-01T00:30Z"), "l.csv", NEW_YORK)
    assert data.rows[0].start == datetime(2025, 1, 1, tzinfo=UTC)


@given(
    zone=st.sampled_from(["America/New_York", "Europe/Berlin", "Australia/Lord_Howe", "Asia/Kolkata"]),
    day=st.integers(0, 364),
    step_s=st.sampled_from([300, 900, 1800, 3600]),
)
def test_local_times_of_any_two_days_read_back_as_the_instants_they_were(
    zone: str, day: int, step_s: int
) -> None:
    # Lord Howe moves its clocks by half an hour: an hourly grid does not stand that, a half-hourly one does.
    step_s = min(step_s, 1800) if zone == "Australia/Lord_Howe" else step_s
    place = ZoneInfo(zone)
    first = datetime(2025, 1, 1, tzinfo=UTC) + timedelta(days=day)
    instants = [first + timedelta(seconds=step_s) * index for index in range(2 * 86_400 // step_s)]
    local = [at.astimezone(place).replace(tzinfo=None).isoformat() for at in instants]
    data = read_intervals(clocks(*local), "l.csv", place)
    # The very first row may stand in a repeated hour, where nothing before it tells which one it is.
    assert [row.start.astimezone(UTC) for row in data.rows][8:] == instants[8:]
    assert data.interval_s == step_s


@given(
    hours=st.integers(-12, 14), count=st.integers(2, 200), missing=st.sets(st.integers(1, 198), max_size=20)
)
def test_any_grid_with_holes_is_read_whole(hours: int, count: int, missing: set[int]) -> None:
    end = END.astimezone(timezone(timedelta(hours=hours)))
    times = [at for index, at in enumerate(starts(count / 96, end, 900)) if index not in missing]
    steps = [after - at for at, after in pairwise(times)]
    if steps.count(timedelta(minutes=15)) * 2 > len(steps):
        data = read_intervals(csv_of(times), "l.csv")
        assert [row.start for row in data.rows] == times
        assert data.interval_s == 900
