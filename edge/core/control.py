"""The regulating half of a scan: sight, ceiling, stack of limits, shares for the DERs."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import NamedTuple

from edge.core import boundaries, dispatch, unheard
from edge.core.enter_service import EnterService, enter_share, enter_step
from edge.core.fallback import Fallback, fallback_step
from edge.core.handover import handed_over
from edge.core.limiter import Limiter, target_w
from edge.core.noise import Noise
from edge.core.plant_functions import FunctionState, functions_start, functions_step, narrowings, reactive
from edge.core.settings import CoreSettings, DerPlant
from edge.core.storage import Storage, absorbed_w, storage_start, storage_step
from edge.core.track import Track, new_track, observed, sent
from edge.model.commands import DerVar, Event, Narrowing
from edge.model.image import Image
from edge.model.permit import Permit

BLIND = "sight of the point of common coupling was lost or is not trusted"
FORCED = "export did not come down in time: the guard forced it"
FULL_SLACK = 0.005
"""Of its capacity: storage this close to its full state of charge absorbs no more."""


class CoreState(NamedTuple):
    """Everything the limiter remembers from scan to scan. `limits_w` is what it asked for last, if it did."""

    limiter: Limiter
    tracks: tuple[Track, ...]
    fallback: Fallback
    enter: EnterService
    lost: frozenset[str] = frozenset()
    isolated: frozenset[str] = frozenset()
    functions: tuple[FunctionState, ...] = ()
    storage: Storage | None = None
    phases: tuple[Limiter, ...] = ()
    limits_w: Mapping[str, float] | None = None


class Wish(NamedTuple):
    """What the limiter asks for; the guard has the last word. `isolate` names contacts to open.

    `floors_w` is the other end of the bands, for storage; 0 for what it does not name.
    """

    limits_w: dict[str, float]
    narrowings: tuple[Narrowing, ...]
    isolate: frozenset[str]
    ready: bool
    entered: bool
    events: tuple[Event, ...]
    reactive: tuple[DerVar, ...] = ()
    floors_w: Mapping[str, float] = boundaries.NOTHING


def core_start(settings: CoreSettings, now_s: float, noise_w: float, *, after_trip: bool) -> CoreState:
    """The state of a process that has just come up: in fallback, entering service."""
    return CoreState(
        limiter=Limiter(settings.nameplate_w, -1, now_s, Noise(noise_w * noise_w)),
        phases=tuple(
            Limiter(phase.nameplate_w, -1, now_s, Noise(noise_w * noise_w)) for phase in settings.phases
        ),
        tracks=tuple(new_track(plant, now_s) for plant in settings.ders),
        fallback=Fallback(active=True, since_s=now_s, starting=True),
        enter=EnterService(after_trip),
        functions=functions_start(settings.functions, now_s),
        storage=storage_start(settings, now_s) if settings.charge_w else None,
    )


def core_step(
    image: Image, settings: CoreSettings, state: CoreState, permit: Permit, now_s: float, *, in_service: bool
) -> tuple[CoreState, Wish]:
    """Advance the limiter by one scan. `permit` and `in_service` are the guard's word of the last scan."""
    seen_w, ignoring = state.limiter.export_w, permit.unresponsive
    tracks = tuple(
        [
            observed(track, plant, der, now_s, seen_w)
            for track, plant, der in zip(state.tracks, settings.ders, image.ders, strict=True)
        ]
    )
    lost = frozenset(
        [der.name for der in image.ders if not der.reachable or der.refused or der.name in ignoring]
    )
    total_w = boundaries.blind_total_w(settings, state.limiter, target_w(settings, state.limiter.noise))
    closed_w = unheard.if_closed_w(settings, tracks, image, lost, permit)
    counted_w = unheard.counted_w(
        settings, closed_w, frozenset() if in_service else unheard.proven_open(image, now_s)
    )
    rooms = boundaries.phase_rooms(settings, state.phases, counted_w, closed_w) if settings.phases else ()
    heard = tuple(plant for plant in settings.ders if plant.name not in lost) if lost else settings.ders
    blind_w = max(0.0, total_w - sum(counted_w.values()))
    fallback = fallback_step(
        settings,
        state.fallback,
        image,
        lost,
        blind_w,
        now_s,
        forced=permit.force_fallback,
        phases_w=tuple([max(0.0, room.blind_w - room.counted_w) for room in rooms]) if rooms else (),
    )
    limiter = boundaries.regulated(
        settings, state.limiter, total_w if fallback.active else None, tracks, lost, image.pcc, now_s
    )
    phases = boundaries.phases_regulated(
        rooms, state.phases, tracks, lost, image.pcc, now_s, blind=fallback.active
    )
    isolate = unheard.isolated(settings, fallback, counted_w, total_w, state.isolated, rooms)
    enter = enter_step(
        settings,
        state.enter,
        image,
        now_s,
        in_service=in_service,
        tripped=permit.tripped,
        held=bool(permit.operated or permit.unresponsive or isolate)
        or unheard.closing_breaks(settings, closed_w, total_w, rooms),
    )
    functions = functions_step(settings.functions, state.functions, image, now_s)
    stack = _stack(settings, fallback, limiter, image, total_w)
    single = (
        *_single_narrowings(settings, enter, image, now_s),
        *narrowings(settings.functions, functions),
    )
    caps_w = _caps(settings, fallback, image, single)
    ceiling_w = stack[0].limit_w - sum(counted_w.values())
    storage, limits_w, floors_w = _shared(
        settings,
        state,
        fallback,
        limiter,
        tracks,
        lost,
        heard,
        image,
        ceiling_w,
        caps_w,
        stack,
        single,
        now_s,
    )
    held = [(settings, ceiling_w)]
    if rooms:
        ceilings_w = boundaries.ceilings_w(rooms, phases)
        held += zip(settings.phases, ceilings_w, strict=True)
        limits_w = boundaries.narrowed(
            settings, limits_w, ceilings_w, _absorbed_w(settings, fallback, tracks, now_s)
        )
        single = (*boundaries.narrowings(settings, ceilings_w), *single)
    if limits_w != state.limits_w:
        limits_w = handed_over(tuple(held), tracks, limits_w, limiter.export_w or 0.0, now_s)
        # A DER that does not answer is told to stop all the same: it may hear without being heard.
        limits_w |= dict.fromkeys(lost, 0.0)
        tracks = tuple(
            [
                sent(track, plant, limits_w[plant.name], now_s, settings.command_s)
                for track, plant in zip(tracks, settings.ders, strict=True)
            ]
        )
    after = CoreState(
        limiter=limiter,
        tracks=tracks,
        fallback=fallback,
        enter=enter,
        lost=lost,
        isolated=isolate,
        functions=functions,
        storage=storage,
        phases=phases,
        limits_w=limits_w,
    )
    return after, Wish(
        limits_w,
        (*stack, *single),
        isolate,
        enter.ready,
        enter.done,
        _events(settings, state, after, now_s, forced=permit.force_fallback),
        reactive(settings.functions, functions),
        floors_w,
    )


def _absorbed_w(
    settings: CoreSettings, fallback: Fallback, tracks: tuple[Track, ...], now_s: float
) -> dict[str, float]:
    """What each storage unit was measured to absorb; without sight nothing is built on that."""
    return {
        plant.name: 0.0 if fallback.active else absorbed_w(plant, track, now_s)
        for plant, track in zip(settings.ders, tracks, strict=True)
        if plant.stores
    }


def _shared(
    settings: CoreSettings,
    state: CoreState,
    fallback: Fallback,
    limiter: Limiter,
    tracks: tuple[Track, ...],
    lost: frozenset[str],
    heard: tuple[DerPlant, ...],
    image: Image,
    ceiling_w: float,
    caps_w: dict[str, float],
    stack: tuple[Narrowing, ...],
    single: tuple[Narrowing, ...],
    now_s: float,
) -> tuple[Storage | None, dict[str, float], dict[str, float]]:
    """The ceiling shared among the DERs that answer, as limits and floors; what storage may do is brought up to now."""
    if state.storage is None:
        return None, dispatch.sharing(settings.order)(ceiling_w, heard, caps_w), {}
    storage = storage_step(settings, state.storage, state.limiter, limiter, tracks, lost, image.pcc, now_s)
    discharge_w, charge_w, serve_w = storage.discharge_w, storage.charge_w, storage.serve_w
    if fallback.active:
        discharge_w, charge_w, serve_w = (
            settings.storage.blind_discharge_w,
            settings.storage.blind_charge_w,
            0.0,
        )
    stores = dispatch.Stores(
        discharge_w,
        charge_w,
        _charge_caps(settings, fallback, image, single, storage.full_s, now_s),
        _absorbed_w(settings, fallback, tracks, now_s),
        serve_w,
        _level_w(settings, fallback, limiter, stack) - (stack[0].limit_w - ceiling_w),
    )
    limits_w, floors_w = dispatch.banded(
        ceiling_w,
        tuple(plant for plant in heard if not plant.stores),
        tuple(plant for plant in heard if plant.stores),
        caps_w,
        {plant.name: wanted_w for plant, wanted_w in zip(settings.ders, storage.wanted_w, strict=True)},
        stores,
        settings.order,
    )
    return storage, limits_w, floors_w


def _level_w(
    settings: CoreSettings, fallback: Fallback, limiter: Limiter, stack: tuple[Narrowing, ...]
) -> float:
    """What all DERs may make were it not for the ramp of the limiter's ceiling; no bound without sight."""
    if fallback.active or limiter.load_w is None:
        return math.inf
    ramped = {settings.ceiling_by, "export-limit"}
    others_w = (narrowing.limit_w for narrowing in stack if narrowing.by not in ramped)
    return min(limiter.load_w + target_w(settings, limiter.noise), *others_w)


def _charge_caps(
    settings: CoreSettings,
    fallback: Fallback,
    image: Image,
    single: tuple[Narrowing, ...],
    full_s: tuple[float, ...],
    now_s: float,
) -> dict[str, float]:
    """The most each storage unit may absorb: nothing when full, its share while it enters service."""
    entering = {narrowing.der: narrowing.limit_w for narrowing in single if narrowing.by == "enter-service"}
    caps_w = {}
    for plant, der, until_s in zip(settings.ders, image.ders, full_s, strict=True):
        if not plant.stores:
            continue
        full = now_s < until_s or der.soc_pu.otherwise(0.0) >= plant.full_pu - FULL_SLACK
        cap_w = 0.0 if full else plant.charge_w
        cap_w *= entering.get(plant.name, plant.nameplate_w) / plant.nameplate_w
        if fallback.starting:
            cap_w = min(cap_w, max(0.0, -der.floor_w.otherwise(-plant.charge_w)))
        caps_w[plant.name] = cap_w
    return caps_w


def _stack(
    settings: CoreSettings, fallback: Fallback, limiter: Limiter, image: Image, total_w: float
) -> tuple[Narrowing, ...]:
    """Every limit on the sum of DER output, tightest first."""
    stack = [Narrowing("nameplate", settings.nameplate_w)]
    if fallback.active:
        stack.append(Narrowing("fallback", total_w))
    stack.append(Narrowing(boundaries.ceiling_by(settings, limiter), limiter.ceiling_w))
    if settings.ceiling_by != "export-limit":
        clear_w = settings.limit_w - settings.ceiling_w
        stack.append(Narrowing("export-limit", limiter.ceiling_w + clear_w))
    stack += [
        Narrowing(override.by, override.cap_w)
        for override in image.overrides
        if override.cap_w is not None and override.der is None
    ]
    return tuple(sorted(stack, key=lambda narrowing: narrowing.limit_w))


def _single_narrowings(
    settings: CoreSettings, enter: EnterService, image: Image, now_s: float
) -> tuple[Narrowing, ...]:
    """Limits on one DER each."""
    found = [
        Narrowing(override.by, override.cap_w, override.der)
        for override in image.overrides
        if override.cap_w is not None and override.der is not None
    ]
    if not enter.done:
        for plant in settings.ders:
            share = enter_share(settings, enter, plant, now_s)
            if share < 1.0:
                found.append(Narrowing("enter-service", share * plant.nameplate_w, plant.name))
    return tuple(found)


def _caps(
    settings: CoreSettings, fallback: Fallback, image: Image, single: tuple[Narrowing, ...]
) -> dict[str, float]:
    """The most each DER may be given, apart from the limit on the sum."""
    caps_w = {plant.name: plant.nameplate_w for plant in settings.ders}
    if fallback.starting:
        for der in image.ders:
            caps_w[der.name] = min(caps_w[der.name], der.limit_w.otherwise(caps_w[der.name]))
    for narrowing in single:
        if narrowing.der in caps_w:
            caps_w[narrowing.der] = min(caps_w[narrowing.der], narrowing.limit_w)
    return caps_w


def _events(
    settings: CoreSettings, before: CoreState, after: CoreState, now_s: float, *, forced: bool
) -> tuple[Event, ...]:
    events = boundaries.events(
        settings, (before.limiter, *before.phases), (after.limiter, *after.phases), now_s
    )
    if after.fallback.active and not before.fallback.active:
        why = FORCED if forced else BLIND
        events.append(Event("fallback", now_s, why))
    if before.fallback.active and not after.fallback.active:
        events.append(Event("fallback-end", now_s, "fresh measurements and verified limits held long enough"))
    if after.isolated:
        events += [
            Event("isolation", now_s, f"contact {name} opens: the DERs behind it do not answer")
            for name in sorted(after.isolated - before.isolated)
        ]
    if after.enter.done and not before.enter.done:
        events.append(Event("in-service", now_s, "enter service is complete"))
    return tuple(events)
