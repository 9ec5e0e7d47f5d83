"""What DERs that do not answer may be making, and which contacts have to open because of it."""

from __future__ import annotations

from edge.core.boundaries import PhaseRoom
from edge.core.fallback import Fallback
from edge.core.settings import CoreSettings
from edge.core.track import Track, most_sent_w
from edge.model.image import Image
from edge.model.permit import Permit

ISOLATION_TOLERANCE_W = 1.0
OPEN_PROOF_S = 2.0
"""A contact's feedback older than this proves nothing."""


def if_closed_w(
    settings: CoreSettings, tracks: tuple[Track, ...], image: Image, lost: frozenset[str], permit: Permit
) -> dict[str, float]:
    """The most that each unheard DER may make while its contact is closed.

    The largest of power-up and reversion value, last verified limit and any limit sent later; nameplate when it
    was seen to ignore its limit.
    """
    found: dict[str, float] = {}
    if not lost:
        return found
    for plant, track, reading in zip(settings.ders, tracks, image.ders, strict=True):
        if plant.name not in lost:
            continue
        held_w = reading.limit_w.otherwise(plant.nameplate_w)
        most_w = max(plant.unheard_w, held_w, most_sent_w(track))
        ignores = plant.name in permit.unresponsive
        found[plant.name] = plant.nameplate_w if ignores else min(plant.nameplate_w, most_w)
    return found


def counted_w(settings: CoreSettings, closed_w: dict[str, float], opened: frozenset[str]) -> dict[str, float]:
    """What each unheard DER counts for: nothing behind a contact that is seen open."""
    if not closed_w:
        return closed_w
    contacts = {plant.name: plant.contact for plant in settings.ders}
    return {name: 0.0 if contacts[name] in opened else most_w for name, most_w in closed_w.items()}


def proven_open(image: Image, now_s: float) -> frozenset[str]:
    """Contacts that are seen open now; it says nothing once they are told to close."""
    return frozenset(
        output.name for output in image.outputs if output.closed.fresh(now_s, OPEN_PROOF_S) == 0.0
    )


def _breaks(unheard_w: float, total_w: float) -> bool:
    return unheard_w > total_w + ISOLATION_TOLERANCE_W


def closing_breaks(
    settings: CoreSettings, closed_w: dict[str, float], total_w: float, rooms: tuple[PhaseRoom, ...]
) -> bool:
    """Whether closing would connect an unheard DER whose power breaks the sum at zero host load."""
    if not closed_w:
        return False
    if not _breaks(sum(closed_w.values()), total_w) and not any(
        _breaks(room.closed_w, room.blind_w) for room in rooms
    ):
        return False
    return any(plant.contact is not None and plant.name in closed_w for plant in settings.ders)


def isolated(
    settings: CoreSettings,
    fallback: Fallback,
    counted_w: dict[str, float],
    total_w: float,
    before: frozenset[str],
    rooms: tuple[PhaseRoom, ...],
) -> frozenset[str]:
    """Contacts to open: blind, and the power that unheard DERs may be making breaks the sum."""
    if not counted_w:
        return frozenset()
    contacts = frozenset(
        plant.contact for plant in settings.ders if plant.contact is not None and plant.name in counted_w
    )
    breaks = _breaks(sum(counted_w.values()), total_w) or any(
        _breaks(room.counted_w, room.blind_w) for room in rooms
    )
    if fallback.active and breaks:
        return contacts
    rules = settings.storage
    if rules.limits_import or rules.limits_export:
        # What unheard storage exchanges with the grid is not known, with sight of the PCC or without.
        before |= {plant.contact for plant in settings.ders if plant.stores and plant.contact is not None}
    return before & contacts
