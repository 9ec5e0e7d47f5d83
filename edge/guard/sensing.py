"""Lost sensing: an armed element that is blind operates, unless the DERs prove that nothing can happen."""

from __future__ import annotations

from edge.guard.settings import GuardSettings
from edge.model.image import Image

NOTHING = 0.01
"""Of nameplate: a DER that makes or absorbs no more does nothing."""


def proven_safe(settings: GuardSettings, image: Image, lost_s: float, now_s: float) -> bool:
    """Whether there is nothing that opening would have to end, by powers that every DER showed after `lost_s` and lately.

    For elements that watch export: what the DERs make, with the unmanaged nameplate added, keeps export within the
    limit at zero host load, and what of it counts on each limited phase within that one; one that absorbs may stop,
    and counts for nothing. For those that watch import: no DER absorbs. An import of the host's own is none that
    opening could end, and what the DERs make only lowers it.
    """
    since_s = max(lost_s, _lately_s(settings, now_s))
    made_w, absorbs = [], False
    for der, known in zip(image.ders, settings.ders, strict=True):
        output_w = der.output_w.since(since_s)
        if output_w is None:
            return False
        made_w.append(max(0.0, output_w))
        absorbs = absorbs or output_w < -NOTHING * known.nameplate_w
    exports = any(not element.on_import for element in settings.elements)
    imports = any(element.on_import for element in settings.elements)
    return not (exports and _too_much(settings, made_w)) and not (imports and absorbs)


def _too_much(settings: GuardSettings, made_w: list[float]) -> bool:
    """Whether what the DERs make breaks a limit at zero host load: on the total, or one beside it."""
    if settings.unmanaged_w + sum(made_w) > settings.export_limit_w:
        return True
    return any(
        each.unmanaged_w + sum(part * power_w for part, power_w in zip(each.shares, made_w, strict=True))
        > each.safe_w
        for each in settings.sums
    )


def verified_zero(settings: GuardSettings, image: Image, now_s: float) -> float | None:
    """The oldest time of the measurements that show every DER to make nothing now, or None if they do not.

    Nothing is up to 1 % of nameplate. The 32F element is blocked while this holds: an import above pickup
    cannot be promised at low load.
    """
    proven_s, since_s = now_s, _lately_s(settings, now_s)
    for der, known in zip(image.ders, settings.ders, strict=True):
        output_w = der.output_w.since(since_s)
        if output_w is None or output_w > NOTHING * known.nameplate_w:
            return None
        proven_s = min(proven_s, der.output_w.oldest_s)
    return proven_s if settings.unmanaged_w == 0.0 else None


def _lately_s(settings: GuardSettings, now_s: float) -> float:
    """A proof holds for less than the delay, as a sample below pickup does: what rises after it clears in time."""
    return now_s - (settings.lost_sensing_s or 0.0)
