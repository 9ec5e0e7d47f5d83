"""Whether a site can be held within its bounds, with the sums spelled out. Pure; `dergate check` prints it."""

from __future__ import annotations

from collections.abc import Iterator

from edge.guard import budget
from edge.guard.finding import LEVELS, Finding, Level
from edge.guard.functions import run_by_gateway
from edge.guard.limits import limits, on, part
from edge.guard.measuring import measured
from edge.guard.ratings import configured
from edge.guard.settings import ElementSettings, GuardSettings, pickup_w, safe_w
from edge.guard.stores import stores
from edge.guard.trip_paths import has_dead_man, trip_paths
from edge.model.site import NON_EXPORT_METHODS, RELAY_METHODS, Element, Method, Site


def judge(site: Site) -> list[Finding]:
    """Everything that `check` says about a site, problems first."""
    settings = GuardSettings.of(site)
    found = [
        *_agreement(site),
        *stores(site),
        *configured(site),
        *run_by_gateway(site),
        *limits(site, settings),
        *_pickups(site),
        *measured(site, settings),
        *trip_paths(site, settings),
        *_reversion(site),
        *_budgets(site, settings),
        *_proofs(site, settings),
        *_ride_through(site, settings),
        *_slow_ders(site),
    ]
    return sorted(found, key=lambda finding: LEVELS.index(finding.level))


def blanks(site: Site) -> list[str]:
    """Declarations of the application that the method needs and the site file leaves blank."""
    agreement = site.agreement
    missing = []
    if agreement.method is Method.AGREED_MEANS and agreement.approval_reference is None:
        missing.append("agreement.approval_reference")
    if agreement.method in RELAY_METHODS | {Method.PCS} and agreement.listed_device is None:
        missing.append("agreement.listed_device")
    if agreement.method is Method.PCS and not agreement.pcs_modes:
        missing.append("agreement.pcs_modes")
    if any(der.kind == "storage" for der in site.der) and agreement.import_limit_method is None:
        missing.append("agreement.import_limit_method")
    return missing


def _agreement(site: Site) -> Iterator[Finding]:
    agreement = site.agreement
    for key in blanks(site):
        yield Finding(
            "problem",
            key,
            f"is required for method {agreement.method}: dergate is not a utility-grade relay and not a certified PCS;"
            " its own functions may be the means only under agreed-upon means with the utility's reference",
        )
    if agreement.method in NON_EXPORT_METHODS and agreement.export_limit_w > 0:
        yield Finding(
            "problem", "agreement.export_limit_w", f"must be 0 for {agreement.method}, a non-export method"
        )
    if agreement.method in {Method.PCS, Method.RELATIVE_RATING} and site.site.network != "radial":
        yield Finding(
            "problem", "site.network", f"{agreement.method} is not available on {site.site.network} networks"
        )
    own_w = site.control.site_limit_w
    if own_w is not None and own_w > agreement.export_limit_w:
        yield Finding(
            "problem", "control.site_limit_w", f"may only be tighter than {agreement.export_limit_w:g} W"
        )


def _pickups(site: Site) -> Iterator[Finding]:
    """A pickup may be tighter than the rule of its element, never wider."""
    for index, element in enumerate(site.guard.element):
        path = f"guard.element[{index}].pickup_w"
        if element.pickup_w == "auto":
            if element.kind == "import":
                yield Finding("problem", path, "is required for an import element: no rule gives it")
            continue
        given_w = pickup_w(site, element)
        rule_w = pickup_w(site, Element(kind=element.kind))
        if element.kind != "import" and given_w > rule_w:
            yield Finding(
                "problem",
                path,
                f"element {element.kind} would pick up at an export of {given_w:g} W, above the {rule_w:g} W of its"
                " rule; a pickup may only be tighter",
            )


def _reversion(site: Site) -> Iterator[Finding]:
    alone = []
    for index, der in enumerate(site.der):
        if has_dead_man(site, der):
            continue
        path = f"der[{index}].reversion"
        if der.reversion is None:
            yield Finding(
                "problem",
                path,
                f"{der.name} keeps its last limit, or releases it, when the gateway dies; it needs a safe reversion"
                " value or a contact with a dead-man",
            )
            continue
        alone.append((der, der.reverts_to_w))
        if 0 < der.reversion.safe_w < der.min_w:
            yield Finding(
                "problem",
                f"{path}.safe_w",
                f"must be 0 or at least {der.min_w:g} W, the {der.min_pct:g} % of min_pct: {der.name} does not"
                " obey what lies between",
            )
        longest_s = 30 - budget.decay_s(der)
        if der.reversion.timer_s > longest_s:
            yield Finding(
                "problem", f"{path}.timer_s", f"may be at most {longest_s:.0f} s: 30 s less the decay"
            )
        if der.reversion.timer_s < 3 * site.control.reassert_s:
            yield Finding(
                "problem",
                f"{path}.timer_s",
                f"must cover three re-asserts of {site.control.reassert_s:g} s each",
            )
    for phase in (None, *site.limited_phases):
        sum_w = site.unmanaged_w(phase) + sum(part(site, der, phase) * at_w for der, at_w in alone)
        limit_w = safe_w(site, phase)
        if sum_w > limit_w:
            yield Finding(
                "problem",
                "der.reversion",
                f"the reversion values outside dead-man contacts sum to {sum_w:g} W{on(phase)}, above the limit of"
                f" {limit_w:g} W",
            )


def _budgets(site: Site, settings: GuardSettings) -> Iterator[Finding]:
    security = budget.security(site)
    for index, element in enumerate(settings.elements):
        path = f"guard.element[{index}].delay_s"
        clearing = budget.clearing(site, element.delay_s)
        if budget.exceeds(clearing.total_s, budget.CLEARING_BOUND_S):
            yield Finding(
                "problem",
                path,
                f"clearing: {clearing.spelled()}, above 2.0 s; {_way_out(site)}",
            )
        if budget.exceeds(security.total_s, element.delay_s):
            yield Finding(
                "problem",
                path,
                f"security: {element.delay_s:.2f} s is less than {security.spelled()}; healthy operation would trip",
            )
        yield Finding(
            "fact",
            path,
            f"element {element.name}: pickup {element.pickup_w:g} W, dropout {element.dropout_w:g} W,"
            f" delay {element.delay_s:.2f} s; clearing {clearing.total_s:.2f} s of 2.0 s; security {security.spelled()};"
            f" {_survived(budget.lost_samples_survived(site, element.delay_s))}",
        )
        yield _shortest(site, path, element)
        yield from _blind(site, path, element)


def _survived(lost: int) -> str:
    """So many samples."""
    return "1 lost sample is survived" if lost == 1 else f"{lost} lost samples in a row are survived"


def _shortest(site: Site, path: str, element: ElementSettings) -> Finding:
    """The shortest excursion that can operate an element: what the meter does not show belongs to it."""
    unseen = budget.unseen(site)
    shortest_s = element.delay_s - unseen.total_s
    said = (
        f"an excursion shorter than {shortest_s:.2f} s never operates"
        if shortest_s > 0
        else "any excursion may operate"
    )
    return Finding(
        "fact",
        path,
        f"while no sample is lost, {said} element {element.name}: it may look longer by {unseen.spelled()}",
    )


def _way_out(site: Site) -> str:
    slowest_s = budget.slowest_meter_s(site)
    if slowest_s > 0:
        return f"the slowest meter that could do has a period of {slowest_s:.2f} s"
    return f"no meter period would do: security {budget.security(site).spelled()}"


def _blind(site: Site, path: str, element: ElementSettings) -> Iterator[Finding]:
    """Whether losing the meter at full output trips: fallback must be proven before the element is blind."""
    slowest = max(site.der, key=budget.decay_s)
    proof_s = budget.security(site).total_s + budget.decay_s(slowest) + slowest.poll_s
    verdict = "does not trip" if proof_s < element.delay_s else "trips"
    yield Finding(
        "fact",
        path,
        f"losing the meter at full output {verdict} the site: fallback is proven after {proof_s:.2f} s,"
        f" the element is blind for {element.delay_s:.2f} s",
    )


def _proofs(site: Site, settings: GuardSettings) -> Iterator[Finding]:
    """DERs that cannot prove, for as long as the meter is lost, that they make nothing: at night nothing should trip."""
    if settings.lost_sensing_s is None:
        return
    for index, der in enumerate(site.der):
        proof = budget.proof(site, index)
        if not budget.exceeds(settings.lost_sensing_s, proof.total_s):
            yield Finding(
                "warning",
                f"der[{index}].poll_s",
                f"losing the meter may trip the site even at night: what {der.name} makes may have been measured"
                f" {proof.spelled()} ago, and proves nothing from {settings.lost_sensing_s:.2f} s on; a shorter poll_s or"
                " timeout_s would do",
            )


def _ride_through(site: Site, settings: GuardSettings) -> Iterator[Finding]:
    for index, element in enumerate(settings.elements):
        step_w = budget.ride_through_w(site, element.delay_s)
        trips = _load_loss_trips(site, element)
        level: Level = "warning" if trips or step_w < 0.1 * site.nameplate_w else "fact"
        yield Finding(
            level,
            f"guard.element[{index}]",
            f"largest step of host load survived without element {element.name} operating: {step_w:.0f} W"
            f" ({100 * step_w / site.nameplate_w:.0f} % of nameplate); {budget.recovery(site).spelled()} and the ramp"
            f" must fit the delay{_margin(site, element)}{_SOFTER if trips else ''}",
        )


def _load_loss_trips(site: Site, element: ElementSettings) -> bool:
    """Whether losing the host load that the site declares would operate the element: delay and slope do not fit it."""
    if site.site.host_load_w is None or element.on_import:
        return False
    return budget.margin_w(site, element.delay_s, element.dropout_w) > 0.0


_SOFTER = (
    "; as declared, losing it trips the site: faster DERs, a faster meter or control.site_limit_w would help"
)


def _margin(site: Site, element: ElementSettings) -> str:
    """What would have to stand between the target and the dropout, for the loss of the whole host load."""
    if element.on_import:
        return ""
    load_w = budget.largest_load_w(site)
    margin_w = budget.margin_w(site, element.delay_s, element.dropout_w)
    if margin_w == 0.0:
        return f"; losing a host load of {load_w:.0f} W is survived without any margin"
    target_w = element.dropout_w - margin_w
    held = f"an export of {target_w:.0f} W" if target_w >= 0 else f"an import of {-target_w:.0f} W"
    return (
        f"; to survive losing a host load of {load_w:.0f} W the target would have to stand {margin_w:.0f} W below the"
        f" dropout, at {held}"
    )


def _slow_ders(site: Site) -> Iterator[Finding]:
    """DERs that cannot be down within the PCS bound, were they told to at the last moment fallback is forced."""
    bound_s = site.guard.olrt_bound_s
    for index, der in enumerate(site.der):
        needed_s = budget.security(site).total_s + budget.decay_s(der)
        if needed_s > 0.5 * bound_s:
            yield Finding(
                "warning",
                f"der[{index}].slope_pct_per_s",
                f"{der.name} may need {needed_s:.1f} s from full power after a step, more than half of the PCS bound of"
                f" {bound_s:g} s",
            )
