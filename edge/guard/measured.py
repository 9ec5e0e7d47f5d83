"""A scan's measurements: elements, bounds and supervisor after them. Pure."""

from __future__ import annotations

from dataclasses import replace

from edge.guard.boundary import further_step, whole
from edge.guard.element import element_step
from edge.guard.sensing import verified_zero
from edge.guard.settings import ElementSettings, GuardSettings
from edge.guard.state import GuardState, watched
from edge.guard.storage_bound import exchanged
from edge.guard.supervisor import watch_step
from edge.model.image import Image
from edge.model.sample import Sample


def effective(element: ElementSettings, image: Image) -> ElementSettings:
    """The element with a test's lower pickup in force; a test can never raise it."""
    if element.on_import or not image.overrides:
        return element
    asked_w = (override.pickup_w for override in image.overrides)
    lowest_w = min(
        (pickup_w for pickup_w in asked_w if pickup_w is not None and pickup_w < element.pickup_w),
        default=None,
    )
    if lowest_w is None:
        return element
    return replace(element, pickup_w=lowest_w, dropout_w=lowest_w - (element.pickup_w - element.dropout_w))


def measured(image: Image, settings: GuardSettings, state: GuardState, now_s: float) -> GuardState:
    """Elements and supervisor after this scan's measurements."""
    pcc = image.pcc
    is_new = pcc.sequence != state.sequence and whole(settings, pcc)
    sample = pcc.export_w if is_new else None
    zero_s = verified_zero(settings, image, now_s)
    elements = tuple(
        [
            element_step(
                effective(element, image),
                was,
                sample,
                now_s,
                blocked_s=zero_s if element.blocked_at_zero_output else None,
            )
            for element, was in zip(settings.elements, state.elements, strict=True)
        ]
    )
    watches = tuple(
        [
            # Storage that absorbs less than it was told to gives nothing: only limits above that are held against it.
            watch_step(der, watch, max(0.0, limit.limit_w), reading, now_s)
            for der, watch, limit, reading in zip(
                settings.ders, state.watches, state.limits, image.ders, strict=True
            )
        ]
    )
    if settings.further:
        further = further_step(settings, state.further, pcc if is_new else None, zero_s, now_s)
        state = state._replace(further=further)
    if state.charge_watches:
        state = _storage_measured(image, settings, state, sample, now_s)
    state = state._replace(
        elements=elements,
        pcs=element_step(settings.pcs, state.pcs, sample, now_s),
        watches=watches,
        sequence=pcc.sequence if is_new else state.sequence,
        sample_s=state.sample_s if sample is None else sample.oldest_s,
        scan_s=now_s,
    )
    return _judged(settings, state)


def _judged(settings: GuardSettings, state: GuardState) -> GuardState:
    """Who does not follow, by the watches."""
    unresponsive = [der.name for der, watch in watched(settings, state) if watch.unresponsive_s is not None]
    if not unresponsive and not state.unresponsive:
        return state
    return state._replace(unresponsive=frozenset(unresponsive))


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
        (der, reading, limit.floor_w)
        for der, reading, limit in zip(settings.ders, image.ders, state.limits, strict=True)
        if der.is_storage
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
    return state._replace(bounds=bounds, charge_watches=watches)
