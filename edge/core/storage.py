"""What storage may give and take now: every mode and ability of a PCS as two numbers for the sum of storage.

Storage serves the site's net load: host load less what everything else generates. Giving no more than that, it sends
nothing to the grid; taking no more than what others leave over, it takes nothing from it. What was agreed comes on top,
and the margin that the limiter keeps comes off. Both numbers go down at once and up by ramp.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

from edge.core.limiter import Limiter, moved, target_w
from edge.core.settings import CoreSettings, DerPlant
from edge.core.track import Track, output_span
from edge.core.trajectory import goal_w
from edge.model.image import PccReading
from edge.model.storage_rules import StorageRules

ROOM = 0.02
"""Of nameplate: what is left to a generator above its output, so that it can show that it has more."""
FORGET_PER_S = 0.002
"""Of nameplate: how fast the output that a curtailed generator once had ceases to be asked room for."""
PROBE_AFTER_S = 20.0
"""A generator that had no more to give is not tried again for this long."""
SMOOTHING = 1.0 / 8.0
"""Weight of one sample in the net load while it differs by no more than the margin."""
FOLLOWS = 0.02
"""Of nameplate: storage that absorbs this much less than it was told to follows."""
PATIENCE_S = 5.0
"""Storage that does not follow an order to absorb for this long is taken for full,"""
FULL_FOR_S = 60.0
"""and asked again after this long: not every unit tells its state of charge."""
TURN = 0.5
"""Of the margin: a set-point follows the net load when that has moved by more."""


@dataclass(frozen=True, slots=True)
class Storage:
    """`net_w`: the site's load without storage. `discharge_w` and `charge_w`: what all storage may give and take.

    `serve_w` is what storage that the gateway operates serves: the net load, but for its noise. `wanted_w` is what
    each DER, were it not limited, would give, and `content_s` when it last made less than it might; `at_s` the last
    scan. `follows_s` is when each last absorbed as it was told to, and until `full_s` it is taken for full.
    """

    at_s: float
    wanted_w: tuple[float, ...]
    content_s: tuple[float, ...]
    follows_s: tuple[float, ...]
    full_s: tuple[float, ...]
    net_w: float | None = None
    discharge_w: float = 0.0
    charge_w: float = 0.0
    serve_w: float = 0.0


def storage_start(settings: CoreSettings, now_s: float) -> Storage:
    """Nothing is known of what generation would give, and storage may do nothing yet."""
    wanted_w = tuple(plant.nameplate_w for plant in settings.ders)
    since_s = (now_s,) * len(wanted_w)
    return Storage(now_s, wanted_w, since_s, since_s, since_s)


def allowed_w(
    rules: StorageRules, net_w: float, margin_w: float, aim_w: float, probe_w: float = 0.0
) -> tuple[float, float]:
    """The most that all storage may give and take at a net load of `net_w`, in W.

    Where neither the grid may charge storage nor export pass `aim_w`, a charge between both would have to be met to
    the watt: charging then comes first by as much as the two margins overlap, and by `probe_w`, without which
    generation that is held down to the load could never show that it has more.
    """
    overlap_w = 2 * margin_w - rules.import_w - aim_w
    overlap_w = overlap_w + probe_w if overlap_w > 0.0 else 0.0
    left_over_w = max(0.0, -net_w, overlap_w - net_w)
    discharge_w = max(0.0, net_w) + rules.export_w - margin_w
    charge_w = min(left_over_w + rules.import_w, rules.site_import_w - net_w) - margin_w
    return max(0.0, discharge_w), max(0.0, charge_w)


def storage_step(
    settings: CoreSettings,
    state: Storage,
    before: Limiter,
    limiter: Limiter,
    tracks: tuple[Track, ...],
    lost: frozenset[str],
    pcc: PccReading,
    now_s: float,
) -> Storage:
    """Advance one scan; a new PCC sample is one that the limiter has used. Storage that is `lost` counts as load."""
    wanted_w = tuple(
        _wanted_w(plant, track, was_w, now_s - state.at_s)
        for plant, track, was_w in zip(settings.ders, tracks, state.wanted_w, strict=True)
    )
    content_s = tuple(
        was_s if track.weather_w is None else now_s
        for track, was_s in zip(tracks, state.content_s, strict=True)
    )
    orders = [
        _ordered(plant, track, follows_s, full_s, now_s)
        for plant, track, follows_s, full_s in zip(
            settings.ders, tracks, state.follows_s, state.full_s, strict=True
        )
    ]
    state = replace(
        state,
        at_s=now_s,
        wanted_w=wanted_w,
        content_s=content_s,
        follows_s=tuple(order[0] for order in orders),
        full_s=tuple(order[1] for order in orders),
    )
    if limiter.sequence == before.sequence or limiter.export_w is None:
        return state
    low_w = high_w = -limiter.export_w
    from_s, to_s = pcc.export_w.oldest_s - settings.command_s, pcc.export_w.newest_s
    for track, plant in zip(tracks, settings.ders, strict=True):
        if plant.stores and plant.name not in lost:
            least_w, most_w = output_span(track, plant, from_s, to_s, limiter.export_w)
            low_w += least_w
            high_w += most_w
    aim_w = target_w(settings, limiter.noise)
    margin_w = settings.ceiling_w - aim_w
    net_w = _followed(state.net_w, low_w, high_w, margin_w)
    probe_w = sum(
        ROOM * plant.nameplate_w
        for plant, since_s in zip(settings.ders, content_s, strict=True)
        if not plant.stores and now_s - since_s > PROBE_AFTER_S
    )
    discharge_w, charge_w = allowed_w(settings.storage, net_w, margin_w, aim_w, probe_w)
    rise_w = settings.ramp_up_w_per_s * max(0.0, now_s - before.used_s)
    return replace(
        state,
        net_w=net_w,
        discharge_w=_moved(state.discharge_w, discharge_w, margin_w, rise_w),
        charge_w=_moved(state.charge_w, charge_w, margin_w, rise_w),
        serve_w=net_w if abs(net_w - state.serve_w) > TURN * margin_w else state.serve_w,
    )


def absorbed_w(plant: DerPlant, track: Track, now_s: float) -> float:
    """What storage absorbs, as far as it was measured to lately."""
    if track.last_w is None or now_s - track.seen_s > plant.unseen_s:
        return 0.0
    return max(0.0, -track.last_w)


def _ordered(
    plant: DerPlant, track: Track, follows_s: float, full_s: float, now_s: float
) -> tuple[float, float]:
    """When storage last absorbed as it was told to, and until when it is taken for full."""
    short_w = (track.last_w or 0.0) - goal_w(track.late)
    if goal_w(track.late) >= 0.0 or short_w <= FOLLOWS * plant.nameplate_w:
        return now_s, full_s
    if now_s - follows_s <= PATIENCE_S:
        return follows_s, full_s
    return now_s, now_s + FULL_FOR_S


def _wanted_w(plant: DerPlant, track: Track, was_w: float, passed_s: float) -> float:
    """What a DER would give if it might: what it shows and some room, or what it had before it was held down."""
    if track.last_w is None:
        return plant.nameplate_w
    shown_w = max(0.0, track.last_w) + ROOM * plant.nameplate_w
    if track.weather_w is None:
        shown_w = max(shown_w, was_w - FORGET_PER_S * plant.nameplate_w * passed_s)
    return min(shown_w, plant.nameplate_w)


def _followed(net_w: float | None, low_w: float, high_w: float, margin_w: float) -> float:
    """The net load after a sample that proves it to lie between two: what is not contradicted stays, noise averages."""
    if net_w is None:
        return high_w
    proven_w = min(max(net_w, low_w), high_w)
    return net_w + (1.0 if abs(proven_w - net_w) > margin_w else SMOOTHING) * (proven_w - net_w)


def _moved(now_w: float, wanted_w: float, margin_w: float, rise_w: float) -> float:
    return wanted_w if math.isinf(wanted_w) else moved(now_w, wanted_w, margin_w, rise_w)
