"""The guard: last before every output. It sees raw measurements and shares nothing with the limiter."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import replace

from edge.guard.contact import (
    commanded,
    failures,
    feedback,
    fell_open,
    looked_at,
    opened,
)
from edge.guard.element import ElementState
from edge.guard.latch import demands, latched, service
from edge.guard.measured import measured
from edge.guard.settings import DerSettings, GuardSettings
from edge.guard.state import GuardState, watched
from edge.model.commands import Commands, DerLimit, Event, OutputCommand
from edge.model.image import Image
from edge.model.permit import Permit

NO_FLOORS: Mapping[str, float] = {}


def guard_step(
    image: Image,
    settings: GuardSettings,
    state: GuardState,
    limits_w: dict[str, float],
    now_s: float,
    *,
    ready: bool,
    entered: bool,
    isolate: frozenset[str],
    floors_w: Mapping[str, float] = NO_FLOORS,
) -> tuple[GuardState, Commands, tuple[Event, ...]]:
    """Advance one scan.

    Args:
        image: Raw measurements of this scan.
        settings: The guard's settings.
        state: Its state after the last scan.
        limits_w: What the limiter asks for; passed on unless tripped, clipped to each nameplate.
        now_s: Monotonic time of this scan.
        ready: Enter service has seen its window for its delay.
        entered: Enter service is done, its ramp too.
        isolate: Contacts that the limiter asks to open without a trip.
        floors_w: The other end of the bands that it asks for, where that is not 0; likewise, and clipped to what
            each can absorb.
    """
    before = state
    state = _lapsed(settings, state, now_s)
    state = measured(image, settings, state, now_s)
    shown = feedback(settings.outputs, state.contacts, image)
    fell = fell_open(state.contacts, shown)
    contacts = looked_at(state.contacts, shown)
    if contacts != state.contacts:
        state = state._replace(contacts=contacts)
    causes = demands(image, settings, state, now_s)
    if causes != state.causes:
        state = state._replace(causes=causes)
    state = latched(image, settings, state, now_s)
    state = service(image, settings, state, ready=ready, held=bool(isolate) or any(fell))
    if state.closed and entered and not state.durable.in_service:
        state = state._replace(durable=replace(state.durable, in_service=True))
    if state.closed != before.closed:
        state = state._replace(commanded_s=now_s)
    limits = _granted(settings, limits_w, floors_w, tripped=state.durable.tripped)
    if limits != state.limits:
        state = state._replace(limits=limits)
    contacts = commanded(settings.outputs, state.contacts, fell, now_s, in_service=state.closed)
    if contacts != state.contacts:
        state = state._replace(contacts=contacts)
    commands = Commands(
        limits,
        tuple(
            [
                OutputCommand(output.name, contact.closed)
                for output, contact in zip(settings.outputs, state.contacts, strict=True)
            ]
        ),
    )
    return state, commands, _events(settings, before, state, now_s)


def permit(settings: GuardSettings, state: GuardState, now_s: float) -> Permit:
    """What the limiter is told at the next scan."""
    return Permit(
        tripped=state.durable.tripped,
        operated=bool(state.causes),
        force_fallback=any(_must_come_down(settings, was, now_s) for was in (state.pcs, *state.bounds))
        or _further_must_come_down(settings, state, now_s),
        unresponsive=state.unresponsive,
    )


def _further_must_come_down(settings: GuardSettings, state: GuardState, now_s: float) -> bool:
    """The same for the PCS bound of a phase, or of apparent power."""
    return bool(state.further) and any(
        _must_come_down(settings, was, now_s)
        for element, was in zip(settings.further, state.further, strict=True)
        if element.bound
    )


def _must_come_down(settings: GuardSettings, pcs: ElementState, now_s: float) -> bool:
    """Whether the bound is near, and export above it or so lately back that the reset comes too late to rely on."""
    after_s, bound_s = settings.force_fallback_after_s, settings.pcs.delay_s
    if not pcs.picked_up or now_s - pcs.below_s < after_s:
        return False
    if pcs.clear_s is None:
        return True
    return pcs.clear_s + settings.pcs.reset_delay_s - pcs.below_s > (after_s + bound_s) / 2


def _lapsed(settings: GuardSettings, state: GuardState, now_s: float) -> GuardState:
    """After a gap in the scans the outputs have opened by themselves: the site is out of service, not tripped."""
    if now_s - state.scan_s < settings.watchdog_s:
        return state
    return state._replace(closed=False, contacts=opened(state.contacts, now_s))


def _granted(
    settings: GuardSettings, limits_w: Mapping[str, float], floors_w: Mapping[str, float], *, tripped: bool
) -> tuple[DerLimit, ...]:
    """What each DER is told of what the limiter asks for: nothing that it did not name, and nothing in a trip."""
    if tripped:
        return tuple([DerLimit(der.name, 0.0) for der in settings.ders])
    return tuple(
        [_clipped(der, limits_w.get(der.name, 0.0), floors_w.get(der.name, 0.0)) for der in settings.ders]
    )


def _clipped(der: DerSettings, limit_w: float, floor_w: float) -> DerLimit:
    """Limit and floor within what the DER can do, the floor not above the limit; what is no power allows nothing."""
    low_w = max(floor_w, -der.charge_w) if -math.inf < floor_w < 0.0 else 0.0
    if low_w <= limit_w <= der.nameplate_w:
        return DerLimit(der.name, limit_w, low_w)
    high_w = min(max(limit_w, low_w), der.nameplate_w) if math.isfinite(limit_w) else 0.0
    return DerLimit(der.name, high_w, low_w)


def _events(
    settings: GuardSettings, before: GuardState, after: GuardState, now_s: float
) -> tuple[Event, ...]:
    events = []
    for element, was, has in zip(
        (*settings.elements, *settings.further),
        (*before.elements, *before.further),
        (*after.elements, *after.further),
        strict=True,
    ):
        if has.picked_up == was.picked_up or element.bound:
            continue
        if has.picked_up:
            events.append(Event("pickup", now_s, f"element {element.name} picked up"))
        else:
            events.append(Event("dropout", now_s, f"element {element.name} dropped out"))
    if after.durable.tripped and not before.durable.tripped:
        events.append(Event("trip", now_s, f"target {', '.join(after.causes)}"))
    if before.durable.tripped and not after.durable.tripped:
        events.append(Event("reset", now_s, "the trip latch was reset"))
    if before.closed and not after.closed and not after.durable.tripped:
        events.append(Event("out-of-service", now_s, "the outputs are open without a trip"))
    if after.contacts != before.contacts:
        events += failures(settings.outputs, before.contacts, after.contacts, now_s)
    if after.unresponsive:
        events += [
            Event("write-unverified", now_s, f"{der.name} keeps its power above its limit")
            for (der, was), (_, has) in zip(watched(settings, before), watched(settings, after), strict=True)
            if has.unresponsive_s is not None and was.unresponsive_s is None
        ]
    return tuple(events)
