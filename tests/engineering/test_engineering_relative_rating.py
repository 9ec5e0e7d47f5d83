"""Relative DER rating: half of the minimum of twelve whole months that ended lately, on a radial network."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from engineering_site import END, GUARD, PLACE, TODAY, csv_of, site, starts
from hypothesis import given
from hypothesis import strategies as st

from edge.engineering.interval_data import read_intervals
from edge.engineering.relative_rating import RelativeRating, relative_rating

YEAR = starts()
LARGE = ("transformer_va = 150_000.0", "transformer_va = 300_000.0")


def rated(text: str, *pairs: tuple[str, str], today: date = TODAY) -> RelativeRating:
    return relative_rating(site(LARGE, *pairs), read_intervals(text, "l.csv"), today)


def test_the_golden_example() -> None:
    # 8,760 hours at 250 kW but one, line 102, at 200 kW. Nameplate 20 + 80 = 100 kW; half of 200 kW is 100 kW:
    # the nameplate is no greater than that. The share is 100 / 200 = 50 %.
    result = rated(csv_of(YEAR, {100: 200.0}))
    assert result.passed
    assert (result.minimum_w, result.minimum_line, result.minimum_at) == (200_000.0, 102, YEAR[100])
    assert (result.nameplate_w, result.largest_nameplate_w, result.share) == (100_000.0, 100_000.0, 0.5)
    assert (result.intervals, result.interval_s, result.gaps, result.clock_changes) == (8760, 3600, (), ())
    assert result.sentence == (
        "shown: nameplate 100 kW is at most 50 % of the minimum host load of 200 kW (2025-01-05 04:00 -0500), 100 kW"
    )


@pytest.mark.parametrize(("minimum_kw", "passed"), [(200.0, True), (199.999, False), (0.0, False)])
def test_half_of_the_minimum_is_the_most(minimum_kw: float, *, passed: bool) -> None:
    result = rated(csv_of(YEAR, {100: minimum_kw}))
    assert result.passed is passed
    assert (result.share is None) is (minimum_kw == 0.0)
    if not passed:
        assert "nameplate 100 kW is above 50 % of the minimum host load" in result.sentence


def test_unmanaged_generation_is_part_of_the_nameplate() -> None:
    bare = (GUARD, f"[unmanaged]\nnameplate_w = 25_000.1\n{GUARD}")
    assert rated(csv_of(YEAR)).passed
    assert not rated(csv_of(YEAR), bare).passed


@pytest.mark.parametrize(("peak_kw", "plausible"), [(450.0, True), (450.001, False)])
def test_a_load_that_the_transformer_cannot_carry_puts_the_unit_in_doubt(
    peak_kw: float, *, plausible: bool
) -> None:
    result = rated(csv_of(YEAR, {30: peak_kw}))
    assert result.passed is plausible
    if not plausible:
        assert (
            "450.001 kW on line 32, is more than 150 % of the service transformer's 300 kVA"
            in result.sentence
        )


@pytest.mark.parametrize("network", ["area", "spot"])
def test_it_is_not_for_networks(network: str) -> None:
    result = rated(csv_of(YEAR), (PLACE, f'{PLACE}\nnetwork = "{network}"'))
    assert result.shortcomings == (f"not available on {network} networks",)


def test_one_missing_interval_at_the_edge_or_within_shows_nothing() -> None:
    short = rated(csv_of(YEAR[1:]))
    assert short.shortcomings == ("the record covers 2025-01-01 to 2026-01-01, less than 12 months",)
    hole = rated(csv_of(YEAR[:500] + YEAR[501:]))
    assert hole.shortcomings == (
        "1 intervals are missing in 1 gaps, the first from 2025-01-21 20:00 -0500 to 2025-01-21 21:00 -0500"
        " (line 502): the minimum may be in one",
    )
    assert [(gap.start, gap.end, gap.intervals) for gap in hole.gaps] == [(YEAR[500], YEAR[501], 1)]


def test_a_gap_over_the_start_of_the_twelve_months_counts_and_one_before_it_does_not() -> None:
    longer = starts(400)
    first = longer.index(YEAR[0])
    assert rated(csv_of(longer[: first - 1] + longer[first:])).passed
    over = rated(csv_of(longer[:first] + longer[first + 1 :]))
    assert [gap.intervals for gap in over.gaps] == [1]
    assert not over.passed


def test_only_the_last_twelve_months_count() -> None:
    longer = starts(400)
    first = longer.index(YEAR[0])
    assert rated(csv_of(longer, {first - 1: 0.0})).passed
    assert not rated(csv_of(longer, {first: 0.0})).passed
    assert rated(csv_of(longer)).intervals == 8760


@pytest.mark.parametrize(
    ("days", "passed"),
    [(0, True), (31, True), (32, False), (-1, False)],
    ids=["same day", "31", "32", "future"],
)
def test_the_record_ended_lately(days: int, *, passed: bool) -> None:
    assert rated(csv_of(YEAR), today=END.date() + timedelta(days=days)).passed is passed


def test_the_year_before_the_29th_of_february_starts_on_the_28th() -> None:
    end = datetime(2024, 2, 29, tzinfo=END.tzinfo)
    result = rated(csv_of(starts(366, end)), today=end.date())
    assert result.window_start == datetime(2023, 2, 28, tzinfo=END.tzinfo)
    assert result.passed
    assert not rated(csv_of(starts(365, end)), today=end.date()).passed


@pytest.mark.parametrize("end", ["2025-11-03T00:00", "2026-03-09T00:00", "2026-01-01T00:00"])
def test_a_year_of_local_time_is_whole_over_both_clock_changes(end: str) -> None:
    place = ZoneInfo("America/New_York")
    last = datetime.fromisoformat(end)
    stop = last.replace(tzinfo=place).timestamp()
    at = last.replace(year=last.year - 1, tzinfo=place).timestamp()
    rows = []
    while at < stop:
        rows.append(f"{datetime.fromtimestamp(at, place).replace(tzinfo=None).isoformat()},250")
        at += 900
    data = read_intervals("start,host_load_kw\n" + "\n".join(rows), "l.csv", place)
    result = relative_rating(site(LARGE), data, last.date())
    assert result.passed, result.sentence
    assert {(one.from_offset, one.to_offset) for one in result.clock_changes} == {
        ("-0400", "-0500"),
        ("-0500", "-0400"),
    }


def test_an_hour_lost_to_the_clock_is_a_gap() -> None:
    # In autumn only one of the two hours from 01:00 was kept: on the axis of time an hour is missing.
    text = "start,host_load_w\n" + "".join(
        f"2025-11-02T{hour:02}:00{offset},1\n"
        for hour, offset in ((0, "-04:00"), (1, "-04:00"), (2, "-05:00"), (3, "-05:00"), (4, "-05:00"))
    )
    result = relative_rating(site(), read_intervals(text, "l.csv"), date(2025, 11, 2))
    assert [gap.intervals for gap in result.gaps] == [1]
    assert [change.line for change in result.clock_changes] == [4]


@given(
    loads=st.lists(st.floats(0, 1e6), min_size=2, max_size=60),
    nameplate_w=st.floats(1.0, 1e6),
)
def test_what_is_shown_is_never_above_half_of_any_row(loads: list[float], nameplate_w: float) -> None:
    times = starts(len(loads) / 24)
    text = csv_of(times, dict(enumerate(loads))).replace("host_load_kw", "host_load_w")
    first = site().der[0].model_copy(update={"nameplate_w": nameplate_w})
    at = site().model_copy(update={"der": (first,)})
    result = relative_rating(at, read_intervals(text, "l.csv"), TODAY)
    assert not result.passed  # a record this short shows nothing
    assert result.minimum_w == min(loads)
    above = any("is above 50 %" in said for said in result.shortcomings)
    assert above is any(nameplate_w > 0.5 * load for load in loads)
