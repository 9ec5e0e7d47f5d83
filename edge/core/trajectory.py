"""Where a DER's limit has been and is going: commands in flight, dead time and slope included.

A limit written at `t` starts to act at `t + dead time`; from then the DER's allowed level moves towards it at
the DER's slope. The level is the most that the DER can have been making at any instant of the near past.
"""

from __future__ import annotations

import math
from typing import NamedTuple

KEEP_S = 5.0
"""Commands older than this are folded into the base: longer than any meter's latency and averaging."""
OVER = 0.01
"""Of where a tail begins: what is left then is over, and the goal is reached."""


class Trajectory(NamedTuple):
    """A level at `at_s` moving towards `goal_w`, and the later goals.

    It moves by the slope, and no faster than a lag of time constant `tail_s` would.

    Each of `goals` is the time at which it takes effect, the level reached by then, and the goal itself: so the
    level at any time is one step from the last goal before it.
    """

    at_s: float
    level_w: float
    goal_w: float
    slope_w_per_s: float
    goals: tuple[tuple[float, float, float], ...] = ()
    tail_s: float = 0.0


def level_at(path: Trajectory, t_s: float) -> float:
    """The allowed level in W at monotonic time `t_s` (the base level before the base's time)."""
    for effective_s, level_w, goal_w in reversed(path.goals):
        if effective_s <= t_s:
            return _moved(path, level_w, goal_w, t_s - effective_s)
    return _moved(path, path.level_w, path.goal_w, t_s - path.at_s)


def level_span(path: Trajectory, from_s: float, to_s: float) -> tuple[float, float]:
    """The lowest and the highest level between two times."""
    low_w = high_w = level_at(path, to_s)
    begun_s, first_w, next_w = path.at_s, path.level_w, path.goal_w
    for effective_s, level_w, goal_w in reversed(path.goals):
        if effective_s <= from_s:
            begun_s, first_w, next_w = effective_s, level_w, goal_w
            break
        if effective_s < to_s:
            low_w, high_w = min(low_w, level_w), max(high_w, level_w)
    first_w = _moved(path, first_w, next_w, from_s - begun_s)
    return min(low_w, first_w), max(high_w, first_w)


def goal_w(path: Trajectory) -> float:
    """Where the path is going in the end: the last limit that was sent."""
    return path.goals[-1][2] if path.goals else path.goal_w


def commanded(path: Trajectory, effective_s: float, limit_w: float) -> Trajectory:
    """The path with one more limit, taking effect at `effective_s`."""
    last_w = path.goals[-1][2] if path.goals else path.goal_w
    if limit_w == last_w:
        return path
    goal = (effective_s, level_at(path, effective_s), limit_w)
    return Trajectory(
        path.at_s, path.level_w, path.goal_w, path.slope_w_per_s, (*path.goals, goal), path.tail_s
    )


def anchored(
    path: Trajectory, at_s: float, level_w: float, slope_w_per_s: float, tail_s: float = 0.0
) -> Trajectory:
    """The path corrected by a measurement: at `at_s` the level was `level_w`, and from then on it moves as told.

    What it was before stays as it was, and later goals stay in flight.
    """
    goal_w = path.goal_w
    kept: list[tuple[float, float, float]] = []
    later: list[tuple[float, float]] = []
    for goal in path.goals:
        if goal[0] <= at_s:
            goal_w = goal[2]
            kept.append(goal)
        else:
            later.append((goal[0], goal[2]))
    goals = (*kept, (at_s, level_w, goal_w))
    path = Trajectory(path.at_s, path.level_w, path.goal_w, slope_w_per_s, goals, tail_s)
    for effective_s, next_w in later:
        path = commanded(path, effective_s, next_w)
    return path


def tailed(path: Trajectory, tail_s: float) -> Trajectory:
    """The path with another tail."""
    return Trajectory(path.at_s, path.level_w, path.goal_w, path.slope_w_per_s, path.goals, tail_s)


def pruned(path: Trajectory, now_s: float) -> Trajectory:
    """The path with what happened before `now_s - KEEP_S` folded into its base."""
    since_s = now_s - KEEP_S
    if not path.goals or path.goals[0][0] > since_s:
        return path
    old = 0
    while old + 1 < len(path.goals) and path.goals[old + 1][0] <= since_s:
        old += 1
    effective_s, level_w, goal_w = path.goals[old]
    return Trajectory(effective_s, level_w, goal_w, path.slope_w_per_s, path.goals[old + 1 :], path.tail_s)


def _moved(path: Trajectory, level_w: float, goal_w: float, after_s: float) -> float:
    """Where a way from `level_w` to `goal_w` has come `after_s` later: by the slope, then by the tail."""
    if after_s <= 0 or level_w == goal_w:
        return level_w
    far_w = abs(goal_w - level_w)
    left_w, tail_w = far_w - path.slope_w_per_s * after_s, path.slope_w_per_s * path.tail_s
    if tail_w and left_w < tail_w:
        begun_w, over_w = min(far_w, tail_w), OVER * tail_w
        tailing_s = after_s - (far_w - begun_w) / path.slope_w_per_s
        left_w = (begun_w + over_w) * math.exp(-tailing_s / path.tail_s) - over_w
    if left_w <= 0:
        return goal_w
    return goal_w - left_w if goal_w > level_w else goal_w + left_w
