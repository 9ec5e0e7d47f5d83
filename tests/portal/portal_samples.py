"""Records as a gateway would send them, for tests."""

from __future__ import annotations

import base64
import os
from datetime import UTC, datetime, timedelta
from io import BytesIO

from reportlab.pdfgen.canvas import Canvas

from contract.records import ElementState, Event, Finding, Settings, Status, Telemetry, Test

NOW = datetime.now(UTC)


def pdf(padding_bytes: int = 0) -> bytes:
    buffer = BytesIO()
    page = Canvas(buffer)
    page.drawString(72, 720, "Commissioning report of a test site")
    page.save()
    # Bytes after the end of file are ignored by readers; they make the report as large as one with many plots.
    return buffer.getvalue() + b"\n% " + os.urandom(padding_bytes // 2).hex().encode()


def report(padding_bytes: int = 0, verdict: str = "pass") -> Test:
    tests = [
        {"id": "identity", "title": "Identity and nameplate", "verdict": "pass"},
        {"id": "export-limit", "title": "Export limit response", "verdict": verdict},
        {"id": "loss-of-meter", "title": "Loss of meter", "verdict": "pass"},
    ]
    content = {"site": "gw-1", "verdict": verdict, "operator": "A. Ruiz", "tests": tests}
    encoded = base64.b64encode(pdf(padding_bytes)).decode()
    return Test.model_validate({"report": content, "pdf_base64": encoded})


def status(name: str = "Miller Creek Dairy", limit_w: float = 25_000.0, **other: object) -> Status:
    fields: dict[str, object] = {
        "site_name": name,
        "method": "agreed_means",
        "limit_w": limit_w,
        "approved_limit_w": 25_000.0,
        "site_hash": "3f9c0a" * 10,
        "version": "0.1.0",
        "mode": "regulating",
        "export_w": 23_950.0,
        "der_w": 68_900.0,
        "nameplate_w": 100_000.0,
        "approval_reference": "NEM-2024-1187",
        "elements": (ElementState(name="32", pickup_w=25_000.0, delay_s=1.3, state="normal"),),
    }
    return Status.model_validate(fields | other)


def excursion(peak_w: float = 38_400.0, minutes_ago: float = 3.0) -> Event:
    at = NOW - timedelta(minutes=minutes_ago)
    return Event(
        type="excursion",
        at=at,
        detail="host load fell by 36 kW; export was back under the limit after 0.9 s",
        start=at - timedelta(seconds=1),
        limit_w=25_000.0,
        peak_w=peak_w,
        duration_s=0.9,
        energy_wh=2.1,
    )


def event(kind: str = "restart", detail: str = "the agent started", minutes_ago: float = 9.0) -> Event:
    return Event.model_validate({"type": kind, "at": NOW - timedelta(minutes=minutes_ago), "detail": detail})


def settings(der: str = "inverter-1", *, verified: bool = True) -> Settings:
    found = 2.0 if not verified else 5.0
    rows = (
        Finding(setting="ES_DELAY", clause="4.10", unit="s", required=300, found=300, verdict="match"),
        Finding(
            setting="QV_OLRT",
            clause="5.3.3",
            unit="s",
            required=5.0,
            found=found,
            verdict="match" if verified else "differs",
            reason=None if verified else "the device holds another value",
        ),
        Finding(
            setting="QV_CURVE",
            clause="5.3.3",
            unit="pu, pu",
            required=[[0.92, 0.44], [0.98, 0.0], [1.02, 0.0], [1.08, -0.44]],
            found=[[0.92, 0.44], [0.98, 0.0], [1.02, 0.0], [1.08, -0.44]],
            verdict="match",
        ),
    )
    return Settings(der=der, profile="IREC 2023 Attachment 9, inverter", verified=verified, findings=rows)


def minute(minutes_ago: int, export_w: float) -> Telemetry:
    return Telemetry(
        until=NOW - timedelta(minutes=minutes_ago),
        seconds=60.0,
        export_mean_w=export_w - 400,
        export_max_w=export_w,
        der_mean_w=export_w + 45_000,
        limit_w=25_000.0,
    )
