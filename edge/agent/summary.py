"""A scan as people, streams and the portal see it. Pure."""

from __future__ import annotations

from dataclasses import asdict
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from typing import Literal

from contract import records
from contract.socket import Scan
from contract.status import (
    DerStatus,
    ElementStatus,
    ExcursionStatus,
    ExcursionSum,
    ExcursionSums,
    ImageStatus,
    LimitStatus,
    LinkStatus,
    OutputStatus,
    PccStatus,
    Pids,
    ScanStatus,
    Shown,
    Status,
    TripStatus,
    WriteStatus,
)
from edge.agent.cumulative import HOUR_S
from edge.agent.der_task import Writes
from edge.agent.scan_clock import ScanClock
from edge.agent.scanned import Scanned
from edge.agent.tally import DAY_S, MONTH_S, Tallies, Tally
from edge.model.sample import Sample
from edge.model.site import Site
from edge.model.view import ElementView

_ANY_AGE_S = 1e9
_FEEDBACK_AGE_S = 1.0
_REASSERTS = 3


@cache
def software() -> str:
    """The version of this software."""
    try:
        return version("dergate")
    except PackageNotFoundError:
        return "unknown"


def status_of(
    done: Scanned,
    site: Site,
    stale_s: float,
    clock: ScanClock,
    writes: Writes,
    pids: Pids,
    pending: int,
    excursions: ExcursionStatus,
) -> Status:
    """The whole picture; samples of the PCC are stale past `stale_s`, `pending` records wait in the spool."""
    view = done.view
    return Status(
        pids=pids,
        site=site.site.name,
        mode=view.mode,
        export_limit_w=view.export_limit_w,
        target_w=view.target_w,
        image=_image(done, site, stale_s),
        limits=tuple(LimitStatus(limit_w=n.limit_w, by=n.by, der=n.der) for n in done.reasons.limits),
        elements=tuple(ElementStatus(**asdict(element)) for element in view.elements),
        trip=TripStatus(
            tripped=view.tripped,
            target=view.target,
            service=view.service,
            remaining_s=view.remaining_s,
            trips_24h=view.trips_24h,
            lockout=view.lockout,
        ),
        scan=ScanStatus(period_s=clock.period_s, count=clock.count, late=clock.late, p99_s=clock.p99_s),
        writes=WriteStatus(sent=writes.sent, verified=writes.verified, refused=writes.refused),
        fallbacks=view.fallbacks,
        trips=view.trips,
        link=LinkStatus(alive=pids.link is not None, pending=pending),
        overrides=tuple(override.by for override in done.image.overrides),
        excursions=excursions,
    )


def excursion_status(tallies: Tallies, wall_s: float) -> ExcursionStatus:
    """Excursions of late."""
    phases = {
        phase: ExcursionSums(**_of_late(each, wall_s)) for phase, each in sorted(tallies.phases.items())
    }
    return ExcursionStatus(**_of_late(tallies.site, wall_s), phases=phases)


def _of_late(tally: Tally, wall_s: float) -> dict[str, ExcursionSum]:
    spans_s = {"last_1h": HOUR_S, "last_24h": DAY_S, "last_30d": MONTH_S}
    return {name: ExcursionSum(**asdict(tally.over(span_s, wall_s))) for name, span_s in spans_s.items()}


def _image(done: Scanned, site: Site, stale_s: float) -> ImageStatus:
    now_s, image = done.now_s, done.image
    verified_s = _REASSERTS * site.control.reassert_s
    commanded = {output.name: output.closed for output in done.commands.outputs}
    return ImageStatus(
        scan=image.scan,
        at_s=now_s,
        pcc=PccStatus(
            export_w=shown(image.pcc.export_w, now_s, stale_s),
            v_pu=shown(image.pcc.v_pu, now_s, stale_s),
            f_hz=shown(image.pcc.f_hz, now_s, stale_s),
            phase_export_w=tuple(
                shown(image.pcc.power_w("abc".index(phase)), now_s, stale_s) for phase in site.limited_phases
            ),
            export_var=shown(image.pcc.export_var, now_s, stale_s) if site.limits_va else None,
        ),
        ders=tuple(
            DerStatus(
                name=der.name,
                nameplate_w=plant.nameplate_w,
                output_w=shown(der.output_w, now_s, plant.lost_after_s),
                limit_w=shown(der.limit_w, now_s, verified_s),
                reachable=der.reachable,
                refused=der.refused,
                floor_w=shown(der.floor_w, now_s, verified_s) if plant.kind == "storage" else None,
                soc_pu=shown(der.soc_pu, now_s, plant.lost_after_s) if plant.kind == "storage" else None,
            )
            for der, plant in zip(image.ders, site.der, strict=True)
        ),
        outputs=tuple(
            OutputStatus(
                name=output.name,
                commanded_closed=commanded.get(output.name, False),
                closed=shown(output.closed, now_s, _FEEDBACK_AGE_S),
            )
            for output in image.outputs
        ),
    )


def shown(sample: Sample, now_s: float, max_age_s: float) -> Shown:
    """A sample for people."""
    value, age_s, quality = sample.shown(now_s, max_age_s)
    return Shown(value=value, age_s=age_s, quality=quality.value)


def scan_of(done: Scanned) -> Scan:
    """A scan as streamed."""
    now_s, image = done.now_s, done.image
    export_w, age_s, _ = image.pcc.export_w.shown(now_s, _ANY_AGE_S)
    return Scan(
        scan=image.scan,
        at_s=now_s,
        mode=done.view.mode,
        export_w=export_w,
        export_age_s=age_s,
        new_sample=done.new_sample,
        v_pu=_value(image.pcc.v_pu, now_s),
        f_hz=_value(image.pcc.f_hz, now_s),
        output_w={der.name: _value(der.output_w, now_s) for der in image.ders},
        limit_w={limit.name: limit.limit_w for limit in done.commands.limits},
        commanded_closed={output.name: output.closed for output in done.commands.outputs},
        closed={output.name: _closed(output.closed, now_s) for output in image.outputs},
        picked_up=tuple(element.name for element in done.view.elements if element.picked_up),
        tripped=done.view.tripped,
        target=done.view.target,
        tightest=done.reasons.limits[0].by if done.reasons.limits else "",
        events=tuple(event.kind for event in done.reasons.events),
    )


def _value(sample: Sample, now_s: float) -> float | None:
    return sample.shown(now_s, _ANY_AGE_S)[0]


def _closed(sample: Sample, now_s: float) -> bool | None:
    value = _value(sample, now_s)
    return None if value is None else value > 0


def status_record(site: Site, site_hash: str, done: Scanned) -> records.Status:
    """How the site stands, for the portal."""
    view = done.view
    outputs = [_value(der.output_w, done.now_s) for der in done.image.ders]
    return records.Status(
        site_name=site.site.name,
        method=site.agreement.method.value,
        limit_w=view.export_limit_w,
        approved_limit_w=site.agreement.export_limit_w,
        site_hash=site_hash,
        version=software(),
        mode=view.mode,
        export_w=_value(done.image.pcc.export_w, done.now_s),
        der_w=None if None in outputs else sum(output or 0.0 for output in outputs),
        nameplate_w=site.nameplate_w,
        elements=tuple(
            records.ElementState(
                name=element.name,
                pickup_w=element.pickup_w,
                delay_s=element.delay_s,
                state=_state(element),
            )
            for element in view.elements
        ),
        tripped=view.tripped,
        target=view.target,
        approval_reference=site.agreement.approval_reference,
    )


def _state(element: ElementView) -> Literal["normal", "picked-up", "operated", "blocked"]:
    if element.operated:
        return "operated"
    if element.blocked:
        return "blocked"
    return "picked-up" if element.picked_up else "normal"
