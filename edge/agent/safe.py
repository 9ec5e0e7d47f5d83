"""What the shell commands by itself when the step cannot: shares that keep export within the limit at zero load."""

from __future__ import annotations

from edge.model.commands import Commands, DerLimit, OutputCommand
from edge.model.site import NON_EXPORT_METHODS, Site


def on_stop(site: Site) -> Commands:
    """Safe limits, and every trip output open: nobody will look after the site."""
    outputs = tuple(OutputCommand(output.name, closed=False) for output in site.trip_output)
    return Commands(_limits(site), outputs)


def on_failure(site: Site) -> Commands:
    """Safe limits; outputs with a dead-man are left to it (not fed), the others are opened."""
    outputs = tuple(
        OutputCommand(output.name, closed=False) for output in site.trip_output if output.watchdog_s is None
    )
    return Commands(_limits(site), outputs)


def _limits(site: Site) -> tuple[DerLimit, ...]:
    """The export limit less unmanaged generation, shared out by nameplate. Needs no meter and no step."""
    allowed_w = 0.0 if site.agreement.method in NON_EXPORT_METHODS else site.limit_w
    share = max(0.0, allowed_w - site.unmanaged.nameplate_w) / site.nameplate_w
    return tuple(DerLimit(der.name, min(1.0, share) * der.nameplate_w) for der in site.der)
