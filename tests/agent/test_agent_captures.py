"""The ring of rows: what a capture covers, when it is handed out, how events share one, and what is kept."""

from __future__ import annotations

from datetime import UTC, datetime

from hypothesis import given
from hypothesis import strategies as st

from edge.agent.captures import AFTER_S, BEFORE_S, JOINED_S, Captures, Mark

AT = datetime(2026, 5, 1, tzinfo=UTC)
STEP_S = 0.5


def mark(at_s: float, kind: str = "trip") -> Mark:
    return Mark(at_s, AT, kind, "why")


def run(marks: list[float], until_s: float) -> list[tuple[float, float, float]]:
    """The event, the first and the last row of each capture of a run from 0; each is handed out with its last row."""
    ring = Captures(("t_s", "n"))
    waiting, spans = sorted(marks), []
    for number in range(int(until_s / STEP_S) + 1):
        now_s = number * STEP_S
        ring.add((now_s, "1"))
        while waiting and waiting[0] <= now_s:
            ring.cover(mark(waiting.pop(0)))
        for first, capture in ring.ready(now_s):
            times_s = [first.at_s + t_s for t_s in capture.t_s]
            assert times_s[-1] == now_s
            spans.append((first.at_s, times_s[0], times_s[-1]))
    return spans


def test_one_event() -> None:
    assert run([20.0], 60.0) == [(20.0, 10.0, 50.0)]
    assert run([20.0], 49.5) == []
    assert run([3.0], 60.0) == [(3.0, 0.0, 33.0)]


def test_events_join_until_the_minute_is_over_or_thirty_seconds_passed() -> None:
    assert run([20.0, 49.5], 120.0) == [(20.0, 10.0, 79.5)]
    assert run([20.0, 50.5], 120.0) == [(20.0, 10.0, 50.0), (50.5, 40.5, 80.5)]
    assert run([20.0, 45.0, 70.0, 80.0], 140.0) == [(20.0, 10.0, 110.0)]
    assert run([20.0, 45.0, 70.0, 80.5], 140.0) == [(20.0, 10.0, 100.0), (80.5, 70.5, 110.5)]


@given(st.lists(st.integers(20, 200), min_size=1, max_size=20))
def test_every_event_is_covered_and_no_capture_is_longer_than_a_hundred_seconds(at: list[int]) -> None:
    spans = run([float(one) for one in at], 300.0)
    for at_s in at:
        assert any(from_s <= at_s - BEFORE_S and at_s + AFTER_S <= until_s for _, from_s, until_s in spans)
    assert all(until_s - from_s <= BEFORE_S + JOINED_S + AFTER_S for _, from_s, until_s in spans)


def test_an_open_capture_shows_what_opened_the_next() -> None:
    ring = Captures(("t_s", "n"))
    for at_s in (0.0, 25.0, 50.0, 61.0):
        ring.add((at_s, "1"))
        assert ring.cover(mark(at_s)) == (at_s in (0.0, 61.0))
    (_, first), (_, second) = ring.flush()
    assert [one.t_s for one in first.marks] == [0.0, 25.0, 50.0, 61.0]
    assert [one.t_s for one in second.marks] == [0.0]


def test_marks_are_in_the_order_of_time_whoever_told_first() -> None:
    ring = Captures(("t_s", "n"))
    ring.cover(mark(5.0))
    ring.note(mark(7.0))
    ring.note(mark(6.0))
    ((first, capture),) = ring.flush()
    assert first.at_s == 5.0
    assert [one.t_s for one in capture.marks] == [0.0, 1.0, 2.0]


def test_only_what_can_be_asked_for_is_kept() -> None:
    ring = Captures(("t_s", "n"))
    for second in range(10_000):
        ring.add((float(second), "1"))
    assert len(ring._rows) <= BEFORE_S + AFTER_S + 1
    ring.cover(mark(9_999.0))
    for second in range(10_000, 10_025):
        ring.add((float(second), "1"))
    assert ring._rows[0][0] == 9_984.0


def test_a_burst_has_bounded_marks_and_a_meter_too_fast_bounded_rows() -> None:
    ring = Captures(("t_s", "n"))
    ring.add((0.0, "1"))
    for _ in range(1_000):
        ring.cover(mark(0.0))
    for number in range(20_000):
        ring.add((number * 1e-4, "1"))
    ((_, capture),) = ring.flush()
    assert len(capture.marks) == 500
    assert len(capture.rows) == 10_000
    assert ring.flush() == []


def test_nothing_so_far_without_an_event() -> None:
    ring = Captures(("t_s", "n"))
    ring.add((0.0, "1"))
    assert ring.so_far(mark(0.0)) is None
    ring.note(mark(0.0))
    assert ring.ready(1e9) == []
