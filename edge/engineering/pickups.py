"""Pickups of the power elements: the rule's figure, what is set here, at the relay's terminals, and its error. Pure.

Source: IREC 2023 Section IV.B.3: 32R 0.1 % of the service transformer's nominal base rating, 32F 5 % of the total
nameplate as an import, 32 the Export Capacity; each within 2.0 s.
"""

from __future__ import annotations

from dataclasses import dataclass

from edge.engineering import clauses
from edge.guard.budget import CLEARING_BOUND_S
from edge.guard.measuring import error_at
from edge.guard.settings import (
    PICKUP_32F_OF_NAMEPLATE,
    PICKUP_32R_OF_TRANSFORMER,
    ElementSettings,
    GuardSettings,
    pickup_w,
)
from edge.model.site import Element, Instruments, Method, Site

RELAY_OF = {
    Method.REVERSE_POWER_32R: "32R",
    Method.MINIMUM_POWER_32F: "32F",
    Method.DIRECTIONAL_POWER_32: "32",
}


@dataclass(frozen=True, slots=True)
class Pickup:
    """One element. Powers are exports in W: a negative one is an import.

    `role` says whether it is the listed device of the method or an element of dergate's own; what is set on the
    listed device is not known here, so `set_w` and `delay_s` are None for it. `secondary_w` is None without ratios.
    """

    kind: str
    role: str
    rule: str
    clause: str
    rule_w: float | None
    set_w: float | None
    delay_s: float | None
    delay_limit_s: float
    secondary_w: float | None
    ratio: str | None
    error_terms_w: dict[str, float] | None
    error_w: float | None
    error_pct_of_pickup: float | None


def pickups(site: Site) -> tuple[Pickup, ...]:
    """The listed device of the method first, then the elements that the site arms."""
    listed = RELAY_OF.get(site.agreement.method)
    own = GuardSettings.of(site).elements
    relay = (_pickup(site, listed, "listed device", None),) if listed else ()
    return relay + tuple(_pickup(site, element.name, "dergate's own element", element) for element in own)


def _pickup(site: Site, kind: str, role: str, element: ElementSettings | None) -> Pickup:
    rule, clause = _RULES[kind]
    rule_w = _rule_w(site, kind)
    set_w = None if element is None else element.pickup_w
    at_w = rule_w if set_w is None else set_w
    instruments = site.meter.instruments
    error = None if instruments is None or at_w is None else error_at(instruments, at_w)
    scale = None if instruments is None else ratio(instruments)
    return Pickup(
        kind=kind,
        role=role,
        rule=rule,
        clause=clause,
        rule_w=rule_w,
        set_w=set_w,
        delay_s=None if element is None else element.delay_s,
        delay_limit_s=CLEARING_BOUND_S,
        secondary_w=None if scale is None or at_w is None else at_w / scale,
        ratio=None if instruments is None else _spelled(instruments),
        error_terms_w=None if error is None else dict(error.terms),
        error_w=None if error is None else error.total_w,
        error_pct_of_pickup=None if error is None or not at_w else 100 * error.total_w / abs(at_w),
    )


_RULES = {
    "32R": (
        f"{100 * PICKUP_32R_OF_TRANSFORMER:g} % of the service transformer's nominal base rating, export",
        "IREC 2023 Section IV.B.3.a.i",
    ),
    "32F": (
        f"{100 * PICKUP_32F_OF_NAMEPLATE:g} % of the total nameplate, import",
        "IREC 2023 Section IV.B.3.a.ii",
    ),
    "32": ("the Export Capacity, export", "IREC 2023 Section IV.B.3.b.i"),
    "import": ("as agreed: no rule gives it", clauses.METHOD[Method.AGREED_MEANS][0]),
}


def _rule_w(site: Site, kind: str) -> float | None:
    return None if kind == "import" else pickup_w(site, Element.model_validate({"kind": kind}))


def ratio(instruments: Instruments) -> float | None:
    """Primary watts for each secondary watt; without voltage transformers only the current's ratio counts."""
    if instruments.ct_primary_a is None or instruments.ct_secondary_a is None:
        return None
    currents = instruments.ct_primary_a / instruments.ct_secondary_a
    if instruments.pt_primary_v is None or instruments.pt_secondary_v is None:
        return currents
    return currents * instruments.pt_primary_v / instruments.pt_secondary_v


def _spelled(instruments: Instruments) -> str | None:
    if instruments.ct_primary_a is None:
        return None
    text = f"CT {instruments.ct_primary_a:g}:{instruments.ct_secondary_a:g} A"
    if instruments.pt_primary_v is None:
        return f"{text}, voltage direct"
    return f"{text}, PT {instruments.pt_primary_v:g}:{instruments.pt_secondary_v:g} V"
