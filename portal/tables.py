"""The portal's tables. Times are UTC; `received_at` is the portal's own clock, `happened_at` see `mapper`."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from sqlalchemy import (
    JSON,
    DateTime,
    Dialect,
    ForeignKey,
    Index,
    LargeBinary,
    MetaData,
    String,
    TypeDecorator,
)
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

NAMES = {
    "ix": "ix_%(table_name)s_%(column_0_name)s",
    "uq": "uq_%(table_name)s_%(column_0_name)s",
    "fk": "fk_%(table_name)s_%(column_0_name)s",
    "pk": "pk_%(table_name)s",
}


class Utc(TypeDecorator[datetime]):
    """An aware UTC time; SQLite would hand it back without its zone."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:  # noqa: ARG002
        """To UTC."""
        return None if value is None else value.astimezone(UTC)

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:  # noqa: ARG002
        """Back with its zone."""
        return None if value is None else value.replace(tzinfo=UTC)


class Base(DeclarativeBase):
    """Base of all tables."""

    metadata = MetaData(naming_convention=NAMES)
    type_annotation_map = {datetime: Utc, dict[str, Any]: JSON, list[Any]: JSON}  # noqa: RUF012 - SQLAlchemy's


class Site(Base):
    """One gateway and how its site stands, by its latest status."""

    __tablename__ = "sites"

    gateway: Mapped[str] = mapped_column(String(64), primary_key=True)
    first_seen: Mapped[datetime]
    last_seen: Mapped[datetime]
    last_seq: Mapped[int] = mapped_column(default=0)
    online: Mapped[bool] = mapped_column(default=False)
    online_changed: Mapped[datetime | None]
    connection: Mapped[str | None] = mapped_column(String(64))
    status_seq: Mapped[int] = mapped_column(default=0)
    spools_before: Mapped[int] = mapped_column(default=0)
    status: Mapped[dict[str, Any] | None]


class Record(Base):
    """Every record as it came, once by `id`. A test's PDF lies in `reports` and not here."""

    __tablename__ = "records"
    __table_args__ = (Index("ix_records_gateway_seq", "gateway", "seq"),)

    id: Mapped[str] = mapped_column(String(36), primary_key=True)
    gateway: Mapped[str] = mapped_column(ForeignKey("sites.gateway"))
    seq: Mapped[int]
    kind: Mapped[str] = mapped_column(String(16))
    schema: Mapped[str] = mapped_column(String(64))
    time: Mapped[datetime]
    time_quality: Mapped[str] = mapped_column(String(16))
    mono_s: Mapped[float]
    boot: Mapped[str] = mapped_column(String(64))
    received_at: Mapped[datetime]
    payload: Mapped[dict[str, Any]]
    sig: Mapped[str | None] = mapped_column(String(128))
    note: Mapped[str | None] = mapped_column(String(400))


class EventRow(Base):
    """An event, with an excursion's figures in columns of their own."""

    __tablename__ = "events"
    __table_args__ = (Index("ix_events_gateway_happened_at", "gateway", "happened_at"),)

    id: Mapped[str] = mapped_column(ForeignKey("records.id"), primary_key=True)
    gateway: Mapped[str] = mapped_column(ForeignKey("sites.gateway"))
    seq: Mapped[int]
    type: Mapped[str] = mapped_column(String(32))
    happened_at: Mapped[datetime]
    detail: Mapped[str]
    source: Mapped[str | None] = mapped_column(String(64))
    count: Mapped[int] = mapped_column(default=1)
    limit_w: Mapped[float | None]
    peak_w: Mapped[float | None]
    duration_s: Mapped[float | None]
    energy_wh: Mapped[float | None]


class SettingsRow(Base):
    """What one DER held, required against found."""

    __tablename__ = "settings"
    __table_args__ = (Index("ix_settings_gateway_seq", "gateway", "seq"),)

    id: Mapped[str] = mapped_column(ForeignKey("records.id"), primary_key=True)
    gateway: Mapped[str] = mapped_column(ForeignKey("sites.gateway"))
    seq: Mapped[int]
    der: Mapped[str] = mapped_column(String(64))
    profile: Mapped[str] = mapped_column(String(128))
    verified: Mapped[bool | None]
    happened_at: Mapped[datetime]
    findings: Mapped[list[Any]]


class ReportRow(Base):
    """A commissioning report with its PDF."""

    __tablename__ = "reports"
    __table_args__ = (Index("ix_reports_gateway_seq", "gateway", "seq"),)

    id: Mapped[str] = mapped_column(ForeignKey("records.id"), primary_key=True)
    gateway: Mapped[str] = mapped_column(ForeignKey("sites.gateway"))
    seq: Mapped[int]
    verdict: Mapped[str] = mapped_column(String(32))
    happened_at: Mapped[datetime]
    received_at: Mapped[datetime]
    report: Mapped[dict[str, Any]]
    pdf_bytes: Mapped[int]
    pdf: Mapped[bytes] = mapped_column(LargeBinary, deferred=True)


class TelemetryRow(Base):
    """One minute in aggregate."""

    __tablename__ = "telemetry"
    __table_args__ = (Index("ix_telemetry_gateway_happened_at", "gateway", "happened_at"),)

    id: Mapped[str] = mapped_column(ForeignKey("records.id"), primary_key=True)
    gateway: Mapped[str] = mapped_column(ForeignKey("sites.gateway"))
    happened_at: Mapped[datetime]
    export_mean_w: Mapped[float | None]
    export_max_w: Mapped[float | None]
    der_mean_w: Mapped[float | None]
    limit_w: Mapped[float]


class Gap(Base):
    """A range of `seq` that has not come; `reason` is set where a tombstone says what was dropped."""

    __tablename__ = "gaps"
    __table_args__ = (Index("ix_gaps_gateway_first_seq", "gateway", "first_seq"),)

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=True)
    gateway: Mapped[str] = mapped_column(ForeignKey("sites.gateway"))
    first_seq: Mapped[int]
    last_seq: Mapped[int]
    noticed_at: Mapped[datetime]
    reason: Mapped[str | None] = mapped_column(String(200))


class Rejected(Base):
    """A message that was no record of the gateway whose topic it came on, or that could not be stored.

    One that names itself by `record_id` is owed a receipt like any other, so its `body` is kept here.
    """

    __tablename__ = "rejected"
    __table_args__ = (Index("ix_rejected_record_id", "record_id"),)

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=True)
    received_at: Mapped[datetime]
    topic: Mapped[str] = mapped_column(String(400))
    reason: Mapped[str] = mapped_column(String(400))
    size: Mapped[int]
    record_id: Mapped[str | None] = mapped_column(String(36))
    body: Mapped[bytes | None] = mapped_column(LargeBinary, deferred=True)
