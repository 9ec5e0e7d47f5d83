"""What the pages ask for: the store's rows, made into views in one read transaction."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import NamedTuple, Protocol, TypeVar

from sqlalchemy import Engine
from sqlalchemy.orm import Session

from portal import store, views

DAY = timedelta(hours=24)
MONTH = timedelta(days=30)
_EVENTS = 100
_EXCURSIONS = 50


class ReportFile(NamedTuple):
    """A report to be downloaded."""

    gateway: str
    verdict: str
    report: dict[str, object]
    pdf: bytes


class _OfGateway(Protocol):
    @property
    def gateway(self) -> str: ...


R = TypeVar("R", bound=_OfGateway)


class Service:
    """Reads for the pages and the JSON; `now` comes from the caller."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def sites(self, now: datetime) -> list[views.SiteView]:
        """All sites, those that need attention first."""
        with Session(self._engine) as session:
            day = store.excursions_since(session, now - DAY)
            month = store.excursions_since(session, now - MONTH)
            trips = store.trips_since(session, now - MONTH)
            settings = _grouped(store.latest_settings(session))
            gaps = _grouped(store.gaps(session))
            reports = store.latest_reports(session)
            listed = [
                views.site_view(
                    row,
                    views.Around(
                        day.get(row.gateway),
                        month.get(row.gateway),
                        trips.get(row.gateway),
                        settings.get(row.gateway, []),
                        reports.get(row.gateway),
                        gaps.get(row.gateway, []),
                    ),
                )
                for row in store.sites(session)
            ]
        return sorted(listed, key=lambda view: (not view.attention, view.name.casefold()))

    def site(self, gateway: str, now: datetime) -> views.SiteDetail | None:
        """One site, or None when it was never heard of."""
        with Session(self._engine) as session:
            row = store.site(session, gateway)
            if row is None:
                return None
            reports = store.reports(session, gateway)
            around = views.Around(
                store.excursions_since(session, now - DAY, gateway).get(gateway),
                store.excursions_since(session, now - MONTH, gateway).get(gateway),
                store.trips_since(session, now - MONTH, gateway).get(gateway),
                store.latest_settings(session, gateway),
                reports[0] if reports else None,
                store.gaps(session, gateway),
            )
            status = views.status_of(row)
            return views.SiteDetail(
                site=views.site_view(row, around),
                status=status,
                elements=status.elements if status else (),
                events=tuple(map(views.event_view, store.events(session, gateway, _EVENTS))),
                excursions=tuple(
                    map(views.event_view, store.events(session, gateway, _EXCURSIONS, "excursion"))
                ),
                reports=tuple(map(views.report_view, reports)),
                minutes=tuple(map(views.minute, store.telemetry_since(session, gateway, now - DAY))),
            )

    def report(self, report_id: str) -> ReportFile | None:
        """One report with its PDF, or None."""
        with Session(self._engine) as session:
            row = store.report(session, report_id)
            return ReportFile(row.gateway, row.verdict, row.report, row.pdf) if row else None

    def rejected(self) -> int:
        """How many messages were refused since the database was made."""
        with Session(self._engine) as session:
            return store.rejected(session)


def _grouped(rows: Iterable[R]) -> dict[str, list[R]]:
    groups: dict[str, list[R]] = defaultdict(list)
    for row in rows:
        groups[row.gateway].append(row)
    return groups
