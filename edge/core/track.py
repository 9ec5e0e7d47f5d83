"""What one DER made, and may be making: its limit's paths held against its measured output.

How fast a DER answers is known only within bounds (`edge.core.pace`), so its level is an interval: between the path
of the quickest answer that they allow and that of the slowest.
"""

from __future__ import annotations

from typing import NamedTuple

from edge.core.pace import AROUND, QUICK, TAIL_S, lags, learnt
from edge.core.settings import DerPlant
from edge.core.trajectory import Trajectory, anchored, commanded, level_at, level_span, pruned, tailed
from edge.model.image import DerReading
from edge.model.sample import Quality, Sample

BAND = 0.01
"""Of nameplate: an output this close below its settled limit is held down by the limit, not by the weather."""
EARLY_S = 0.5
"""A DER may be this much ahead of its model or behind it: an output lower than that explains is the weather's."""


class Track(NamedTuple):
    """One DER's paths, and how its last settled measurement stood to them.

    `early` is its path if it answers as quickly as it may, `late` if as slowly. `below_w` is how far a curtailed DER stays under its limit (rounding, losses). `weather_w` is the measured
    output of a DER that makes less than it may, else None. `last_w` is the last measured output, and
    `export_w` the export shown before it. `unproven`:
    the highest limit sent since each of some times, as far as no later read-back ruled it out; falling.
    """

    early: Trajectory
    late: Trajectory
    seen_s: float = float("-inf")
    below_w: float = 0.0
    weather_w: float | None = None
    last_w: float | None = None
    export_w: float | None = None
    unproven: tuple[tuple[float, float], ...] = ()
    slow: float = AROUND
    lag: bool = False

    def on(self, early: Trajectory, late: Trajectory, unproven: tuple[tuple[float, float], ...]) -> Track:
        """The same on other paths."""
        return Track(
            early,
            late,
            self.seen_s,
            self.below_w,
            self.weather_w,
            self.last_w,
            self.export_w,
            unproven,
            self.slow,
            self.lag,
        )


def new_track(plant: DerPlant, now_s: float) -> Track:
    """A DER of which nothing is known: it may be at nameplate."""
    top_w, slope_w_per_s = plant.nameplate_w, plant.slope_w_per_s
    return Track(
        Trajectory(now_s, top_w, top_w, slope_w_per_s / QUICK),
        Trajectory(now_s, top_w, top_w, slope_w_per_s / AROUND),
    )


def observed(
    track: Track, plant: DerPlant, reading: DerReading, now_s: float, export_w: float | None
) -> Track:
    """The track after this scan's reading of the DER, if that is a new one; `export_w` is the sample before it."""
    early, late = track.early, track.late
    unproven = _unproven(track.unproven, reading.limit_w)
    output_w = reading.output_w.since(track.seen_s)
    if output_w is None:
        return track if unproven is track.unproven else track.on(early, late, unproven)
    from_s, to_s = reading.output_w.oldest_s, reading.output_w.newest_s
    low_w, high_w = levels(track, from_s - 0.1, to_s)
    least_w, most_w = levels(track, from_s - EARLY_S, to_s + EARLY_S)
    still = low_w == high_w == least_w == most_w
    band_w = BAND * plant.nameplate_w
    below_w, weather_w, slow, lag = track.below_w, track.weather_w, track.slow, track.lag
    goal_w = _last_goal_w(late)
    falls = not still and goal_w < level_at(late, to_s)
    if falls and weather_w is None and output_w >= goal_w - band_w:
        slow = _slow(track, plant, output_w, (from_s + to_s) / 2)
    elif output_w >= low_w - band_w:
        weather_w, falls = None, False
    elif still or weather_w is not None or output_w < least_w - band_w:
        weather_w, falls = output_w, False
    if still:
        below_w = 0.0 if weather_w is not None else max(0.0, high_w - output_w)
    if falls or output_w > high_w:
        # It has shown where it is.
        lag = _lags(track, plant, output_w, (from_s + to_s) / 2)
        at_w = min(output_w, plant.nameplate_w)
        early = anchored(pruned(early, now_s), from_s, at_w, plant.slope_w_per_s / QUICK)
        late = anchored(
            pruned(late, now_s), to_s, at_w, plant.slope_w_per_s / slow, TAIL_S * slow if lag else 0.0
        )
    last_w = max(-plant.charge_w, output_w)
    return Track(early, late, from_s, below_w, weather_w, last_w, export_w, unproven, slow, lag)


def _slow(track: Track, plant: DerPlant, output_w: float, at_s: float) -> float:
    """The factor of its slowest answer after an output on its way down, where its paths are far enough apart to tell."""
    early_w, straight_w = level_at(track.early, at_s), level_at(tailed(track.late, 0.0), at_s)
    behind_w, band_w = output_w - level_at(track.late, at_s), BAND * plant.nameplate_w
    apart_w = straight_w - early_w
    if max(apart_w, behind_w) < 2 * band_w:
        return track.slow
    share = (output_w - early_w) / max(apart_w, band_w)
    return learnt(track.slow, share if behind_w > band_w else min(share, 1.0))


def _lags(track: Track, plant: DerPlant, output_w: float, at_s: float) -> bool:
    """Whether it comes to its goal by a lag, after an output on its way there."""
    goal_w = _last_goal_w(track.late)
    straight_w, lagging_w = (
        level_at(tailed(track.late, tail_s), at_s) - goal_w for tail_s in (0.0, TAIL_S * track.slow)
    )
    return lags(track.lag, output_w - goal_w, straight_w, lagging_w, BAND * plant.nameplate_w)


def levels(track: Track, from_s: float, to_s: float) -> tuple[float, float]:
    """The lowest and the highest level of either path between two times."""
    one_w, other_w = level_span(track.early, from_s, to_s), level_span(track.late, from_s, to_s)
    return min(one_w[0], other_w[0]), max(one_w[1], other_w[1])


def output_span(
    track: Track, plant: DerPlant, from_s: float, to_s: float, export_w: float
) -> tuple[float, float]:
    """The least and the most the DER can have made between two times, as far as the model knows.

    What the weather held down when it was measured may have come back since: no faster than its slope, and by no
    more than the export, now `export_w`, has risen.
    """
    low_w, high_w = levels(track, from_s, to_s)
    if plant.stores:
        # What it was told to absorb counts for its highest output only as far as it was measured to.
        high_w = max(high_w, min(track.last_w or 0.0, 0.0))
    if to_s - track.seen_s > plant.unseen_s:
        return -plant.charge_w, high_w
    if track.weather_w is not None:
        back_w = plant.slope_w_per_s * max(0.0, to_s - track.seen_s)
        if track.export_w is not None:
            back_w = min(back_w, max(0.0, export_w - track.export_w))
        return min(low_w, track.weather_w), min(high_w, track.weather_w + back_w)
    return max(-plant.charge_w, low_w - track.below_w), max(-plant.charge_w, high_w - track.below_w)


def sent(track: Track, plant: DerPlant, limit_w: float, now_s: float, command_s: float) -> Track:
    """The track after `limit_w` was commanded at `now_s`; it is on the wire within `command_s`."""
    if track.unproven and track.unproven[-1][1] == limit_w == _last_goal_w(track.late):
        return track
    higher = [item for item in track.unproven if item[1] > limit_w]
    since_s = track.unproven[len(higher)][0] if len(higher) < len(track.unproven) else now_s
    early, late = pruned(track.early, now_s), pruned(track.late, now_s)
    if 0.0 == limit_w < plant.min_w:
        # Below its minimum it is switched off: that may come at once, and along no slope.
        early = anchored(early, now_s, 0.0, early.slope_w_per_s)
    return track.on(
        commanded(early, now_s + plant.dead_time_s * QUICK, limit_w),
        commanded(late, now_s + plant.dead_time_s * track.slow + command_s, limit_w),
        (*higher, (since_s, limit_w)),
    )


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
