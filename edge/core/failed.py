"""What stands in for the limiter in a scan in which it failed: fallback, out of nothing that it worked out.

No DER gets more than the scan before granted, than its device holds, or than keeps export within the limit at
zero host load. The guard runs on beside it.
"""

from __future__ import annotations

from dataclasses import replace

from edge.core.boundaries import narrowed, on_phase_w, taken_w
from edge.core.control import CoreState, Wish, core_start
from edge.core.fallback import fallback_total_w
from edge.core.settings import CoreSettings
from edge.model.commands import Narrowing
from edge.model.image import Image

BY = "limiter-failed"


def stand_in(
    image: Image,
    settings: CoreSettings,
    state: CoreState,
    granted_w: tuple[float, ...],
    noise_w: float,
    now_s: float,
    ignoring: frozenset[str] = frozenset(),
) -> tuple[CoreState, Wish]:
    """The limiter's state and wish after a scan that it could not finish.

    Args:
        image: What the scan saw.
        settings: The limiter's settings.
        state: Its state before the scan.
        granted_w: What the guard granted each DER in the scan before.
        noise_w: σ of the measured power, as fixed at commissioning.
        now_s: Monotonic time of the scan.
        ignoring: DERs that took a lower limit and kept their power: as good as unheard.
    """
    heard = {der.name for der in image.ders if der.reachable and not der.refused} - ignoring
    unheard = tuple(plant for plant in settings.ders if plant.name not in heard)
    asked_w = (cap.cap_w for cap in image.overrides if cap.der is None and cap.cap_w is not None)
    total_w = max(0.0, min(_room_w(settings, heard), *asked_w, settings.nameplate_w))
    limits_w: dict[str, float] = {}
    floors_w: dict[str, float] = {}
    for plant, last_w, der in zip(settings.ders, granted_w, image.ders, strict=True):
        own_w = (cap.cap_w for cap in image.overrides if cap.der == plant.name and cap.cap_w is not None)
        share_w = total_w * plant.nameplate_w / settings.nameplate_w
        if plant.stores:
            share_w = 0.0 if plant.by_setpoint else min(share_w, settings.storage.blind_discharge_w)
            held_w = max(0.0, -der.floor_w.otherwise(-plant.charge_w))
            may_w = min(plant.charge_w, held_w, settings.storage.blind_charge_w)
            floors_w[plant.name] = -may_w if plant.name in heard else 0.0
        limit_w = min(share_w, last_w, der.limit_w.otherwise(plant.nameplate_w), *own_w)
        obeyed = plant.name in heard and (limit_w < 0.0 or limit_w >= plant.min_w)
        limits_w[plant.name] = max(limit_w, floors_w.get(plant.name, 0.0)) if obeyed else 0.0
    narrowed(settings, limits_w, tuple(_room_w(phase, heard) for phase in settings.phases))
    isolate = state.isolated | {plant.contact for plant in unheard if plant.contact is not None}
    after = _begun_anew(settings, state, limits_w, noise_w, now_s)
    after = after._replace(lost=frozenset(plant.name for plant in unheard), isolated=isolate)
    return after, Wish(
        limits_w,
        (Narrowing(BY, total_w),),
        isolate,
        ready=False,
        entered=False,
        events=(),
        floors_w=floors_w,
    )


def _room_w(settings: CoreSettings, heard: set[str]) -> float:
    """What the DERs that answer may put on a boundary at zero host load, with the widest margin that there is."""
    unheard_w = sum(plant.share * plant.nameplate_w for plant in settings.ders if plant.name not in heard)
    margin_w = settings.margin_cap_w + taken_w(settings, settings.expected_var)
    return fallback_total_w(settings, settings.ceiling_w - margin_w) / settings.unbalance - unheard_w


def _begun_anew(
    settings: CoreSettings, state: CoreState, limits_w: dict[str, float], noise_w: float, now_s: float
) -> CoreState:
    """A limiter that knows nothing, but for limits that may be in devices and how far enter service has come.

    Whatever broke the last one is not carried on; a delay of enter service that was under way begins again.
    """
    fresh = core_start(settings, now_s, noise_w, after_trip=state.enter.after_trip)
    was = state.fallback
    return fresh._replace(
        limiter=replace(fresh.limiter, ceiling_w=max(0.0, sum(limits_w.values()))),
        phases=tuple(
            replace(limiter, ceiling_w=max(0.0, on_phase_w(phase, limits_w)))
            for phase, limiter in zip(settings.phases, fresh.phases, strict=True)
        ),
        tracks=tuple(
            track._replace(unproven=old.unproven)
            for track, old in zip(fresh.tracks, state.tracks, strict=True)
        ),
        fallback=replace(fresh.fallback, starting=was.starting, count=was.count + (not was.active)),
        enter=replace(state.enter, window_s=None, ready=False),
    )
