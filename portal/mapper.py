"""From an envelope to the rows it becomes: pure, the portal's time is an argument."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from contract.envelope import Envelope
from contract.records import Event, Payload, Settings, Telemetry, Test
from portal.tables import Base, EventRow, Record, ReportRow, SettingsRow, TelemetryRow

_LEAD = timedelta(minutes=5)


def happened_at(envelope: Envelope, payload: Payload | str, received_at: datetime) -> datetime:
    """When it happened, for pages and windows of time; never for order, which is `seq`'s.

    The gateway's clock is used when it was good and does not run ahead of ours, else the time of arrival.
    """
    match payload:
        case Event():
            told = payload.at
        case Telemetry():
            told = payload.until
        case _:
            told = envelope.time
    if envelope.time_quality == "unknown" or told > received_at + _LEAD:
        return received_at
    return told


def record_row(envelope: Envelope, payload: Payload | str, received_at: datetime) -> Record:
    """The record as it came; a payload that is not understood is kept with a note that says why."""
    return Record(
        id=envelope.id,
        gateway=envelope.gateway,
        seq=envelope.seq,
        kind=envelope.kind,
        schema=envelope.schema_,
        time=envelope.time,
        time_quality=envelope.time_quality,
        mono_s=envelope.mono_s,
        boot=envelope.boot,
        received_at=received_at,
        payload=_without_pdf(envelope.payload) if isinstance(payload, Test) else envelope.payload,
        sig=envelope.sig,
        note=payload[:400] if isinstance(payload, str) else None,
    )


def detail_row(envelope: Envelope, payload: Payload | str, received_at: datetime) -> Base | None:
    """The row in the table of its kind, or None for kinds without one."""
    common: dict[str, Any] = {
        "id": envelope.id,
        "gateway": envelope.gateway,
        "happened_at": happened_at(envelope, payload, received_at),
    }
    match payload:
        case Event():
            return _event(payload, common | {"seq": envelope.seq})
        case Settings():
            return SettingsRow(
                **common,
                seq=envelope.seq,
                der=payload.der,
                profile=payload.profile,
                verified=payload.verified,
                findings=[finding.model_dump(mode="json") for finding in payload.findings],
            )
        case Test():
            pdf = payload.pdf()
            return ReportRow(
                **common,
                seq=envelope.seq,
                verdict=str(payload.report.get("verdict", "unknown"))[:32],
                received_at=received_at,
                report=payload.report,
                pdf_bytes=len(pdf),
                pdf=pdf,
            )
        case Telemetry():
            return TelemetryRow(
                **common,
                export_mean_w=payload.export_mean_w,
                export_max_w=payload.export_max_w,
                der_mean_w=payload.der_mean_w,
                limit_w=payload.limit_w,
            )
    return None


def _event(event: Event, common: dict[str, Any]) -> EventRow:
    return EventRow(
        **common,
        type=event.type,
        detail=event.detail,
        source=event.element or event.device,
        count=event.count,
        limit_w=event.limit_w,
        peak_w=event.peak_w,
        duration_s=event.duration_s,
        energy_wh=event.energy_wh,
    )


def _without_pdf(payload: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in payload.items() if key != "pdf_base64"}
