"""The largest step of host load that a site survives under each element, and the margin for losing all of it. Pure.

Source: control.md of the project, "Ride-through"; the sums are in `edge.guard.budget`.
"""

from __future__ import annotations

from dataclasses import dataclass

from edge.guard import budget
from edge.guard.settings import GuardSettings
from edge.model.site import Site


@dataclass(frozen=True, slots=True)
class RideThrough:
    """Under one element; powers in W.

    `shed_w` is what the DERs let go within `ramp_s`, the delay less `recovery_s`: the largest step survived while
    the target stands at the dropout. `margin_w` is how far below it the target would have to stand for `load_w` to
    be lost without a trip.
    """

    element: str
    delay_s: float
    recovery_s: float
    recovery: str
    ramp_s: float
    shed_w: float
    load_w: float
    load_declared: bool
    dropout_w: float
    margin_w: float
    target_w: float


def ride_through(site: Site) -> tuple[RideThrough, ...]:
    """For each element that looks at export."""
    recovery = budget.recovery(site)
    found = []
    for element in GuardSettings.of(site).elements:
        if not element.on_import:
            margin_w = budget.margin_w(site, element.delay_s, element.dropout_w)
            found.append(
                RideThrough(
                    element=element.name,
                    delay_s=element.delay_s,
                    recovery_s=recovery.total_s,
                    recovery=recovery.spelled(),
                    ramp_s=max(0.0, element.delay_s - recovery.total_s),
                    shed_w=budget.ride_through_w(site, element.delay_s),
                    load_w=budget.largest_load_w(site),
                    load_declared=site.site.host_load_w is not None,
                    dropout_w=element.dropout_w,
                    margin_w=margin_w,
                    target_w=element.dropout_w - margin_w,
                )
            )
    return tuple(found)
