"""What one DER made, and may be making: its limit's path held against its measured output."""

from __future__ import annotations

from dataclasses import dataclass, replace

from edge.core.settings import DerPlant
from edge.core.trajectory import Trajectory, anchored, commanded, level_at, level_span, pruned
from edge.model.image import DerReading

BAND = 0.01
"""Of nameplate: an output this close below its settled limit is held down by the limit, not by the weather."""


@dataclass(frozen=True, slots=True)
class Track:
    """One DER's path, and how its last settled measurement stood to it.

    `below_w` is how far a curtailed DER stays under its limit (rounding, losses). `weather_w` is the measured
    output of a DER that makes less than it may, else None. `last_w` is the last measured output.
    """

    path: Trajectory
    seen_s: float = float("-inf")
    below_w: float = 0.0
    weather_w: float | None = None
    last_w: float | None = None
    sent_w: float | None = None


def new_track(plant: DerPlant, now_s: float) -> Track:
    """A DER of which nothing is known: it may be at nameplate."""
    return Track(Trajectory(now_s, plant.nameplate_w, plant.nameplate_w, plant.slope_w_per_s))


def observed(track: Track, plant: DerPlant, reading: DerReading, now_s: float) -> Track:
    """The track after this scan's reading of the DER, if that is a new one."""
    track = replace(track, path=pruned(track.path, now_s))
    output_w = reading.output_w.since(track.seen_s)
    if output_w is None:
        return track
    from_s, to_s = reading.output_w.oldest_s, reading.output_w.newest_s
    low_w, high_w = level_span(track.path, from_s - 0.1, to_s)
    path = track.path
    if output_w > high_w:
        path = anchored(path, to_s, min(output_w, plant.nameplate_w))
    below_w, weather_w = track.below_w, track.weather_w
    if low_w == high_w:
        gap_w = high_w - output_w
        curtailed = gap_w <= BAND * plant.nameplate_w
        below_w = max(0.0, gap_w) if curtailed else 0.0
        weather_w = None if curtailed else output_w
    return replace(
        track, path=path, seen_s=from_s, below_w=below_w, weather_w=weather_w, last_w=max(0.0, output_w)
    )


def output_span(track: Track, from_s: float, to_s: float) -> tuple[float, float]:
    """The least and the most the DER can have made between two times, as far as the model knows."""
    low_w, high_w = level_span(track.path, from_s, to_s)
    if track.weather_w is not None:
        return min(low_w, track.weather_w), min(high_w, track.weather_w)
    return max(0.0, low_w - track.below_w), max(0.0, high_w - track.below_w)


def sent(track: Track, plant: DerPlant, limit_w: float, now_s: float, command_s: float) -> Track:
    """The track after `limit_w` was commanded at `now_s`."""
    path = commanded(track.path, now_s + plant.dead_time_s + command_s / 2, limit_w)
    return replace(track, path=path, sent_w=limit_w)


def expected_w(track: Track, at_s: float) -> float:
    """The level the DER is allowed at `at_s` by what was commanded."""
    return level_at(track.path, at_s)
