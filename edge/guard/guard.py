"""The guard: last before every output. It sees raw measurements and shares nothing with the limiter."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

from edge.guard.boundary import further_step, whole
from edge.guard.contact import (
    BREAKER_FAILURE,
    Contact,
    commanded,
    failures,
    feedback,
    fell_open,
    looked_at,
    opened,
)
from edge.guard.element import ElementState, element_step
from edge.guard.sensing import proven_safe, verified_zero
from edge.guard.settings import DerSettings, ElementSettings, GuardSettings
from edge.guard.storage_bound import exchanged
from edge.guard.supervisor import TOLERANCE, Watch, must_trip, watch_step
from edge.model.commands import Commands, DerLimit, Event, OutputCommand
from edge.model.durable import Durable
from edge.model.image import Image
from edge.model.permit import Permit
from edge.model.sample import Sample

DAY_S = 86_400.0
LOST_SENSING = "lost-sensing"
NO_FLOORS: Mapping[str, float] = {}


@dataclass(frozen=True, slots=True)
class GuardState:
    """Everything the guard remembers from scan to scan. `closed`: the site is in service, its outputs told to close."""

    durable: Durable
    elements: tuple[ElementState, ...]
    pcs: ElementState
    watches: tuple[Watch, ...]
    sequence: int
    sample_s: float
    scan_s: float
    commanded_s: float
    limits_w: tuple[float, ...]
    contacts: tuple[Contact, ...]
    bounds: tuple[ElementState, ...] = ()
    charge_watches: tuple[Watch, ...] = ()
    floors_w: tuple[float, ...] = ()
    closed: bool = False
    causes: tuple[str, ...] = ()
    trips: int = 0
    further: tuple[ElementState, ...] = ()

    @property
    def breaker_failed(self) -> bool:
        """Whether a contact shows closed that was told to open."""
        return any(contact.failed for contact in self.contacts)


def guard_start(settings: GuardSettings, durable: Durable, now_s: float) -> GuardState:
    """The state of a process that has just come up: latch as stored, outputs open."""
    return GuardState(
        durable=durable,
        elements=tuple(ElementState(now_s) for _ in settings.elements),
        pcs=ElementState(now_s),
        watches=tuple(Watch(((now_s, der.nameplate_w),)) for der in settings.ders),
        sequence=-1,
        sample_s=now_s,
        scan_s=now_s,
        commanded_s=now_s,
        limits_w=tuple(der.nameplate_w for der in settings.ders),
        contacts=tuple(Contact(now_s) for _ in settings.outputs),
        bounds=tuple(ElementState(now_s) for _ in settings.bounds),
        charge_watches=tuple(Watch(((now_s, der.charge_w),)) for der in settings.ders if der.charge_w > 0),
        floors_w=tuple(-der.charge_w for der in settings.ders),
        further=tuple(ElementState(now_s) for _ in settings.further),
    )


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
    state = _measured(image, settings, state, now_s)
    shown = feedback(settings.outputs, state.contacts, image)
    fell = fell_open(state.contacts, shown)
    contacts = looked_at(state.contacts, shown)
    if contacts != state.contacts:
        state = replace(state, contacts=contacts)
    causes = _causes(image, settings, state, now_s)
    if causes != state.causes:
        state = replace(state, causes=causes)
    state = _latched(image, settings, state, now_s)
    state = _service(image, settings, state, ready=ready, held=bool(isolate) or any(fell))
    if state.closed and entered and not state.durable.in_service:
        state = replace(state, durable=replace(state.durable, in_service=True))
    if state.closed != before.closed:
        state = replace(state, commanded_s=now_s)
    bands = tuple(
        (0.0, 0.0)
        if state.durable.tripped
        else _clipped(limits_w.get(der.name, 0.0), floors_w.get(der.name, 0.0), der)
        for der in settings.ders
    )
    granted, floors = tuple([band[0] for band in bands]), tuple([band[1] for band in bands])
    if granted != state.limits_w or floors != state.floors_w:
        state = replace(state, limits_w=granted, floors_w=floors)
    contacts = commanded(settings.outputs, state.contacts, fell, now_s, in_service=state.closed)
    if contacts != state.contacts:
        state = replace(state, contacts=contacts)
    commands = Commands(
        limits=tuple(
            DerLimit(der.name, limit_w, floor_w)
            for der, (limit_w, floor_w) in zip(settings.ders, bands, strict=True)
        ),
        outputs=tuple(
            OutputCommand(output.name, contact.closed)
            for output, contact in zip(settings.outputs, state.contacts, strict=True)
        ),
    )
    return state, commands, _events(settings, before, state, now_s)


def permit(settings: GuardSettings, state: GuardState, now_s: float) -> Permit:
    """What the limiter is told at the next scan."""
    return Permit(
        tripped=state.durable.tripped,
        operated=bool(state.causes),
        force_fallback=any(_must_come_down(settings, was, now_s) for was in (state.pcs, *state.bounds))
        or any(
            _must_come_down(settings, was, now_s)
            for element, was in zip(settings.further, state.further, strict=True)
            if element.bound
        ),
        timing=any(was.picked_up for was in (state.pcs, *state.elements, *state.further)),
        unresponsive=frozenset(
            der.name for der, watch in _watched(settings, state) if watch.unresponsive_s is not None
        ),
    )


def _must_come_down(settings: GuardSettings, pcs: ElementState, now_s: float) -> bool:
    """Whether the bound is near, and export above it or so lately back that the reset comes too late to rely on."""
    after_s, bound_s = settings.force_fallback_after_s, settings.pcs.delay_s
    if not pcs.picked_up or now_s - pcs.below_s < after_s:
        return False
    if pcs.clear_s is None:
        return True
    return pcs.clear_s + settings.pcs.reset_delay_s - pcs.below_s > (after_s + bound_s) / 2


def effective(element: ElementSettings, image: Image) -> ElementSettings:
    """The element with a test's lower pickup in force; a test can never raise it."""
    if element.direction < 0:
        return element
    asked_w = (override.pickup_w for override in image.overrides)
    lowest_w = min(
        (pickup_w for pickup_w in asked_w if pickup_w is not None and pickup_w < element.pickup_w),
        default=None,
    )
    if lowest_w is None:
        return element
    return replace(element, pickup_w=lowest_w, dropout_w=lowest_w - (element.pickup_w - element.dropout_w))


def _lapsed(settings: GuardSettings, state: GuardState, now_s: float) -> GuardState:
    """After a gap in the scans the outputs have opened by themselves: the site is out of service, not tripped."""
    if now_s - state.scan_s < settings.watchdog_s:
        return state
    return replace(state, closed=False, contacts=opened(state.contacts, now_s))


def _measured(image: Image, settings: GuardSettings, state: GuardState, now_s: float) -> GuardState:
    """Elements and supervisor after this scan's measurements."""
    pcc = image.pcc
    is_new = pcc.sequence != state.sequence and whole(settings, pcc)
    sample = pcc.export_w if is_new else None
    zero_s = verified_zero(settings, image, now_s)
    elements = tuple(
        element_step(
            effective(element, image),
            was,
            sample,
            now_s,
            blocked_s=zero_s if element.blocked_at_zero_output else None,
        )
        for element, was in zip(settings.elements, state.elements, strict=True)
    )
    watches = tuple(
        # Storage that absorbs less than it was told to gives nothing: only limits above that are held against it.
        watch_step(der, watch, max(0.0, limit_w), reading, now_s)
        for der, watch, limit_w, reading in zip(
            settings.ders, state.watches, state.limits_w, image.ders, strict=True
        )
    )
    if settings.bounds or state.charge_watches:
        state = _storage_measured(image, settings, state, sample, now_s)
    return replace(
        state,
        elements=elements,
        pcs=element_step(settings.pcs, state.pcs, sample, now_s),
        watches=watches,
        further=further_step(settings, state.further, pcc if is_new else None, zero_s, now_s),
        sequence=pcc.sequence if is_new else state.sequence,
        sample_s=state.sample_s if sample is None else sample.oldest_s,
        scan_s=now_s,
    )


def _storage_measured(
    image: Image, settings: GuardSettings, state: GuardState, sample: Sample | None, now_s: float
) -> GuardState:
    """What storage exchanges with the grid against its bounds, and how it charges against its floors."""
    bounds = tuple(
        element_step(
            bound.element,
            was,
            None
            if sample is None
            else exchanged(bound, sample, image, settings.ders, now_s, closed=state.closed),
            now_s,
        )
        for bound, was in zip(settings.bounds, state.bounds, strict=True)
    )
    stores = [
        (der, reading, floor_w)
        for der, reading, floor_w in zip(settings.ders, image.ders, state.floors_w, strict=True)
        if der.charge_w > 0
    ]
    watches = tuple(
        watch_step(
            replace(der, nameplate_w=der.charge_w),
            watch,
            -floor_w,
            replace(reading, output_w=reading.output_w.mirrored()),
            now_s,
        )
        for (der, reading, floor_w), watch in zip(stores, state.charge_watches, strict=True)
    )
    return replace(state, bounds=bounds, charge_watches=watches)


def _watched(settings: GuardSettings, state: GuardState) -> Iterator[tuple[DerSettings, Watch]]:
    """Every DER with its watch, storage once more with that of its charging."""
    yield from zip(settings.ders, state.watches, strict=True)
    if state.charge_watches:
        stores = (der for der in settings.ders if der.charge_w > 0)
        yield from zip(stores, state.charge_watches, strict=True)


def _causes(image: Image, settings: GuardSettings, state: GuardState, now_s: float) -> tuple[str, ...]:
    """What demands a trip now, the elements first."""
    causes = [
        element.name for element, was in zip(settings.elements, state.elements, strict=True) if was.operated
    ]
    if state.pcs.operated:
        causes.append(settings.pcs.name)
    causes += [
        bound.element.name for bound, was in zip(settings.bounds, state.bounds, strict=True) if was.operated
    ]
    causes += [
        element.name for element, was in zip(settings.further, state.further, strict=True) if was.operated
    ]
    blind_s = now_s - state.sample_s
    if (
        settings.lost_sensing_s is not None
        and state.closed
        and blind_s >= settings.lost_sensing_s
        and not proven_safe(settings, image, state.sample_s, now_s)
    ):
        causes.append(LOST_SENSING)
    causes += [
        f"supervisor:{der.name}"
        for der, watch in _watched(settings, state)
        if (der.contact is not None or der.has_permit) and must_trip(watch, now_s) and state.closed
    ]
    causes += [
        f"{BREAKER_FAILURE}:{output.name}"
        for output, contact in zip(settings.outputs, state.contacts, strict=True)
        if contact.failed
    ]
    return tuple(causes)


def _latched(image: Image, settings: GuardSettings, state: GuardState, now_s: float) -> GuardState:
    """The trip latch: set by any cause, counted towards lockout unless a test did it.

    A contact that failed to open locks out at once: only a person can tell that it is sound again.
    """
    durable = state.durable
    trips_s = tuple(at_s for at_s in durable.trips_s if now_s - at_s < DAY_S)
    if state.causes and not durable.tripped:
        by_test = _by_test(image, settings, state)
        if not by_test:
            trips_s = (*trips_s, now_s)
        durable = Durable(
            tripped=True,
            target=state.causes[0],
            lockout=durable.lockout
            or state.breaker_failed
            or (not by_test and len(trips_s) >= settings.lockout_trips),
            trips_s=trips_s,
            in_service=False,
        )
        return replace(state, durable=durable, closed=False, trips=state.trips + 1)
    if image.reset and durable.tripped and not state.causes:
        durable = replace(durable, tripped=False, lockout=False, target=None)
    if state.breaker_failed:
        durable = replace(durable, lockout=True)
    if trips_s != durable.trips_s:
        durable = replace(durable, trips_s=trips_s)
    return state if durable == state.durable else replace(state, durable=durable)


def _by_test(image: Image, settings: GuardSettings, state: GuardState) -> bool:
    """Whether tests brought about all that demands this trip: lowered pickups, or a hidden meter."""
    tests = tuple(override for override in image.overrides if override.test)
    tested = replace(image, overrides=tests)
    operated = [
        element for element, was in zip(settings.elements, state.elements, strict=True) if was.operated
    ]
    if any(effective(element, tested) == element for element in operated):
        return False
    hidden = any(override.blind for override in tests)
    return all(hidden and cause == LOST_SENSING for cause in state.causes[len(operated) :])


def _service(
    image: Image, settings: GuardSettings, state: GuardState, *, ready: bool, held: bool
) -> GuardState:
    """Whether the outputs are closed: by enter service; not while one is isolated, has fallen open or has failed.

    Nor while a DER keeps its power above its limit, whoever asks for it.
    """
    if state.closed:
        return replace(state, closed=False) if held else state
    defied = any(watch.unresponsive_s is not None for _, watch in _watched(settings, state))
    if not ready or held or defied or state.causes:
        return state
    if state.durable.tripped and not (_resets_itself(settings, state) and _ceased(image, settings, state)):
        return state
    return replace(state, durable=replace(state.durable, tripped=False), closed=True)


def _resets_itself(settings: GuardSettings, state: GuardState) -> bool:
    by_hand = settings.reset_is_manual or state.durable.lockout or state.durable.target == "state-lost"
    return not by_hand


def _ceased(image: Image, settings: GuardSettings, state: GuardState) -> bool:
    """Whether every DER that answers was seen, after the outputs opened, to have stopped as it was told."""
    for der, known in zip(image.ders, settings.ders, strict=True):
        output_w = der.output_w.since(state.commanded_s)
        if der.reachable and (output_w is None or output_w > TOLERANCE * known.nameplate_w):
            return False
    return True


def _clipped(limit_w: float, floor_w: float, der: DerSettings) -> tuple[float, float]:
    """Limit and floor within what the DER can do, the floor not above the limit; what is no power allows nothing."""
    low_w = min(0.0, max(floor_w, -der.charge_w)) if math.isfinite(floor_w) else 0.0
    high_w = min(max(limit_w, low_w), der.nameplate_w) if math.isfinite(limit_w) else 0.0
    return high_w, low_w


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
        if element.bound:
            continue
        if has.picked_up and not was.picked_up:
            events.append(Event("pickup", now_s, f"element {element.name} picked up"))
        if was.picked_up and not has.picked_up:
            events.append(Event("dropout", now_s, f"element {element.name} dropped out"))
    if after.durable.tripped and not before.durable.tripped:
        events.append(Event("trip", now_s, f"target {', '.join(after.causes)}"))
    if before.durable.tripped and not after.durable.tripped:
        events.append(Event("reset", now_s, "the trip latch was reset"))
    if before.closed and not after.closed and not after.durable.tripped:
        events.append(Event("out-of-service", now_s, "the outputs are open without a trip"))
    events += failures(settings.outputs, before.contacts, after.contacts, now_s)
    for (der, was_watch), (_, watch) in zip(
        _watched(settings, before), _watched(settings, after), strict=True
    ):
        if watch.unresponsive_s is not None and was_watch.unresponsive_s is None:
            events.append(Event("write-unverified", now_s, f"{der.name} keeps its power above its limit"))
    return tuple(events)
