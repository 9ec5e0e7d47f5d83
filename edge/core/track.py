"""What one DER made, and may be making: its limit's path held against its measured output."""

from __future__ import annotations

from dataclasses import dataclass

from edge.core.settings import DerPlant
from edge.core.trajectory import Trajectory, anchored, commanded, level_span, pruned
from edge.model.image import DerReading
from edge.model.sample import Quality, Sample

BAND = 0.01
"""Of nameplate: an output this close below its settled limit is held down by the limit, not by the weather."""
EARLY_S = 0.5
"""A DER may be this much ahead of its model or behind it: an output lower than that explains is the weather's."""


@dataclass(frozen=True, slots=True)
class Track:
    """One DER's path, and how its last settled measurement stood to it.

    `below_w` is how far a curtailed DER stays under its limit (rounding, losses). `weather_w` is the measured
    output of a DER that makes less than it may, else None. `last_w` is the last measured output, and
    `export_w` the export shown before it. `unproven`:
    the highest limit sent since each of some times, as far as no later read-back ruled it out; falling.
    """

    path: Trajectory
    seen_s: float = float("-inf")
    below_w: float = 0.0
    weather_w: float | None = None
    last_w: float | None = None
    export_w: float | None = None
    unproven: tuple[tuple[float, float], ...] = ()


def new_track(plant: DerPlant, now_s: float) -> Track:
    """A DER of which nothing is known: it may be at nameplate."""
    return Track(Trajectory(now_s, plant.nameplate_w, plant.nameplate_w, plant.slope_w_per_s))


def observed(
    track: Track, plant: DerPlant, reading: DerReading, now_s: float, export_w: float | None
) -> Track:
    """The track after this scan's reading of the DER, if that is a new one; `export_w` is the sample before it."""
    path, unproven = pruned(track.path, now_s), _unproven(track.unproven, reading.limit_w)
    if path is not track.path or unproven != track.unproven:
        track = Track(
            path, track.seen_s, track.below_w, track.weather_w, track.last_w, track.export_w, unproven
        )
    output_w = reading.output_w.since(track.seen_s)
    if output_w is None:
        return track
    from_s, to_s = reading.output_w.oldest_s, reading.output_w.newest_s
    low_w, high_w = level_span(track.path, from_s - 0.1, to_s)
    if output_w > high_w:
        path = anchored(path, to_s, min(output_w, plant.nameplate_w))
    below_w, weather_w = track.below_w, track.weather_w
    if low_w == high_w:
        gap_w = high_w - output_w
        curtailed = gap_w <= BAND * plant.nameplate_w
        below_w = max(0.0, gap_w) if curtailed else 0.0
        weather_w = None if curtailed else output_w
    elif output_w < level_span(track.path, from_s - EARLY_S, to_s + EARLY_S)[0] - BAND * plant.nameplate_w:
        weather_w = output_w
    return Track(path, from_s, below_w, weather_w, max(0.0, output_w), export_w, unproven)


def output_span(
    track: Track, plant: DerPlant, from_s: float, to_s: float, export_w: float
) -> tuple[float, float]:
    """The least and the most the DER can have made between two times, as far as the model knows.

    What the weather held down when it was measured may have come back since: no faster than its slope, and by no
    more than the export, now `export_w`, has risen.
    """
    low_w, high_w = level_span(track.path, from_s, to_s)
    if to_s - track.seen_s > plant.unseen_s:
        return 0.0, high_w
    if track.weather_w is not None:
        back_w = plant.slope_w_per_s * max(0.0, to_s - track.seen_s)
        if track.export_w is not None:
            back_w = min(back_w, max(0.0, export_w - track.export_w))
        return min(low_w, track.weather_w), min(high_w, track.weather_w + back_w)
    return max(0.0, low_w - track.below_w), max(0.0, high_w - track.below_w)


def sent(track: Track, plant: DerPlant, limit_w: float, now_s: float, command_s: float) -> Track:
    """The track after `limit_w` was commanded at `now_s`."""
    if track.unproven and track.unproven[-1][1] == limit_w == _last_goal_w(track.path):
        return track
    path = commanded(track.path, now_s + plant.dead_time_s + command_s / 2, limit_w)
    higher = tuple(item for item in track.unproven if item[1] > limit_w)
    since_s = track.unproven[len(higher)][0] if len(higher) < len(track.unproven) else now_s
    unproven = (*higher, (since_s, limit_w))
    return Track(path, track.seen_s, track.below_w, track.weather_w, track.last_w, track.export_w, unproven)


def _last_goal_w(path: Trajectory) -> float:
    return path.goals[-1][2] if path.goals else path.goal_w


def most_sent_w(track: Track) -> float:
    """The highest limit that was sent and may be in the device; 0 when none was sent."""
    return track.unproven[0][1] if track.unproven else 0.0


def _unproven(unproven: tuple[tuple[float, float], ...], limit: Sample) -> tuple[tuple[float, float], ...]:
    """Without what was sent before a read-back, but for the last: that one may have been on its way."""
    if limit.quality is not Quality.GOOD:
        return unproven
    old = 0
    while old + 1 < len(unproven) and unproven[old + 1][0] < limit.oldest_s:
        old += 1
    return unproven[old:] if old else unproven
