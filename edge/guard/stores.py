"""What was agreed of storage, in watts at this site, and whether it can be held. Pure.

Source: UL 1741 CRD for Power Control Systems; IREC 2023, Attachment 2 §2.b; control.md of the project.
"""

from __future__ import annotations

import math
from collections.abc import Iterator

from edge.guard.finding import Finding
from edge.guard.trip_paths import has_dead_man
from edge.model.site import Der, PcsMode, Site
from edge.model.storage_rules import StorageRules

_MODES = "agreement.pcs_modes"
OPERATING = (PcsMode.UNRESTRICTED, PcsMode.EXPORT_ONLY, PcsMode.IMPORT_ONLY, PcsMode.NO_EXCHANGE)
"""A PCS is in one of these; the others are abilities on top."""


def stores(site: Site) -> Iterator[Finding]:
    """Modes and abilities that contradict each other or cannot be held here, and what the others come to."""
    yield from _contradictions(site)
    units = [(index, der) for index, der in enumerate(site.der) if der.kind == "storage"]
    if not units:
        yield from _without_storage(site)
        return
    yield from _limits(site)
    rules = StorageRules.of(site.agreement)
    yield Finding("fact", _MODES, _told(site, rules))
    for index, der in units:
        yield from _alone(index, der, site, rules)


def _contradictions(site: Site) -> Iterator[Finding]:
    modes = [mode for mode in site.agreement.pcs_modes if mode in OPERATING]
    if len(set(modes)) > 1:
        yield Finding(
            "problem", _MODES, f"{' and '.join(modes)} contradict each other: a PCS has one operating mode"
        )
    non_export = PcsMode.EXPORT_ONLY in modes and site.agreement.export_limit_w == 0
    if non_export and any(der.kind == "storage" for der in site.der):
        yield Finding(
            "problem",
            _MODES,
            "export_only with an export limit of 0 W is no_exchange: say so, so that both are reported",
        )


def _limits(site: Site) -> Iterator[Finding]:
    """A limit and the ability that it belongs to go together."""
    agreement = site.agreement
    modes = set(agreement.pcs_modes)
    imports = agreement.import_limit_w is not None or agreement.ess_import_limit_w is not None
    pairs = (
        (PcsMode.EXPORT_LIMITING_ESS, "ess_export_limit_w", agreement.ess_export_limit_w is not None),
        (PcsMode.IMPORT_LIMITING_ESS, "ess_import_limit_w or import_limit_w", imports),
    )
    for mode, key, given in pairs:
        if mode in modes and not given:
            yield Finding("problem", f"agreement.{key.split(' ')[0]}", f"is required by {mode} ({key})")
        if given and mode not in modes:
            yield Finding("problem", _MODES, f"must name {mode}: agreement.{key} is given")
    if imports and agreement.import_limit_method is None:
        yield Finding("problem", "agreement.import_limit_method", "is required where import is limited")


def _without_storage(site: Site) -> Iterator[Finding]:
    """Without storage nothing is charged, and what the modes say of discharging holds for all that generates."""
    modes, limit_w = set(site.agreement.pcs_modes), site.agreement.export_limit_w
    for mode in (PcsMode.IMPORT_ONLY, PcsMode.NO_EXCHANGE):
        if mode in modes and limit_w > 0:
            yield Finding("problem", _MODES, f"{mode} is not held: an export of {limit_w:g} W is allowed")
    if PcsMode.NO_EXCHANGE in modes:
        yield Finding("problem", _MODES, 'no_exchange is about storage, and no [[der]] has kind = "storage"')
    if any(
        limit is not None
        for limit in (
            site.agreement.import_limit_w,
            site.agreement.ess_import_limit_w,
            site.agreement.ess_export_limit_w,
        )
    ):
        yield Finding("problem", _MODES, 'a limit on storage is given, and no [[der]] has kind = "storage"')


def _told(site: Site, rules: StorageRules) -> str:
    """The rules in watts, and how far they are kept."""
    limit_w = site.limit_w
    parts = [
        f"all DERs together may export {limit_w:g} W",
        f"storage may send {_watts(rules.export_w, 'to the grid')}",
        f"storage may take {_watts(rules.import_w, 'from the grid')}",
    ]
    if rules.site_import_w < math.inf:
        parts.append(f"it may charge while the site imports up to {rules.site_import_w:g} W")
    floor_w = site.nameplate_w * site.control.margin_floor_pct / 100
    if rules.import_w + limit_w < 3 * floor_w:
        parts.append(
            f"export and charging from the grid cannot both stay under 0 W to the watt: while storage takes surplus, it"
            f" takes up to twice the margin (here {2 * floor_w:.0f} W, more where noise widens it) from the grid"
        )
    blind = [
        f"discharging is held to {min(rules.blind_discharge_w, limit_w):g} W in sum with generation",
        "charging is held to 0 W" if rules.limits_import else "charging is free",
    ]
    return f"storage: {'; '.join(parts)}. Without sight of the PCC {' and '.join(blind)}"


def _watts(limit_w: float, where: str) -> str:
    return f"any power {where}" if math.isinf(limit_w) else f"{limit_w:g} W {where}"


def _alone(index: int, der: Der, site: Site, rules: StorageRules) -> Iterator[Finding]:
    """What it does when nobody speaks to it, and whether that is safe both ways."""
    path = f"der[{index}]"
    if has_dead_man(site, der):
        yield Finding(
            "fact",
            path,
            f"{der.name}, when nobody speaks to it: {der.contact} opens, it neither gives nor takes",
        )
        return
    if der.reversion is None:
        return
    if der.operation == "band":
        does = f"it gives at most {der.reversion.safe_w:g} W and charges as it likes, up to {der.most_charge_w:g} W"
        level: str = "problem" if rules.limits_import else "fact"
    else:
        does = f"its set-point is {der.reversion.safe_w:g} W, it takes nothing"
        level = "fact"
    over_w = der.reversion.safe_w - rules.blind_discharge_w
    if over_w > 0:
        yield Finding(
            "problem",
            f"{path}.reversion.safe_w",
            f"may be at most {rules.blind_discharge_w:g} W: storage may send no more to the grid",
        )
    why = (
        ""
        if level == "fact"
        else '; where import is limited it needs operation = "setpoint" or a contact with a dead-man'
    )
    yield Finding(
        "problem" if level == "problem" else "fact",
        f"{path}.reversion",
        f"{der.name}, when nobody speaks to it for {der.reversion.timer_s} s: {does}{why}",
    )
