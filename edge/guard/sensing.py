"""Lost sensing: an armed element that is blind operates, unless the DERs prove that nothing can happen."""

from __future__ import annotations

from edge.guard.settings import GuardSettings
from edge.model.image import Image


def proven_safe(settings: GuardSettings, image: Image, lost_s: float, now_s: float) -> bool:
    """Whether export is within the limit even at zero host load, by powers measured since the loss.

    True when every DER's output was measured after `lost_s` and lately, and their sum with the unmanaged
    nameplate added does not exceed the export limit.
    """
    total_w = settings.unmanaged_w
    since_s = max(lost_s, _lately_s(settings, now_s))
    for der in image.ders:
        output_w = der.output_w.since(since_s)
        if output_w is None:
            return False
        total_w += max(0.0, output_w)
    return total_w <= settings.export_limit_w


def verified_zero(settings: GuardSettings, image: Image, now_s: float) -> float | None:
    """The oldest time of the measurements that show every DER to make nothing now, or None if they do not.

    Nothing is below 1 % of nameplate. The 32F element is blocked while this holds: an import above pickup
    cannot be promised at low load.
    """
    proven_s, since_s = now_s, _lately_s(settings, now_s)
    for der, known in zip(image.ders, settings.ders, strict=True):
        output_w = der.output_w.since(since_s)
        if output_w is None or output_w > 0.01 * known.nameplate_w:
            return None
        proven_s = min(proven_s, der.output_w.oldest_s)
    return proven_s if settings.unmanaged_w == 0.0 else None


def _lately_s(settings: GuardSettings, now_s: float) -> float:
    """A proof holds for less than the delay, as a sample below pickup does: what rises after it clears in time."""
    return now_s - (settings.lost_sensing_s or 0.0)
