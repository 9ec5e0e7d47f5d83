"""Points in the plane of excursion energy and harvest, and who dominates whom. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from benchmarks.peers.run import Outcome


@dataclass(frozen=True, slots=True)
class Point:
    """Some runs of one contender together.

    `over_wh_per_h` is the energy of excursions in Wh for each kW of nameplate and hour, `harvest` the share of what
    could be generated within the limit, `longest_s` the longest excursion, `beyond_30` the share of runs with one above
    30 s, `writes_per_h` how often the limit was changed.
    """

    over_wh_per_h: float
    harvest: float
    longest_s: float
    beyond_30: float
    writes_per_h: float


def point(runs: Sequence[Outcome]) -> Point:
    """All of `runs` together."""
    hours = sum(run.hours for run in runs)
    return Point(
        over_wh_per_h=sum(run.over_wh for run in runs) / hours,
        harvest=sum(run.within_wh for run in runs) / sum(run.permitted_wh for run in runs),
        longest_s=max(run.longest_s for run in runs),
        beyond_30=sum(run.longest_s > 30.0 for run in runs) / len(runs),
        writes_per_h=sum(run.writes for run in runs) / hours,
    )


def at_least(one: Point, other: Point) -> bool:
    """Whether `one` is as good as `other` or better in both."""
    return one.over_wh_per_h <= other.over_wh_per_h and one.harvest >= other.harvest


def dominates(one: Point, other: Point) -> bool:
    """Whether `one` is as good as `other` in both, and better in at least one."""
    return at_least(one, other) and not at_least(other, one)


def front(points: Iterable[Point]) -> list[Point]:
    """Those that no other dominates."""
    every = list(points)
    return [one for one in every if not any(dominates(other, one) for other in every)]


def challenger(points: Sequence[Point], harvest: float) -> Point:
    """The one to set against somebody of this harvest: the least excursion energy among those that reach it.

    Where none reaches it, the one of the highest harvest.
    """
    reaching = [one for one in points if one.harvest >= harvest]
    if reaching:
        return min(reaching, key=lambda one: (one.over_wh_per_h, -one.harvest))
    return max(points, key=lambda one: (one.harvest, -one.over_wh_per_h))
