"""What the shell commands by itself when the step cannot: shares that keep export within the limit at zero load.

It never loosens: no DER gets more than the last complete scan gave it, whatever was its reason (a trip, enter
service, a test).
"""

from __future__ import annotations

from edge.guard.limits import part
from edge.guard.settings import safe_w
from edge.model.commands import Commands, DerLimit, OutputCommand
from edge.model.durable import Durable
from edge.model.site import Der, Site
from edge.model.storage_rules import StorageRules


def before_scans(site: Site, durable: Durable) -> Commands:
    """What stands for the last commands until a scan gave some: nothing when out of service, and all open."""
    in_service = durable.in_service and not durable.tripped
    share = _share(site) if in_service else 0.0
    limits = tuple(
        _band(site, der, share * der.nameplate_w, -der.most_charge_w if in_service else 0.0)
        for der in site.der
    )
    return Commands(limits, tuple(OutputCommand(output.name, closed=False) for output in site.trip_output))


def on_stop(site: Site, last: Commands) -> Commands:
    """Safe limits, and every trip output open: nobody will look after the site."""
    outputs = tuple(OutputCommand(output.name, closed=False) for output in site.trip_output)
    return Commands(_limits(site, last), outputs)


def on_failure(site: Site, last: Commands) -> Commands:
    """Safe limits; outputs with a dead-man are left to it (not fed), the others are opened."""
    outputs = tuple(
        OutputCommand(output.name, closed=False) for output in site.trip_output if output.watchdog_s is None
    )
    return Commands(_limits(site, last), outputs)


def _limits(site: Site, last: Commands) -> tuple[DerLimit, ...]:
    share = _share(site)
    last_w = {limit.name: limit.limit_w for limit in last.limits}
    floors_w = {limit.name: limit.floor_w for limit in last.limits}
    return tuple(
        _band(
            site,
            der,
            _obeyed(der, min(share * der.nameplate_w, last_w.get(der.name, 0.0))),
            floors_w.get(der.name, 0.0),
        )
        for der in site.der
    )


def _share(site: Site) -> float:
    """The export limits less unmanaged generation, as a part of nameplate. Needs no meter and no step.

    It is the same part of every DER, so that the tightest limit counts: that on the total or on one phase.
    """
    shares = [1.0]
    for phase in (None, *site.limited_phases):
        allowed_w = min(site.limit_w, safe_w(site)) if phase is None else safe_w(site, phase)
        most_w = sum(part(site, der, phase) * der.nameplate_w for der in site.der)
        if most_w > 0.0:
            shares.append(max(0.0, allowed_w - site.unmanaged_w(phase)) / most_w)
    return min(shares)


def _band(site: Site, der: Der, limit_w: float, floor_w: float) -> DerLimit:
    """A limit that is safe without sight, and for storage what it may then take at most; as a set-point it is 0 W."""
    if der.kind != "storage":
        return DerLimit(der.name, limit_w)
    rules = StorageRules.of(site.agreement)
    if der.operation == "setpoint":
        return DerLimit(der.name, 0.0)
    floor_w = max(floor_w, -rules.blind_charge_w)
    return DerLimit(der.name, max(0.0, min(limit_w, rules.blind_discharge_w)), floor_w)


def _obeyed(der: Der, limit_w: float) -> float:
    """Nothing instead of a limit below the DER's minimum: it would keep to the minimum."""
    return limit_w if limit_w >= der.min_w else 0.0
