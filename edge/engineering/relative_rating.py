"""Relative DER Rating: nameplate at most half of the verifiable minimum host load over the past 12 months. Pure.

Source: IREC 2023 Section IV.B.3.a.iii. What "verifiable" asks of a record is this project's reading: twelve months
without a gap, ended lately. A missing interval could hold the minimum, so it verifies nothing.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from itertools import pairwise

from edge.engineering import clauses
from edge.engineering.interval_data import Interval, IntervalData
from edge.model.site import Site

SHARE = 0.5
LATEST_END_DAYS = 31
"""How many days before today a record may end and still be of the past 12 months: a month of billing."""

PEAK_OF_TRANSFORMER = 1.5
"""The most a whole interval can load the service transformer; above it the unit of the column is doubted."""


@dataclass(frozen=True, slots=True)
class Gap:
    """Intervals missing between two rows: from the end of the one to the start of the other, on its line."""

    start: datetime
    end: datetime
    intervals: int
    line: int


@dataclass(frozen=True, slots=True)
class ClockChange:
    """A row whose offset from UTC differs from that of the row before: summer time begins or ends."""

    at: datetime
    from_offset: str
    to_offset: str
    line: int


@dataclass(frozen=True, slots=True)
class RelativeRating:
    """The result and all it rests on; `shortcomings` is empty where the rating is shown to be small enough."""

    clause: str
    source: str
    nameplate_w: float
    network: str
    interval_s: int
    first: datetime
    end: datetime
    window_start: datetime
    intervals: int
    gaps: tuple[Gap, ...]
    clock_changes: tuple[ClockChange, ...]
    minimum_w: float
    minimum_at: datetime
    minimum_line: int
    largest_nameplate_w: float
    share: float | None
    shortcomings: tuple[str, ...]
    passed: bool
    sentence: str


def relative_rating(site: Site, data: IntervalData, today: date) -> RelativeRating:
    """Hold all generation behind the PCC against the last 12 months of the record."""
    step = timedelta(seconds=data.interval_s)
    first, last = data.rows[0].start, data.rows[-1].start
    end = last + step
    window_start = _a_year_before(end)
    rows = tuple(row for row in data.rows if _wall(row.start) >= _wall(window_start))
    least = min(rows, key=lambda row: row.load_w)
    gaps = tuple(gap for gap in _gaps(data.rows, step) if _wall(gap.end) > _wall(window_start))
    nameplate_w = site.nameplate_w + site.unmanaged.nameplate_w
    shortcomings = (
        *_network(site),
        *_length(first, window_start, end),
        *_age(end, today),
        *_missing(gaps),
        *_unit(site, max(rows, key=lambda row: row.load_w)),
        *_rating(nameplate_w, least.load_w),
    )
    return RelativeRating(
        clause=clauses.RELATIVE_RATING,
        source=data.name,
        nameplate_w=nameplate_w,
        network=site.site.network,
        interval_s=data.interval_s,
        first=first,
        end=end,
        window_start=window_start,
        intervals=len(rows),
        gaps=gaps,
        clock_changes=_clock_changes(rows),
        minimum_w=least.load_w,
        minimum_at=least.start,
        minimum_line=least.line,
        largest_nameplate_w=SHARE * least.load_w,
        share=nameplate_w / least.load_w if least.load_w > 0 else None,
        shortcomings=shortcomings,
        passed=not shortcomings,
        sentence=_sentence(nameplate_w, least, shortcomings),
    )


def _a_year_before(end: datetime) -> datetime:
    """The same date a year before; the last of February stays in February."""
    try:
        return end.replace(year=end.year - 1)
    except ValueError:
        return end.replace(year=end.year - 1, day=28)


def _wall(at: datetime) -> datetime:
    """As the clock on the wall shows it: twelve months are counted on a calendar."""
    return at.replace(tzinfo=None)


def _gaps(rows: tuple[Interval, ...], step: timedelta) -> tuple[Gap, ...]:
    found = []
    for before, row in pairwise(rows):
        elapsed = row.start - before.start
        if elapsed > step:
            found.append(Gap(before.start + step, row.start, elapsed // step - 1, row.line))
    return tuple(found)


def _clock_changes(rows: tuple[Interval, ...]) -> tuple[ClockChange, ...]:
    return tuple(
        ClockChange(row.start, _offset(before), _offset(row), row.line)
        for before, row in pairwise(rows)
        if before.start.utcoffset() != row.start.utcoffset()
    )


def _offset(row: Interval) -> str:
    return row.start.strftime("%z")


def _network(site: Site) -> tuple[str, ...]:
    network = site.site.network
    return () if network == "radial" else (f"not available on {network} networks",)


def _length(first: datetime, window_start: datetime, end: datetime) -> tuple[str, ...]:
    if _wall(first) <= _wall(window_start):
        return ()
    return (f"the record covers {_day(first)} to {_day(end)}, less than 12 months",)


def _age(end: datetime, today: date) -> tuple[str, ...]:
    days = (today - end.date()).days
    if days > LATEST_END_DAYS:
        return (f"the record ends on {_day(end)}, {days} days ago: these are not the past 12 months",)
    return (f"the record ends on {_day(end)}, after today",) if days < 0 else ()


def _missing(gaps: tuple[Gap, ...]) -> tuple[str, ...]:
    if not gaps:
        return ()
    first, count = gaps[0], sum(gap.intervals for gap in gaps)
    return (
        f"{count} intervals are missing in {len(gaps)} gaps, the first from {_minute(first.start)} to"
        f" {_minute(first.end)} (line {first.line}): the minimum may be in one",
    )


def _unit(site: Site, peak: Interval) -> tuple[str, ...]:
    rating_va = site.site.transformer_va
    if peak.load_w <= PEAK_OF_TRANSFORMER * rating_va:
        return ()
    return (
        f"the largest load, {peak.load_w / 1000:g} kW on line {peak.line}, is more than {100 * PEAK_OF_TRANSFORMER:g} %"
        f" of the service transformer's {rating_va / 1000:g} kVA: is the column's unit right?",
    )


def _rating(nameplate_w: float, minimum_w: float) -> tuple[str, ...]:
    if nameplate_w <= SHARE * minimum_w:
        return ()
    return (
        f"nameplate {nameplate_w / 1000:g} kW is above {100 * SHARE:g} % of the minimum host load,"
        f" {SHARE * minimum_w / 1000:g} kW",
    )


def _sentence(nameplate_w: float, least: Interval, shortcomings: tuple[str, ...]) -> str:
    if shortcomings:
        return f"not shown: {'; '.join(shortcomings)}"
    return (
        f"shown: nameplate {nameplate_w / 1000:g} kW is at most {100 * SHARE:g} % of the minimum host load of"
        f" {least.load_w / 1000:g} kW ({_minute(least.start)}), {SHARE * least.load_w / 1000:g} kW"
    )


def _day(at: datetime) -> str:
    return at.date().isoformat()


def _minute(at: datetime) -> str:
    return at.strftime("%Y-%m-%d %H:%M %z")
