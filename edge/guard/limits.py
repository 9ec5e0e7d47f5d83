"""What limits beside the one on total active power come to: apparent power, each phase. Pure; `check` prints it."""

from __future__ import annotations

from collections.abc import Iterator

from edge.guard import budget
from edge.guard.finding import Finding
from edge.guard.settings import GuardSettings, pickup_w, safe_w
from edge.model.site import Der, Element, Site
from edge.model.site.phases import UNBALANCE


def part(site: Site, der: Der, phase: str | None) -> float:
    """How much of a DER's power counts: all of it altogether, at the most its share on one phase."""
    return 1.0 if phase is None else site.most_share(der, phase)


def on(phase: str | None) -> str:
    """Where, in words; nothing for the site as a whole."""
    return "" if phase is None else f" on phase {phase}"


def limits(site: Site, settings: GuardSettings) -> Iterator[Finding]:
    """Each limit with its sums; nothing where only total active power is limited."""
    yield from _apparent(site)
    if site.limited_phases:
        yield from _phases(site)
        yield from _pickups(site)
        yield from _elements(site, settings)


def _apparent(site: Site) -> Iterator[Finding]:
    """What is left of a limit in VA without sight of the PCC, and whether that is anything."""
    agreement = site.agreement
    for key, limit_va, phase in (
        ("export_limit_va", agreement.export_limit_va, None),
        *(("export_limit_phase_va", agreement.export_limit_phase_va, each) for each in site.limited_phases),
    ):
        if limit_va is None:
            continue
        var, left_w = site.expected_var(phase), safe_w(site, phase)
        yield Finding(
            "warning" if left_w == 0.0 else "fact",
            f"agreement.{key}",
            f"apparent power{on(phase)} is held at {limit_va:g} VA by the reactive power that the meter shows; while it"
            f" shows none, {var:g} var are reckoned with ({_source(site, phase)}), which leaves"
            f" sqrt({limit_va:g}² - {var:g}²) = {left_w:.0f} W for DERs and unmanaged generation"
            + ("; every fallback takes the DERs to 0 W" if left_w == 0.0 else ""),
        )


def _source(site: Site, phase: str | None) -> str:
    """Where the expected reactive flow comes from."""
    if site.meter.instruments is not None:
        return "meter.instruments.expected_var"
    terms = [
        f"{part(site, der, phase) * der.most_var:g} {der.name}" for der in site.der if part(site, der, phase)
    ]
    unmanaged_w = site.unmanaged_w(phase)
    if unmanaged_w:
        terms.append(f"{unmanaged_w:g} unmanaged")
    return f"what the DERs can make: {' + '.join(terms)}; meter.instruments.expected_var would say it"


def _phases(site: Site) -> Iterator[Finding]:
    """Each phase's limit beside the total's, what can come there, and the sums that hold without sight."""
    limit_w, total_w = site.phase_limit_w, site.agreement.export_limit_w
    count = len(site.limited_phases)
    tighter = (
        "the phases together are the tighter limit"
        if count * limit_w < total_w
        else "the total stays a limit"
    )
    for phase in site.limited_phases:
        ders = [der for der in site.der if site.share(der, phase)]
        most_w = sum(part(site, der, phase) * der.nameplate_w for der in ders)
        terms = (
            " + ".join(f"{part(site, der, phase) * der.nameplate_w:g} {der.name}" for der in ders) or "none"
        )
        yield Finding(
            "fact",
            "agreement.export_limit_phase_w"
            if site.agreement.export_limit_phase_w is not None
            else "agreement.export_limit_phase_va",
            f"phase {phase} is held at {limit_w:g} W ({count} x {limit_w:g} W beside {total_w:g} W: {tighter});"
            f" DERs can put {terms} = {most_w:g} W on it (a DER on several phases shares equally, {UNBALANCE:g} times"
            f" that for unequal voltages); without sight of the PCC all that counts there stays within"
            f" {safe_w(site, phase):.0f} W, of which {site.unmanaged_w(phase):g} W are unmanaged",
        )


def _pickups(site: Site) -> Iterator[Finding]:
    """A pickup by phase may be tighter than its rule, never wider."""
    for index, element in enumerate(site.guard.element):
        if element.pickup_phase_w == "auto":
            continue
        for phase in site.limited_phases:
            given_w = pickup_w(site, element, phase)
            rule_w = pickup_w(site, Element(kind=element.kind), phase)
            if given_w > rule_w:
                yield Finding(
                    "problem",
                    f"guard.element[{index}].pickup_phase_w",
                    f"element {element.kind} would pick up{on(phase)} at an export of {given_w:g} W, above the"
                    f" {rule_w:g} W of its rule; a pickup may only be tighter",
                )


def _elements(site: Site, settings: GuardSettings) -> Iterator[Finding]:
    """Where each element picks up on a phase, and the loss of load there that it leaves alone."""
    for element in settings.further:
        if element.phase is not None and not element.bound:
            phase = "abc"[element.phase]
            yield Finding(
                "fact",
                "guard.element",
                f"element {element.name}: pickup {element.pickup_w:g} W, dropout {element.dropout_w:g} W, delay"
                f" {element.delay_s:.2f} s; largest step of host load{on(phase)} survived without it operating:"
                f" {_ride_through_w(site, phase, element.delay_s):.0f} W",
            )


def _ride_through_w(site: Site, phase: str, delay_s: float) -> float:
    """As `budget.ride_through_w`, of what the DERs put on one phase: those with the largest share set the pace."""
    shares = [(site.share(der, phase), der.nameplate_w) for der in site.der]
    largest = max(share for share, _ in shares)
    if largest == 0.0:
        return 0.0
    whole = budget.ride_through_w(site, delay_s) / site.nameplate_w
    return whole * sum(share * share * nameplate_w for share, nameplate_w in shares) / largest
