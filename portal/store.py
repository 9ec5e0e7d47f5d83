"""Questions to the database, each one statement whatever the number of sites."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import and_, func, select
from sqlalchemy.orm import Session

from portal.tables import EventRow, Gap, Rejected, ReportRow, SettingsRow, Site, TelemetryRow


@dataclass(frozen=True)
class Worst:
    """Excursions of one gateway over a span: how many, the highest export, the longest, the energy in all."""

    count: int
    peak_w: float
    duration_s: float
    energy_wh: float


@dataclass(frozen=True)
class Trips:
    """Trips of one gateway over a span."""

    count: int
    last: datetime


def sites(session: Session) -> Sequence[Site]:
    """All sites by name of their gateway."""
    return session.scalars(select(Site).order_by(Site.gateway)).all()


def site(session: Session, gateway: str) -> Site | None:
    """One site."""
    return session.get(Site, gateway)


def excursions_since(session: Session, since: datetime, gateway: str | None = None) -> dict[str, Worst]:
    """By gateway; gateways without an excursion are not in it."""
    query = (
        select(
            EventRow.gateway,
            func.sum(EventRow.count),
            func.max(EventRow.peak_w),
            func.max(EventRow.duration_s),
            func.sum(EventRow.energy_wh),
        )
        .where(EventRow.type == "excursion", EventRow.happened_at >= since)
        .group_by(EventRow.gateway)
    )
    if gateway is not None:
        query = query.where(EventRow.gateway == gateway)
    return {
        row[0]: Worst(int(row[1]), row[2] or 0.0, row[3] or 0.0, row[4] or 0.0)
        for row in session.execute(query)
    }


def trips_since(session: Session, since: datetime, gateway: str | None = None) -> dict[str, Trips]:
    """By gateway; gateways without a trip are not in it."""
    query = (
        select(EventRow.gateway, func.sum(EventRow.count), func.max(EventRow.happened_at))
        .where(EventRow.type == "trip", EventRow.happened_at >= since)
        .group_by(EventRow.gateway)
    )
    if gateway is not None:
        query = query.where(EventRow.gateway == gateway)
    return {row[0]: Trips(int(row[1]), row[2]) for row in session.execute(query)}


def latest_settings(session: Session, gateway: str | None = None) -> Sequence[SettingsRow]:
    """What each DER was last found to hold."""
    newest = (
        select(SettingsRow.gateway, SettingsRow.der, func.max(SettingsRow.seq).label("seq"))
        .group_by(SettingsRow.gateway, SettingsRow.der)
        .subquery()
    )
    same = and_(
        SettingsRow.gateway == newest.c.gateway,
        SettingsRow.der == newest.c.der,
        SettingsRow.seq == newest.c.seq,
    )
    query = select(SettingsRow).join(newest, same).order_by(SettingsRow.der)
    if gateway is not None:
        query = query.where(SettingsRow.gateway == gateway)
    return session.scalars(query).all()


def latest_reports(session: Session) -> dict[str, ReportRow]:
    """The newest report of each gateway."""
    newest = (
        select(ReportRow.gateway, func.max(ReportRow.seq).label("seq")).group_by(ReportRow.gateway).subquery()
    )
    same = and_(ReportRow.gateway == newest.c.gateway, ReportRow.seq == newest.c.seq)
    return {row.gateway: row for row in session.scalars(select(ReportRow).join(newest, same))}


def reports(session: Session, gateway: str) -> Sequence[ReportRow]:
    """All reports of a gateway, newest first."""
    query = select(ReportRow).where(ReportRow.gateway == gateway).order_by(ReportRow.seq.desc())
    return session.scalars(query).all()


def report(session: Session, report_id: str) -> ReportRow | None:
    """One report; its PDF is loaded when it is asked for."""
    return session.get(ReportRow, report_id)


def events(session: Session, gateway: str, limit: int, kind: str | None = None) -> Sequence[EventRow]:
    """The newest events of a gateway, newest first by `seq`."""
    shown = EventRow.gateway == gateway, EventRow.type != "capture"
    query = select(EventRow).where(*shown).order_by(EventRow.seq.desc()).limit(limit)
    if kind is not None:
        query = query.where(EventRow.type == kind)
    return session.scalars(query).all()


def telemetry_since(session: Session, gateway: str, since: datetime) -> Sequence[TelemetryRow]:
    """Minutes of a gateway, oldest first."""
    query = (
        select(TelemetryRow)
        .where(TelemetryRow.gateway == gateway, TelemetryRow.happened_at >= since)
        .order_by(TelemetryRow.happened_at)
    )
    return session.scalars(query).all()


def gaps(session: Session, gateway: str | None = None) -> Sequence[Gap]:
    """What has not come, in the order of `seq`."""
    query = select(Gap).order_by(Gap.gateway, Gap.first_seq)
    if gateway is not None:
        query = query.where(Gap.gateway == gateway)
    return session.scalars(query).all()


def rejected(session: Session) -> int:
    """How many messages were refused."""
    return session.scalar(select(func.count()).select_from(Rejected)) or 0
