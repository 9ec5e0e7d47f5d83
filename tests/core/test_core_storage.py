"""Storage from sample to sample: the net load, what generation wants, and what storage is worth."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest
from core_bench import SETTINGS, B, pcc, still
from storage_bench import IDLE, IMPORT_ONLY, NO_EXCHANGE, START, C

from edge.core.limiter import Limiter
from edge.core.noise import Noise
from edge.core.storage import PATIENCE_S, PROBE_AFTER_S, Storage, absorbed_w, storage_step
from edge.core.track import Track, output_span, sent
from edge.core.trajectory import Trajectory
from edge.model.storage_rules import StorageRules


def test_what_generation_wants_is_what_it_shows_and_room_or_what_it_had_before_it_was_held_down() -> None:
    settings_ = replace(SETTINGS, ders=(B, C), charge_w=30.0)
    state = Storage(100.0, (80.0, 40.0), (0.0, 0.0), (0.0, 0.0), (0.0, 0.0))
    limiter = Limiter(60.0, 1, 100.0, Noise(0.0))

    def wanted(track: Track, now_s: float = 101.0) -> float:
        tracks = (track, still(C, 0.0, 100.0, last_w=0.0))
        after = storage_step(settings_, state, limiter, limiter, tracks, frozenset(), pcc(0.0, 101.0), now_s)
        return after.wanted_w[0]

    assert wanted(still(B, 50.0, 100.0)) == 80.0, "never seen: it may want anything"
    assert wanted(still(B, 50.0, 100.0, last_w=30.0, weather_w=30.0)) == pytest.approx(31.6)
    assert wanted(still(B, 50.0, 100.0, last_w=50.0)) == pytest.approx(80.0 - 0.16)
    assert wanted(still(B, 50.0, 100.0, last_w=50.0), 300.0) == pytest.approx(51.6)
    assert wanted(still(B, 80.0, 100.0, last_w=80.0)) == 80.0
    assert wanted(still(B, 80.0, 100.0, last_w=-1.0, weather_w=-1.0)) == pytest.approx(1.6)


def test_absorption_counts_while_it_is_measured() -> None:
    track = still(C, -20.0, 100.0, last_w=-18.0)
    assert absorbed_w(C, track, 101.0) == 18.0
    assert absorbed_w(C, track, 101.001) == 0.0
    assert absorbed_w(C, track._replace(last_w=7.0), 100.0) == 0.0
    assert absorbed_w(C, still(C, -20.0, 100.0), 100.0) == 0.0


def test_storage_that_was_told_to_absorb_may_not_have() -> None:
    track = still(C, -20.0, 100.0, last_w=-5.0)
    assert output_span(track, C, 100.0, 100.1, 0.0) == (-20.0, -5.0)
    assert output_span(track._replace(last_w=3.0), C, 100.0, 100.1, 0.0) == (-20.0, 0.0)
    assert output_span(track._replace(last_w=None), C, 100.0, 100.1, 0.0) == (-20.0, 0.0)
    assert output_span(track, C, 101.0, 101.1, 0.0) == (-30.0, -5.0), (
        "not seen for long: anything down to its rating"
    )
    assert output_span(still(C, 20.0, 100.0, last_w=20.0, below_w=60.0), C, 100.0, 100.1, 0.0)[0] == -30.0


def step(
    state: Storage,
    export_w: float,
    track: Track,
    rules: StorageRules = NO_EXCHANGE,
    now_s: float = 101.0,
    **swaps: object,
) -> Storage:
    """One new sample of the PCC at 101 s; storage c, and generator b at its limit since 100 s."""
    settings_ = replace(SETTINGS, ders=(B, C), charge_w=30.0, storage=rules, **swaps)  # type: ignore[arg-type]
    before = Limiter(60.0, 1, now_s - 1.0, Noise(0.0))
    after = Limiter(60.0, 2, now_s, Noise(0.0), export_w=export_w)
    tracks = (still(B, 50.0, 100.0, last_w=50.0), track)
    return storage_step(settings_, state, before, after, tracks, frozenset(), pcc(export_w, now_s, 2), now_s)


def test_the_net_load_is_what_storage_gives_less_the_export() -> None:
    assert step(START, -30.0, IDLE).net_w == 30.0
    assert step(START, -30.0, still(C, 10.0, 100.9, last_w=10.0)).net_w == 40.0
    assert step(replace(START, net_w=30.0), -30.5, IDLE).net_w == pytest.approx(30.0 + 0.5 / 8)
    assert step(replace(START, net_w=30.0), -31.0, IDLE).net_w == pytest.approx(30.0 + 1.0 / 8)
    assert step(replace(START, net_w=30.0), -31.01, IDLE).net_w == 31.01, (
        "beyond the margin it is followed at once"
    )
    assert step(replace(START, net_w=30.0), -28.9, IDLE).net_w == 28.9


def test_what_the_sample_does_not_contradict_stays() -> None:
    moving = still(C, -20.0, 100.9, last_w=0.0)
    assert step(replace(START, net_w=-15.0), 5.0, moving).net_w == -15.0
    assert step(replace(START, net_w=-30.0), 5.0, moving).net_w == -25.0, "as far as it is proven"


def test_lost_storage_is_load() -> None:
    settings_ = replace(SETTINGS, ders=(B, C), charge_w=30.0)
    before, after = Limiter(60.0, 1, 100.0, Noise(0.0)), Limiter(60.0, 2, 101.0, Noise(0.0), export_w=-30.0)
    tracks = (still(B, 50.0, 100.0, last_w=50.0), still(C, -20.0, 100.9, last_w=-20.0))
    got = storage_step(settings_, START, before, after, tracks, frozenset("c"), pcc(-30.0, 101.0, 2), 101.0)
    assert got.net_w == 30.0


def test_both_numbers_go_down_at_once_and_up_by_ramp() -> None:
    wide = replace(START, net_w=0.0, discharge_w=50.0, charge_w=50.0)
    tight = step(wide, -20.0, IDLE)
    assert (tight.discharge_w, tight.charge_w) == (19.0, 0.0)
    up = step(replace(START, net_w=30.0), -30.0, IDLE)
    assert (up.discharge_w, up.charge_w) == (10.0, 0.0), "10 W/s for a second"
    assert step(START, -30.0, IDLE, IMPORT_ONLY).charge_w == math.inf, "what nothing limits needs no ramp"


def test_generation_that_is_held_down_for_long_is_probed_where_nothing_may_be_exchanged() -> None:
    def charge_w(content_s: float) -> float:
        state = replace(START, net_w=0.0, charge_w=2.5, content_s=(content_s, 0.0))
        return step(state, 0.0, IDLE, ceiling_w=0.0, limit_w=0.0).charge_w

    assert charge_w(101.0 - PROBE_AFTER_S) == 2.0
    assert charge_w(101.0 - PROBE_AFTER_S - 0.001) == pytest.approx(3.6), "and 2 % of 80 W"
    content = still(B, 50.0, 100.0, last_w=30.0, weather_w=30.0)
    limiter = Limiter(60.0, 1, 101.0, Noise(0.0))
    settings_ = replace(SETTINGS, ders=(B, C), charge_w=30.0)
    after = storage_step(
        settings_, START, limiter, limiter, (content, IDLE), frozenset(), pcc(0.0, 101.0), 101.0
    )
    assert after.content_s == (101.0, 100.0)


def ordered(track: Track, follows_s: float, now_s: float = 101.0) -> tuple[float, float]:
    """Since when c follows, and until when it is taken for full; nothing new of the PCC."""
    state = replace(START, follows_s=(0.0, follows_s), full_s=(0.0, 7.0))
    limiter = Limiter(60.0, 1, now_s, Noise(0.0))
    settings_ = replace(SETTINGS, ders=(B, C), charge_w=30.0)
    tracks = (still(B, 50.0, 100.0, last_w=50.0), track)
    after = storage_step(settings_, state, limiter, limiter, tracks, frozenset(), pcc(0.0, 101.0), now_s)
    return after.follows_s[1], after.full_s[1]


def test_storage_that_does_not_absorb_as_it_is_told_is_taken_for_full_for_a_minute() -> None:
    assert ordered(still(C, -0.8, 100.0, last_w=0.0), 50.0) == (101.0, 7.0), "2 % of 40 W"
    assert ordered(still(C, -0.8, 100.0, last_w=0.001), 50.0) == (101.0, 161.0)
    told = still(C, -20.0, 100.0, last_w=-19.5)
    assert ordered(told, 50.0) == (101.0, 7.0)
    short = told._replace(last_w=-19.1)
    assert ordered(short, 101.0 - PATIENCE_S) == (96.0, 7.0)
    assert ordered(short, 101.0 - PATIENCE_S - 0.01) == (101.0, 161.0)
    assert ordered(told._replace(last_w=None), 50.0) == (101.0, 161.0)
    assert ordered(still(C, 0.0, 100.0, last_w=30.0), 50.0) == (101.0, 7.0), "it was not told to absorb"
    for unseen_w in (0.0, None):
        assert ordered(still(C, -0.85, 100.0, last_w=unseen_w), 50.0) == (101.0, 161.0)
    assert ordered(still(C, -0.05, 100.0, last_w=30.0), 50.0) == (101.0, 161.0), (
        "however little it was told to"
    )
    in_flight = sent(still(C, -20.0, 100.0, last_w=0.0), C, 5.0, 101.0, 0.0)
    assert ordered(in_flight, 50.0) == (101.0, 7.0), "and not any more"


def test_a_set_point_follows_the_net_load_when_that_moved_by_more_than_half_the_margin() -> None:
    near = replace(START, net_w=30.0, serve_w=30.0)
    assert step(replace(near, serve_w=29.5), -30.0, IDLE).serve_w == 29.5
    assert step(replace(near, serve_w=29.49), -30.0, IDLE).serve_w == 30.0
    assert step(replace(near, serve_w=29.0), -30.0, IDLE, margin_floor_w=2.0).serve_w == 29.0
    assert step(replace(near, serve_w=28.99), -30.0, IDLE, margin_floor_w=2.0).serve_w == 30.0


# Whole scans.


def test_a_generator_is_probed_after_twenty_seconds() -> None:
    def charge_w(since_s: float) -> float:
        state = replace(START, net_w=0.0, charge_w=2.5, content_s=(since_s, 0.0))
        return step(state, 0.0, IDLE, ceiling_w=0.0, limit_w=0.0).charge_w

    assert charge_w(81.0) == 2.0
    assert charge_w(80.95) == pytest.approx(3.6)


def test_storage_counts_from_when_the_last_limit_can_have_been_on_the_wire() -> None:
    """c comes down from 20 W to nothing between 100 s and 100.5 s; 0.8 s before the sample it was at 12 W."""
    path = Trajectory(100.0, 20.0, 0.0, 40.0)
    track = IDLE._replace(early=path, late=path)
    assert step(START, 0.0, track, command_s=0.8).net_w == pytest.approx(12.0)


def test_a_clock_that_stands_moves_nothing_up() -> None:
    settings_ = replace(SETTINGS, ders=(B, C), charge_w=30.0, storage=NO_EXCHANGE)
    before = Limiter(60.0, 1, 101.5, Noise(0.0))
    after = Limiter(60.0, 2, 101.0, Noise(0.0), export_w=-30.0)
    tracks = (still(B, 50.0, 100.0, last_w=50.0), IDLE)
    seen_ = pcc(-30.0, 101.0, 2)
    state = replace(START, net_w=30.0, discharge_w=5.0)
    found = storage_step(settings_, state, before, after, tracks, frozenset(), seen_, 101.0)
    assert found.discharge_w == 5.0
    assert START.serve_w == 0.0
