"""Where a limit is on its way: dead time, slope, commands in flight, the fold of the past."""

from __future__ import annotations

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edge.core.trajectory import KEEP_S, OVER, Trajectory, anchored, commanded, level_at, level_span, pruned

STEP_S = 0.001


def walked(path: Trajectory, t_s: float) -> float:
    """The same by walking in small steps."""
    level_w, goal_w, goals = path.level_w, path.goal_w, list(path.goals)
    here_s = path.at_s
    while here_s < t_s - STEP_S / 2:
        while goals and goals[0][0] <= here_s + STEP_S / 2:
            goal_w = goals.pop(0)[2]
        most_w = path.slope_w_per_s * STEP_S
        far_w = abs(goal_w - level_w)
        if path.tail_s:
            over_w = OVER * path.slope_w_per_s * path.tail_s
            most_w = min(most_w, (far_w + over_w) * STEP_S / path.tail_s)
        level_w += math.copysign(min(most_w, far_w), goal_w - level_w)
        here_s += STEP_S
    return level_w


@pytest.mark.parametrize(
    ("t_s", "level_w"),
    [(0.0, 100.0), (1.0, 100.0), (1.2, 100.0), (1.3, 90.0), (1.7, 50.0), (2.0, 50.0), (9.0, 50.0)],
)
def test_dead_time_then_slope_then_still(t_s: float, level_w: float) -> None:
    path = commanded(Trajectory(0.0, 100.0, 100.0, 100.0), 1.2, 50.0)
    assert level_at(path, t_s) == pytest.approx(level_w)


@pytest.mark.parametrize(("t_s", "level_w"), [(1.0, 0.0), (1.5, 50.0), (1.6, 60.0), (1.7, 50.0), (2.2, 0.0)])
def test_a_goal_that_overtakes_another(t_s: float, level_w: float) -> None:
    path = commanded(commanded(Trajectory(0.0, 0.0, 0.0, 100.0), 1.0, 80.0), 1.6, 0.0)
    assert level_at(path, t_s) == pytest.approx(level_w)


def test_before_its_base_the_level_is_the_base_s() -> None:
    for t_s in (4.0, 4.95, 5.0):
        assert level_at(Trajectory(5.0, 30.0, 90.0, 10.0), t_s) == 30.0


def test_the_same_limit_again_is_no_new_goal() -> None:
    path = Trajectory(0.0, 0.0, 7.0, 1.0)
    assert commanded(path, 1.0, 7.0) is path
    path = commanded(path, 1.0, 8.0)
    assert commanded(path, 2.0, 8.0) is path
    path = commanded(path, 2.0, 9.0)
    assert commanded(path, 3.0, 9.0) is path
    assert len(commanded(path, 3.0, 8.0).goals) == 3


def test_a_span_has_the_extremes_between_its_ends_too() -> None:
    path = commanded(commanded(Trajectory(0.0, 0.0, 0.0, 100.0), 1.0, 80.0), 1.6, 0.0)
    assert list(level_span(path, 1.2, 2.0)) == [pytest.approx(20.0), pytest.approx(60.0)]
    assert list(level_span(path, 1.6, 2.0)) == [pytest.approx(20.0), pytest.approx(60.0)]
    assert level_span(path, 0.0, 0.5) == (0.0, 0.0)
    dip = commanded(commanded(Trajectory(0.0, 40.0, 40.0, 100.0), 1.0, 0.0), 1.25, 80.0)
    assert level_span(dip, 1.0, 1.5) == (15.0, 40.0)


def test_an_anchor_keeps_what_is_still_in_flight() -> None:
    path = commanded(commanded(Trajectory(0.0, 0.0, 0.0, 10.0), 1.0, 5.0), 2.0, 50.0)
    found = anchored(path, 1.5, 30.0, 20.0)
    assert found.goals == ((1.0, 0.0, 5.0), (1.5, 30.0, 5.0), (2.0, 20.0, 50.0))
    assert found.slope_w_per_s == 20.0
    assert anchored(path, 2.0, 30.0, 10.0).goals == ((1.0, 0.0, 5.0), (2.0, 5.0, 50.0), (2.0, 30.0, 50.0))


def test_an_anchor_leaves_what_was_before_it() -> None:
    """A meter sample is older than the DER's answer: moved back in time, that answer made load out of nothing."""
    path = commanded(Trajectory(0.0, 0.0, 0.0, 10.0), 1.0, 50.0)
    found = anchored(path, 3.0, 40.0, 10.0)
    assert [level_at(found, t_s) for t_s in (0.5, 2.0, 2.9)] == [0.0, 10.0, pytest.approx(19.0)]
    assert [level_at(found, t_s) for t_s in (3.0, 3.5, 9.0)] == [40.0, 45.0, 50.0]


@pytest.mark.parametrize(
    ("t_s", "level_w"),
    [
        (0.0, 0.0),
        (0.25, 25.0),
        (0.5, 50.0),  # from here on it has less to go than the slope makes in half a second
        (0.51, 50.5 + 50.5 * (1 - math.exp(-0.02)) - 0.5),
        (1.0, 100.5 - 50.5 * math.exp(-1)),
        (2.8, 100.5 - 50.5 * math.exp(-4.6)),
        (2.81, 100.0),
        (9.0, 100.0),
    ],
)
def test_it_may_come_to_its_goal_by_a_lag(t_s: float, level_w: float) -> None:
    rising = commanded(Trajectory(-1.0, 0.0, 0.0, 100.0, tail_s=0.5), 0.0, 100.0)
    falling = commanded(Trajectory(-1.0, 100.0, 100.0, 100.0, tail_s=0.5), 0.0, 0.0)
    assert level_at(rising, t_s) == pytest.approx(level_w)
    assert level_at(falling, t_s) == pytest.approx(100.0 - level_w)


def test_a_way_shorter_than_the_tail_is_all_tail() -> None:
    path = commanded(Trajectory(-1.0, 60.0, 60.0, 100.0, tail_s=0.5), 0.0, 80.0)
    assert level_at(path, 0.5) == pytest.approx(80.5 - 20.5 * math.exp(-1))


def test_the_tail_stays_with_a_path_but_for_an_anchor_that_tells_another() -> None:
    path = commanded(Trajectory(0.0, 0.0, 0.0, 100.0, tail_s=0.5), 1.0, 80.0)
    assert (path.tail_s, pruned(path, 9.0).tail_s) == (0.5, 0.5)
    assert anchored(path, 1.5, 30.0, 90.0, 0.7).tail_s == 0.7
    assert anchored(path, 1.5, 30.0, 90.0).tail_s == 0.0


GOALS = st.lists(st.tuples(st.integers(0, 3000), st.integers(0, 100)), max_size=5)


@given(GOALS, st.integers(0, 4000), st.integers(1, 200), st.sampled_from([0.0, 0.1, 0.5, 2.0]))
@settings(max_examples=300, deadline=None, derandomize=True, database=None)
def test_it_is_what_walking_gives_and_folding_changes_nothing(
    goals: list[tuple[int, int]], t_ms: int, slope: int, tail_s: float
) -> None:
    path = Trajectory(0.0, 50.0, 50.0, float(slope), tail_s=tail_s)
    for at_ms, goal in sorted(goals):
        path = commanded(path, at_ms / 1000, float(goal))
    t_s = t_ms / 1000
    level_w = level_at(path, t_s)
    assert level_w == pytest.approx(walked(path, t_s), abs=2 * slope * STEP_S * (1 + OVER))
    assert 0.0 <= level_w <= 100.0
    now_s = KEEP_S + 1.7
    if t_s >= now_s - KEEP_S:
        assert level_at(pruned(path, now_s), t_s) == pytest.approx(level_w)


def test_the_fold_is_made_where_the_level_was_then() -> None:
    path = commanded(Trajectory(0.0, 0.0, 0.0, 10.0), 1.0, 50.0)
    folded = pruned(path, KEEP_S + 3.0)
    assert folded.goals == ()
    assert [level_at(folded, t_s) for t_s in (3.0, 4.0, 6.0, 9.0)] == [20.0, 30.0, 50.0, 50.0]


def test_only_goals_of_the_past_are_folded() -> None:
    path = commanded(Trajectory(0.0, 0.0, 0.0, 10.0), 1.0, 5.0)
    assert pruned(path, 1.0 + KEEP_S - 0.001) is path
    assert pruned(path, 1.0 + KEEP_S).goals == ()
    assert pruned(Trajectory(0.0, 0.0, 0.0, 10.0), 99.0).goals == ()


def test_the_past_is_kept_for_five_seconds() -> None:
    path = commanded(Trajectory(0.0, 0.0, 0.0, 10.0), 1.0, 5.0)
    assert pruned(path, 5.95) is path
    assert pruned(path, 6.0).goals == ()
    assert pruned(path, 6.05).goals == ()


def test_of_several_goals_those_of_the_past_are_folded_and_the_rest_stays() -> None:
    path = Trajectory(0.0, 0.0, 0.0, 10.0)
    for at_s, goal_w in [(1.0, 5.0), (2.0, 50.0), (3.0, 7.0), (9.0, 8.0)]:
        path = commanded(path, at_s, goal_w)
    assert path.goals == ((1.0, 0.0, 5.0), (2.0, 5.0, 50.0), (3.0, 15.0, 7.0), (9.0, 7.0, 8.0))
    for now_s, base, left in [
        (6.0, (1.0, 0.0, 5.0), 3),
        (6.9, (1.0, 0.0, 5.0), 3),
        (7.0, (2.0, 5.0, 50.0), 2),
        (8.0, (3.0, 15.0, 7.0), 1),
        (13.9, (3.0, 15.0, 7.0), 1),
        (14.0, (9.0, 7.0, 8.0), 0),
    ]:
        found = pruned(path, now_s)
        assert (found.at_s, found.level_w, found.goal_w) == base
        assert found.goals == path.goals[4 - left :]


@pytest.mark.parametrize(
    ("from_s", "to_s", "span_w"),
    [(0.0, 4.0, (0.0, 30.0)), (2.0, 4.0, (10.0, 30.0)), (4.0, 6.0, (10.0, 30.0)), (6.0, 8.0, (10.0, 30.0))],
)
def test_spans_from_goal_to_goal(from_s: float, to_s: float, span_w: tuple[float, float]) -> None:
    path = Trajectory(0.0, 0.0, 0.0, 10.0)
    for at_s, goal_w in [(1.0, 80.0), (4.0, 0.0), (6.0, 50.0)]:
        path = commanded(path, at_s, goal_w)
    assert level_span(path, from_s, to_s) == span_w
