"""Share a ceiling on the sum among the DERs: proportional to nameplate, what one may not take goes to others."""

from __future__ import annotations

from edge.core.settings import DerPlant


def proportional(total_w: float, ders: tuple[DerPlant, ...], caps_w: dict[str, float]) -> dict[str, float]:
    """Limits in W for each of `ders`, in sum at most `total_w`, none above its entry in `caps_w`.

    A share below a DER's minimum is 0: a lower limit would not be obeyed.
    """
    limits_w: dict[str, float] = {}
    rest_w = max(0.0, total_w)
    open_ders = sorted(ders, key=lambda der: caps_w[der.name] / der.nameplate_w)
    weight_w = sum(der.nameplate_w for der in open_ders)
    for der in open_ders:
        share_w = min(rest_w * der.nameplate_w / weight_w, caps_w[der.name], der.nameplate_w)
        share_w = share_w if share_w >= der.min_w else 0.0
        limits_w[der.name] = share_w
        rest_w -= share_w
        weight_w -= der.nameplate_w
    return limits_w
