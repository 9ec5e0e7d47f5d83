"""The site's figures that procedures may name, worked out from the site file and the agent's status."""

from __future__ import annotations

from dataclasses import asdict, dataclass, fields

from contract.status import ElementStatus, Status
from edge.model.site import Site

EXPORT_ELEMENTS = ("32R", "32F", "32")
"""Elements whose pickup a test may lower, as their names begin."""

_STEADY_COUNTS = 3.0
"""How many σ of noise a steady reading may be off."""


@dataclass(frozen=True, slots=True)
class SiteFacts:
    """Figures of the site; powers in W, times in s.

    Attributes:
        limit_w: Export limit in force.
        nameplate_w: Sum of the ratings under control.
        unmanaged_w: Generation that nobody here can limit.
        band_w: How far above a target counts as at it: 0.5 % of nameplate and 3 σ of meter noise.
        olrt_max_s: Declared maximum open-loop response time.
        olrt_average_s: Declared average open-loop response time.
        stale_s: After this long without a new sample the meter counts as lost.
        sample_s: From measuring to acting on it, with nothing lost.
        scan_s: Longest gap between two scans.
        move_s: From a limit on the wire until the slowest DER has moved through its whole range.
        climb_s: From zero to nameplate under the limiter's ramp.
        fallback_hold_s: How long the limiter stays in fallback once it sees again.
        enter_delay_s: From a trip until output may begin to come back.
        enter_service_s: From a trip until output may be back.
        pickup_w: Pickup of the element under test, in export direction; None without one.
        delay_s: Its delay; None without one.
        clearing_s: What the whole clearing is held to.
    """

    limit_w: float
    nameplate_w: float
    unmanaged_w: float
    band_w: float
    olrt_max_s: float
    olrt_average_s: float
    stale_s: float
    sample_s: float
    scan_s: float
    move_s: float
    climb_s: float
    fallback_hold_s: float
    enter_delay_s: float
    enter_service_s: float
    pickup_w: float | None
    delay_s: float | None
    clearing_s: float = 2.0

    def named(self) -> dict[str, float | None]:
        """By name, as formulas use them."""
        return asdict(self)


NAMES = frozenset(field.name for field in fields(SiteFacts))
"""What a procedure may name before it has measured anything."""


def element_under_test(status: Status) -> ElementStatus | None:
    """The first export element, or None."""
    return next((item for item in status.elements if item.name.startswith(EXPORT_ELEMENTS)), None)


def stale_s(site: Site) -> float:
    """After this long without a new sample the meter counts as lost; one lost sample alone is nothing wrong."""
    meter = site.meter
    seen_s = meter.period_s + meter.averaging_s + meter.latency_s + meter.transaction_s + site.control.scan_s
    return seen_s + meter.period_s


def site_facts(site: Site, status: Status) -> SiteFacts:
    """The figures of `site` as the agent runs it."""
    meter, element = site.meter, element_under_test(status)
    return SiteFacts(
        limit_w=site.limit_w,
        nameplate_w=site.nameplate_w,
        unmanaged_w=site.unmanaged.nameplate_w,
        band_w=0.005 * site.nameplate_w + _STEADY_COUNTS * meter.noise_w,
        olrt_max_s=site.agreement.olrt_max_s,
        olrt_average_s=site.agreement.olrt_average_s,
        stale_s=stale_s(site),
        sample_s=stale_s(site) - meter.period_s,
        scan_s=site.control.scan_s,
        move_s=max(der.dead_time_s + 100 / der.slope_pct_per_s for der in site.der),
        climb_s=100 / site.control.ramp_up_pct_per_s,
        fallback_hold_s=site.control.fallback_hold_s,
        enter_delay_s=site.enter_service.delay_s,
        enter_service_s=site.enter_service.delay_s + site.enter_service.ramp_s,
        pickup_w=element.pickup_w if element else None,
        delay_s=element.delay_s if element else None,
    )
