"""What the pages and the JSON show, and how rows become it: pure, `now` is an argument."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from contract.records import ElementState, Status
from portal.store import Trips, Worst
from portal.tables import EventRow, Gap, ReportRow, SettingsRow, Site, TelemetryRow
from tiir.compare import Verdict

METHODS = {
    "reverse_power_32r": "Reverse power, device 32R",
    "minimum_power_32f": "Minimum power, device 32F",
    "relative_rating": "Relative DER rating",
    "directional_power_32": "Directional power, device 32",
    "configured_rating": "Configured power rating",
    "pcs": "Power control system",
    "agreed_means": "Agreed-upon means",
}
_FIRST = (Verdict.DIFFERS, Verdict.NOT_READABLE, Verdict.NOT_SUPPORTED, Verdict.MATCH)


@dataclass(frozen=True)
class SettingsView:
    """Settings of one DER; `findings` with those that differ first."""

    der: str
    profile: str
    verified: bool | None
    at: datetime
    findings: tuple[dict[str, Any], ...]

    @property
    def differing(self) -> int:
        """How many settings are not as required."""
        return sum(finding["verdict"] == Verdict.DIFFERS for finding in self.findings)


@dataclass(frozen=True)
class ReportView:
    """One report without its PDF."""

    id: str
    verdict: str
    at: datetime
    pdf_bytes: int
    operator: str | None
    tests: tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class EventView:
    """One event as listed."""

    seq: int
    type: str
    at: datetime
    detail: str
    source: str | None
    count: int
    limit_w: float | None
    peak_w: float | None
    duration_s: float | None
    energy_wh: float | None


@dataclass(frozen=True)
class GapView:
    """Records that have not come; with a reason, the gateway has said why."""

    first_seq: int
    last_seq: int
    noticed_at: datetime
    reason: str | None


@dataclass(frozen=True)
class Minute:
    """One minute of telemetry."""

    at: datetime
    export_max_w: float | None
    export_mean_w: float | None
    limit_w: float


@dataclass(frozen=True)
class SiteView:
    """One site as the list shows it."""

    gateway: str
    name: str
    online: bool
    since: datetime | None
    last_seen: datetime
    method: str | None
    limit_w: float | None
    approved_limit_w: float | None
    mode: str | None
    tripped: bool
    target: str | None
    worst_24h: Worst | None
    worst_30d: Worst | None
    trips_30d: Trips | None
    settings: tuple[SettingsView, ...]
    report: ReportView | None
    gaps: tuple[GapView, ...]

    @property
    def settings_state(self) -> Literal["verified", "drifted", "unclear", "unknown"]:
        """Drifted when any DER is; verified by those whose interface can show it; unclear when none can."""
        if not self.settings:
            return "unknown"
        if any(one.verified is False for one in self.settings):
            return "drifted"
        return "verified" if any(one.verified for one in self.settings) else "unclear"

    @property
    def settings_shown(self) -> str:
        """How many DERs can show their settings, where that is not all of them."""
        shown = sum(one.verified is not None for one in self.settings)
        return "" if shown == len(self.settings) else f"{shown} of {len(self.settings)} DERs can show theirs"

    @property
    def settings_at(self) -> datetime | None:
        """When the settings were last looked at, the oldest look over all DERs."""
        return min((one.at for one in self.settings), default=None)

    @property
    def over_approved(self) -> bool:
        """The site file is wider than what was approved."""
        return (
            self.limit_w is not None
            and self.approved_limit_w is not None
            and self.limit_w > self.approved_limit_w
        )

    @property
    def missing(self) -> int:
        """How many records are missing without a reason."""
        return sum(gap.last_seq - gap.first_seq + 1 for gap in self.gaps if gap.reason is None)

    @property
    def attention(self) -> tuple[str, ...]:
        """Why somebody should look at this site, worst first."""
        checks = (
            (self.tripped, "tripped"),
            (self.over_approved, "limit wider than approved"),
            (self.settings_state == "drifted", "settings drifted"),
            (self.report is not None and self.report.verdict == "fail", "last report failed"),
            (not self.online, "offline"),
            (self.missing > 0, f"{self.missing} records missing"),
        )
        return tuple(text for wrong, text in checks if wrong)


@dataclass(frozen=True)
class SiteDetail:
    """One site's own page."""

    site: SiteView
    status: Status | None
    elements: tuple[ElementState, ...]
    events: tuple[EventView, ...]
    excursions: tuple[EventView, ...]
    reports: tuple[ReportView, ...]
    minutes: tuple[Minute, ...]


def status_of(site: Site) -> Status | None:
    """The latest status; a site that has only said hello has none."""
    return Status.model_validate_json(json.dumps(site.status)) if site.status else None


def settings_view(row: SettingsRow) -> SettingsView:
    """Settings with what differs first."""
    order = {verdict.value: place for place, verdict in enumerate(_FIRST)}
    findings = sorted(row.findings, key=lambda finding: order.get(finding["verdict"], -1))
    return SettingsView(row.der, row.profile, row.verified, row.happened_at, tuple(findings))


def report_view(row: ReportRow) -> ReportView:
    """A report; what is not in its JSON is left out."""
    tests = row.report.get("tests")
    listed = [test for test in tests if isinstance(test, dict)] if isinstance(tests, list) else []
    names = tuple(
        (str(test.get("title") or test.get("id") or "test"), str(test.get("verdict", ""))) for test in listed
    )
    operator = row.report.get("operator")
    return ReportView(
        row.id, row.verdict, row.happened_at, row.pdf_bytes, str(operator) if operator else None, names
    )


def event_view(row: EventRow) -> EventView:
    """One event."""
    return EventView(
        row.seq,
        row.type,
        row.happened_at,
        row.detail,
        row.source,
        row.count,
        row.limit_w,
        row.peak_w,
        row.duration_s,
        row.energy_wh,
    )


def gap_view(row: Gap) -> GapView:
    """One gap."""
    return GapView(row.first_seq, row.last_seq, row.noticed_at, row.reason)


def minute(row: TelemetryRow) -> Minute:
    """One minute."""
    return Minute(row.happened_at, row.export_max_w, row.export_mean_w, row.limit_w)


@dataclass(frozen=True)
class Around:
    """What belongs to a site beside its own row."""

    day: Worst | None
    month: Worst | None
    trips: Trips | None
    settings: Sequence[SettingsRow]
    report: ReportRow | None
    gaps: Sequence[Gap]


def site_view(site: Site, around: Around) -> SiteView:
    """One site as the list shows it."""
    status = status_of(site)
    return SiteView(
        gateway=site.gateway,
        name=status.site_name if status else site.gateway,
        online=site.online,
        since=site.online_changed,
        last_seen=site.last_seen,
        method=METHODS.get(status.method, status.method) if status else None,
        limit_w=status.limit_w if status else None,
        approved_limit_w=status.approved_limit_w if status else None,
        mode=status.mode if status else None,
        tripped=bool(status and status.tripped),
        target=status.target if status else None,
        worst_24h=around.day,
        worst_30d=around.month,
        trips_30d=around.trips,
        settings=tuple(map(settings_view, around.settings)),
        report=report_view(around.report) if around.report else None,
        gaps=tuple(map(gap_view, around.gaps)),
    )
