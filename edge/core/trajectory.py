"""Where a DER's limit has been and is going: commands in flight, dead time and slope included.

A limit written at `t` starts to act at `t + dead time`; from then the DER's allowed level moves towards it at
the DER's slope. The level is the most that the DER can have been making at any instant of the near past.
"""

from __future__ import annotations

from dataclasses import dataclass

KEEP_S = 5.0
"""Commands older than this are folded into the base: longer than any meter's latency and averaging."""


@dataclass(frozen=True, slots=True)
class Trajectory:
    """A level at `at_s` moving towards `goal_w`, and later goals with the times at which they take effect."""

    at_s: float
    level_w: float
    goal_w: float
    slope_w_per_s: float
    goals: tuple[tuple[float, float], ...] = ()


def level_at(path: Trajectory, t_s: float) -> float:
    """The allowed level in W at monotonic time `t_s` (the base level before the base's time)."""
    here_s, level_w, goal_w = path.at_s, path.level_w, path.goal_w
    for effective_s, next_w in path.goals:
        if effective_s > t_s:
            break
        level_w = _moved(level_w, goal_w, (effective_s - here_s) * path.slope_w_per_s)
        here_s, goal_w = effective_s, next_w
    return _moved(level_w, goal_w, (t_s - here_s) * path.slope_w_per_s)


def level_span(path: Trajectory, from_s: float, to_s: float) -> tuple[float, float]:
    """The lowest and the highest level between two times."""
    levels = [level_at(path, from_s), level_at(path, to_s)]
    levels += [level_at(path, at_s) for at_s, _ in path.goals if from_s < at_s < to_s]
    return min(levels), max(levels)


def commanded(path: Trajectory, effective_s: float, limit_w: float) -> Trajectory:
    """The path with one more limit, taking effect at `effective_s`."""
    last_w = path.goals[-1][1] if path.goals else path.goal_w
    if limit_w == last_w:
        return path
    return Trajectory(
        path.at_s, path.level_w, path.goal_w, path.slope_w_per_s, (*path.goals, (effective_s, limit_w))
    )


def anchored(path: Trajectory, at_s: float, level_w: float) -> Trajectory:
    """The path corrected by a measurement: at `at_s` the level was `level_w`; later goals stay in flight."""
    goal_w = path.goal_w
    later: list[tuple[float, float]] = []
    for effective_s, next_w in path.goals:
        if effective_s <= at_s:
            goal_w = next_w
        else:
            later.append((effective_s, next_w))
    return Trajectory(at_s, level_w, goal_w, path.slope_w_per_s, tuple(later))


def pruned(path: Trajectory, now_s: float) -> Trajectory:
    """The path with what happened before `now_s - KEEP_S` folded into its base."""
    if not path.goals or path.goals[0][0] > now_s - KEEP_S:
        return path
    return anchored(path, now_s - KEEP_S, level_at(path, now_s - KEEP_S))


def _moved(level_w: float, goal_w: float, most_w: float) -> float:
    if most_w <= 0:
        return level_w
    return max(goal_w, level_w - most_w) if goal_w < level_w else min(goal_w, level_w + most_w)
