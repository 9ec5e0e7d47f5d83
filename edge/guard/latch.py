"""The trip latch: what demands a trip, how it is kept, and when the outputs may be closed again. Pure."""

from __future__ import annotations

from dataclasses import replace

from edge.guard.contact import BREAKER_FAILURE
from edge.guard.measured import effective
from edge.guard.sensing import proven_safe
from edge.guard.settings import GuardSettings
from edge.guard.state import GuardState, watched
from edge.guard.supervisor import TOLERANCE, must_trip
from edge.model.durable import Durable
from edge.model.image import Image

DAY_S = 86_400.0
LOST_SENSING = "lost-sensing"


def demands(image: Image, settings: GuardSettings, state: GuardState, now_s: float) -> tuple[str, ...]:
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
    if state.unresponsive and state.closed:
        causes += [
            f"supervisor:{der.name}"
            for der, watch in watched(settings, state)
            if (der.contact is not None or der.has_permit) and must_trip(watch, now_s)
        ]
    causes += [
        f"{BREAKER_FAILURE}:{output.name}"
        for output, contact in zip(settings.outputs, state.contacts, strict=True)
        if contact.failed
    ]
    return tuple(causes)


def latched(image: Image, settings: GuardSettings, state: GuardState, now_s: float) -> GuardState:
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
        return state._replace(durable=durable, closed=False, trips=state.trips + 1)
    if image.reset and durable.tripped and not state.causes:
        durable = replace(durable, tripped=False, lockout=False, target=None)
    if state.breaker_failed and not durable.lockout:
        durable = replace(durable, lockout=True)
    if trips_s != durable.trips_s:
        durable = replace(durable, trips_s=trips_s)
    return state if durable is state.durable else state._replace(durable=durable)


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


def service(
    image: Image, settings: GuardSettings, state: GuardState, *, ready: bool, held: bool
) -> GuardState:
    """Whether the outputs are closed: by enter service; not while one is isolated, has fallen open or has failed.

    Nor while a DER keeps its power above its limit, whoever asks for it.
    """
    if state.closed:
        return state._replace(closed=False) if held else state
    if not ready or held or state.unresponsive or state.causes:
        return state
    if state.durable.tripped and not (_resets_itself(settings, state) and _ceased(image, settings, state)):
        return state
    return state._replace(durable=replace(state.durable, tripped=False), closed=True)


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
