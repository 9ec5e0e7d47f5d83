"""Fallback: without sight of the PCC, DER output in sum stays where export cannot pass at zero host load."""

from __future__ import annotations

from dataclasses import dataclass, replace

from edge.core.settings import CoreSettings
from edge.model.image import Image

VERIFIED_TOLERANCE = 0.005
"""Of nameplate: a read-back this close above its share is verified (rounding of percent registers)."""


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
    shares_w: dict[str, float],
    now_s: float,
    *,
    forced: bool,
) -> Fallback:
    """Advance one scan.

    It is entered when the PCC sample is stale or the guard forces it, and left only with sight held for the
    hold time and every DER's limit (of those in `shares_w`) verified at or below its share.
    """
    sighted = image.pcc.export_w.fresh(now_s, settings.stale_s) is not None and not forced
    if not sighted:
        if state.active:
            return replace(state, sighted_s=None)
        return Fallback(active=True, since_s=now_s, count=state.count + 1)
    if not state.active:
        return state
    sighted_s = now_s if state.sighted_s is None else state.sighted_s
    held = now_s - sighted_s >= settings.fallback_hold_s
    if held and _verified(settings, image, shares_w):
        return Fallback(active=False, since_s=now_s, count=state.count)
    return replace(state, sighted_s=sighted_s)


def _verified(settings: CoreSettings, image: Image, shares_w: dict[str, float]) -> bool:
    for der, plant in zip(image.ders, settings.ders, strict=True):
        if der.name not in shares_w:
            continue
        allowed_w = shares_w[der.name] + VERIFIED_TOLERANCE * plant.nameplate_w
        if der.limit_w.otherwise(float("inf")) > allowed_w:
            return False
    return True
