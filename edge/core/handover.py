"""What one DER is to lose, another one gets when it is gone: limits that go up wait for those that come down.

Limits are shared anew at each scan, and in sum they are within every ceiling. What the DERs make is not, while one that
was told less is slow to come down and another one is quick to take its place: a cap on one DER would be an excursion.
"""

from __future__ import annotations

from edge.core.settings import CoreSettings
from edge.core.track import Track, output_span
from edge.core.trajectory import goal_w


def handed_over(
    boundaries: tuple[tuple[CoreSettings, float], ...],
    tracks: tuple[Track, ...],
    limits_w: dict[str, float],
    export_w: float,
    now_s: float,
) -> dict[str, float]:
    """`limits_w`, in place: what goes up does so by no more than what the others may be making leaves.

    Nothing is held below its last limit, nor storage to absorbing. Where all limits go up, nothing is handed over.

    Args:
        boundaries: The settings of each boundary, the site as a whole first, with its ceiling for the DERs that answer.
        tracks: All DERs, as in the settings.
        limits_w: The new limits of those that answer.
        export_w: The export last seen.
        now_s: Monotonic time of the scan.
    """
    (whole, _), *_ = boundaries
    ders = whole.ders
    before_w = {plant.name: max(0.0, goal_w(track.late)) for plant, track in zip(ders, tracks, strict=True)}
    rises_w = {
        name: limit_w - before_w[name] for name, limit_w in limits_w.items() if limit_w > before_w[name]
    }
    if not rises_w or len(rises_w) == len(limits_w):
        return limits_w
    # What a riser stands at, and what any other may be making still.
    taken_w = {
        plant.name: before_w[plant.name]
        if plant.name in rises_w
        else max(limits_w[plant.name], output_span(track, plant, now_s, now_s, export_w)[1])
        for plant, track in zip(ders, tracks, strict=True)
        if plant.name in limits_w
    }
    part = min(_part(settings, ceiling_w, taken_w, rises_w) for settings, ceiling_w in boundaries)
    least_w = {plant.name: plant.min_w for plant in ders}
    for name, rise_w in rises_w.items():
        limit_w = limits_w[name] - (1.0 - part) * rise_w
        limits_w[name] = limit_w if limit_w >= least_w[name] else before_w[name]
    return limits_w


def _part(
    settings: CoreSettings, ceiling_w: float, taken_w: dict[str, float], rises_w: dict[str, float]
) -> float:
    """The part of all that would go up for which a boundary has room now."""
    room_w, asked_w = ceiling_w, 0.0
    for plant in settings.ders:
        room_w -= plant.share * taken_w.get(plant.name, 0.0)
        asked_w += plant.share * rises_w.get(plant.name, 0.0)
    room_w = max(0.0, room_w)
    return 1.0 if asked_w <= room_w else room_w / asked_w
