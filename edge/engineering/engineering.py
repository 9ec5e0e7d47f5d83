"""Everything that `dergate check` states about a site for its application, and what it finds wrong in it. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date

from edge.engineering.capacity import Capacity, capacity
from edge.engineering.configured_rating import Configured, configured_ratings
from edge.engineering.export_screen import ExportScreen, export_screen
from edge.engineering.interval_data import IntervalData
from edge.engineering.pickups import Pickup, pickups
from edge.engineering.relative_rating import RelativeRating, relative_rating
from edge.engineering.ride_through import RideThrough, ride_through
from edge.guard.finding import Finding
from edge.model.site import Method, Site


@dataclass(frozen=True, slots=True)
class Engineering:
    """The statements; `relative_rating` is None where no interval data was given."""

    capacity: Capacity
    relative_rating: RelativeRating | None
    configured_ratings: tuple[Configured, ...]
    export_screen: ExportScreen
    pickups: tuple[Pickup, ...]
    ride_through: tuple[RideThrough, ...]


def engineer(site: Site, load: IntervalData | None, today: date) -> Engineering:
    """State a site; `today` is the day that the past 12 months are counted back from."""
    stated = capacity(site)
    return Engineering(
        capacity=stated,
        relative_rating=None if load is None else relative_rating(site, load, today),
        configured_ratings=configured_ratings(site),
        export_screen=export_screen(site, stated),
        pickups=pickups(site),
        ride_through=ride_through(site),
    )


def findings(site: Site, stated: Engineering) -> Iterator[Finding]:
    """What the statements add to what the guard says of the site."""
    yield from _relative(site, stated.relative_rating)
    yield from _screen(stated.export_screen)
    if site.agreement.method is Method.CONFIGURED_RATING:
        yield Finding(
            "warning",
            "agreement.method",
            "the configured rating is set and read back (dergate tiir apply, verify) where an inverter has SunSpec 702;"
            " of any other keep the record of its setting",
        )


def _relative(site: Site, result: RelativeRating | None) -> Iterator[Finding]:
    if site.agreement.method is not Method.RELATIVE_RATING:
        return
    if result is None:
        yield Finding(
            "warning",
            "agreement.method",
            "relative_rating rests on the minimum host load of the past 12 months: nothing shows it; give the interval"
            " data with --load",
        )
    else:
        yield Finding("fact" if result.passed else "problem", "agreement.method", result.sentence)


def _screen(result: ExportScreen) -> Iterator[Finding]:
    if result.passed is not True:
        yield Finding("warning", "site.source", f"Inadvertent Export Screen {result.sentence}")
