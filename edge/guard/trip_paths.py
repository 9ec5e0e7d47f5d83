"""What `check` says of the trip outputs: dead-man, wire, feeding, reach, permit service, backup. Pure."""

from __future__ import annotations

from collections.abc import Iterator

from edge.guard import budget
from edge.guard.contact import FEEDBACK_GRACE_S
from edge.guard.finding import Finding
from edge.guard.limits import on, part
from edge.guard.settings import GuardSettings, safe_w
from edge.guard.wire import sharers
from edge.model.site import Der, PermitService, Site, TripOutput

SCANS_PER_FEED = 2
"""A scan is on time, and feeds, up to twice its period after the one before."""


def trip_paths(site: Site, settings: GuardSettings) -> Iterator[Finding]:
    """Everything about the outputs of a site."""
    armed = bool(settings.elements)
    for index, output in enumerate(site.trip_output):
        path = f"trip_output[{index}]"
        if isinstance(output, PermitService):
            yield _permit(site, output, path, armed=armed)
        else:
            if armed:
                yield from _for_element(site, output, path)
            yield from _feeding(site, output, path)
        if armed and output.backup:
            yield from _backup(site, settings, output, path)
    if any(not element.on_import for element in settings.elements):
        yield from _reach(site)
    if any(element.on_import for element in settings.elements):
        yield from _import_reach(site)


def bare_w(site: Site, phase: str | None = None) -> float:
    """Nameplate that no contact disconnects, unmanaged generation included: altogether, or on one phase."""
    ders_w = (part(site, der, phase) * der.nameplate_w for der in site.der if der.contact is None)
    return site.unmanaged_w(phase) + sum(ders_w)


def has_dead_man(site: Site, der: Der) -> bool:
    """Whether a contact stands before the DER that opens when the gateway falls silent."""
    return any(output.name == der.contact and output.silent is not None for output in site.trip_output)


def _for_element(site: Site, output: TripOutput, path: str) -> Iterator[Finding]:
    if output.silent is None:
        yield Finding(
            "problem",
            f"{path}.watchdog_s",
            f"{output.name} has no dead-man: a stopped process would hold it closed; a 2-second element needs one",
        )
    others = sharers(site, path)
    if others:
        yield Finding(
            "problem",
            f"{path}.uri",
            f"{output.name} shares its wire with {', '.join(others)}: an opening could wait"
            f" {sum(others.values()):.2f} s for their time-outs; a 2-second element needs a wire of its own",
        )


def _feeding(site: Site, output: TripOutput, path: str) -> Iterator[Finding]:
    """Healthy scans must feed the dead-man in time, one that is late but on time included."""
    if output.watchdog_s is None:
        return
    needed = budget.Sum("feeding", (("two scans", SCANS_PER_FEED * site.control.scan_s), *output.feeding))
    if budget.exceeds(needed.total_s, output.watchdog_s):
        yield Finding(
            "problem",
            f"{path}.watchdog_s",
            f"feeding: {needed.spelled()} may pass between two feeds of {output.name}, and it opens after"
            f" {output.watchdog_s:.2f} s: healthy operation would drop it out; scan faster, or let it wait longer",
        )


def _permit(site: Site, output: PermitService, path: str, *, armed: bool) -> Finding:
    """703 has no timer: the permit counts for nothing in what must hold when the gateway falls silent."""
    der = next(der for der in site.der if der.name == output.der)
    ceases = budget.Sum("cease", (("scan", site.control.scan_s), *output.commanded)).spelled()
    if has_dead_man(site, der):
        bounded = f"{der.contact} stands before {der.name} and opens by itself"
    elif der.reversion is None:
        bounded = ""
    else:
        within_s = der.reversion.timer_s + budget.decay_s(der)
        bounded = f"{der.name} falls to {der.reverts_to_w:g} W by its own reversion within {within_s:.1f} s"
        if armed and bare_w(site) > site.agreement.export_limit_w:
            bounded = ""
    if not bounded:
        return Finding(
            "problem",
            f"{path}.kind",
            f"{output.name} has no dead-man: SunSpec 703 has no timer, so a stopped process would leave {der.name} its"
            f" permit; {'a 2-second element needs a contact with one' if armed else 'it needs a reversion value'}",
        )
    return Finding(
        "fact",
        f"{path}.kind",
        f"{output.name} makes {der.name} cease in {ceases}, on command only: it has no dead-man and counts in no"
        f" budget; when the gateway falls silent, {bounded}",
    )


def _reach(site: Site) -> Iterator[Finding]:
    for phase in (None, *site.limited_phases):
        beyond_w, limit_w = bare_w(site, phase), safe_w(site, phase)
        if beyond_w > limit_w:
            yield Finding(
                "problem",
                "der.contact",
                f"reach: {beyond_w:g} W of nameplate{on(phase)} are not behind a trip output, more than the export"
                f" capacity of {limit_w:g} W; opening could not end an export above it",
            )


def _import_reach(site: Site) -> Iterator[Finding]:
    """What opening could end of an import: what storage takes."""
    for index, der in enumerate(site.der):
        if der.kind == "storage" and der.contact is None:
            yield Finding(
                "problem",
                f"der[{index}].contact",
                f"reach: {der.name} is not behind a trip output; opening could not end the {der.most_charge_w:g} W that"
                " it may take, and an import element is armed",
            )


def _backup(site: Site, settings: GuardSettings, output: TripOutput, path: str) -> Iterator[Finding]:
    """When the next device is open, were this one welded: what a failed path costs, for each that stands by."""
    delay_s = max(element.delay_s for element in settings.elements)
    outputs = {each.name: each for each in site.trip_output}
    for name in output.backup:
        needed = budget.Sum(
            "backup",
            (
                ("delay", delay_s),
                ("scan", site.control.scan_s),
                (f"{output.name} to open", output.opens_s),
                ("grace", FEEDBACK_GRACE_S),
                ("feedback", budget.feedback_every_s(site, output)),
                ("scan", site.control.scan_s),
                *outputs[name].commanded,
            ),
        )
        late = budget.exceeds(needed.total_s, budget.CLEARING_BOUND_S)
        than = (
            "later than the 2.0 s, which then rest on the DERs that are told to cease"
            if late
            else "within 2.0 s"
        )
        yield Finding(
            "warning" if late else "fact",
            f"{path}.backup",
            f"were {output.name} welded, {name} would be open after {needed.spelled()}: {than}",
        )
