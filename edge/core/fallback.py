"""Fallback: without sight of the PCC, DER output in sum stays where export cannot pass at zero host load."""

from __future__ import annotations

from dataclasses import dataclass, replace

from edge.core.settings import CoreSettings, DerPlant
from edge.model.image import DerReading, Image, PccReading

VERIFIED_TOLERANCE = 0.005
"""Of nameplate in sum: a read-back this close above is verified (rounding of percent registers)."""


@dataclass(frozen=True, slots=True)
class Fallback:
    """`active` since `since_s`; `sighted_s`: sight of the PCC without a gap since then.

    `starting` holds until the first way out: the first action after a start never loosens what devices hold.
    """

    active: bool
    since_s: float
    sighted_s: float | None = None
    starting: bool = False
    count: int = 0


def fallback_total_w(settings: CoreSettings, aim_w: float) -> float:
    """What all DERs together may make when the host load may be zero."""
    return max(0.0, aim_w - settings.unmanaged_w)


def fallback_step(
    settings: CoreSettings,
    state: Fallback,
    image: Image,
    lost: frozenset[str],
    allowed_w: float,
    now_s: float,
    *,
    forced: bool,
    phases_w: tuple[float, ...] = (),
) -> Fallback:
    """Advance one scan.

    It is entered when the PCC sample is stale or the guard forces it, and left only with sight held for the
    hold time and the limits of the DERs that answer (all but `lost`) verified to keep within `allowed_w` in sum, and
    within `phases_w` on each limited phase.
    """
    sighted = not forced and _seen(settings, image.pcc, now_s)
    if sighted and settings.phases:
        sighted = all(_seen(phase, image.pcc, now_s) for phase in settings.phases)
    if not sighted:
        if state.active:
            return replace(state, sighted_s=None)
        return Fallback(active=True, since_s=now_s, count=state.count + 1)
    if not state.active:
        return state
    sighted_s = now_s if state.sighted_s is None else state.sighted_s
    held = now_s - sighted_s >= settings.fallback_hold_s
    if held and all(
        _verified(boundary, image, lost, within_w, state.since_s)
        for boundary, within_w in zip((settings, *settings.phases), (allowed_w, *phases_w), strict=True)
    ):
        return Fallback(active=False, since_s=now_s, count=state.count)
    return replace(state, sighted_s=sighted_s)


def _seen(boundary: CoreSettings, pcc: PccReading, now_s: float) -> bool:
    """Whether everything that is limited on a boundary was measured lately."""
    if pcc.power_w(boundary.phase).fresh(now_s, boundary.stale_s) is None:
        return False
    return (
        boundary.limit_va is None or pcc.power_var(boundary.phase).fresh(now_s, boundary.stale_s) is not None
    )


def _verified(
    settings: CoreSettings, image: Image, lost: frozenset[str], allowed_w: float, since_s: float
) -> bool:
    """Whether the limits read back after `since_s` from the DERs that answer keep their sum within `allowed_w`."""
    held_w = 0.0
    for der, plant in zip(image.ders, settings.ders, strict=True):
        if der.name in lost:
            continue
        limit_w = der.limit_w.since(since_s)
        if limit_w is None:
            return False
        if settings.storage.limits_import and plant.stores and not _takes_nothing(der, plant, since_s):
            return False
        held_w += plant.share * max(0.0, limit_w)
    return held_w <= allowed_w + VERIFIED_TOLERANCE * settings.nameplate_w


def _takes_nothing(der: DerReading, plant: DerPlant, since_s: float) -> bool:
    """Whether storage was seen after `since_s` to hold that it may not charge, which is so without sight."""
    floor_w = der.floor_w.since(since_s)
    return floor_w is not None and floor_w >= -VERIFIED_TOLERANCE * plant.nameplate_w
