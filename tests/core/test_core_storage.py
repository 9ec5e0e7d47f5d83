"""Storage: what a mode allows against a rule of one line, who makes room for whom, and what a lost unit is worth."""

from __future__ import annotations

import itertools
import math
from dataclasses import replace

import pytest
from core_bench import NONE, SETTINGS, A, B, der, image, pcc, still
from hypothesis import given, settings
from hypothesis import strategies as st

from edge.core.control import CoreState, Wish, core_start, core_step
from edge.core.dispatch import Stores, banded
from edge.core.enter_service import EnterService
from edge.core.fallback import Fallback
from edge.core.limiter import Limiter
from edge.core.noise import Noise
from edge.core.settings import CoreSettings, DerPlant
from edge.core.storage import (
    PATIENCE_S,
    PROBE_AFTER_S,
    Storage,
    absorbed_w,
    allowed_w,
    storage_start,
    storage_step,
)
from edge.core.track import Track, output_span, sent
from edge.core.trajectory import Trajectory
from edge.model.image import DerReading, Image, Override
from edge.model.permit import Permit
from edge.model.sample import Sample
from edge.model.storage_rules import NO_RULES, StorageRules

C = DerPlant("c", 40.0, 0.2, 40.0, 0.0, 40.0, 1.0, "k", charge_w=30.0, full_pu=0.95)
D = replace(C, name="d", nameplate_w=20.0, charge_w=10.0)
SET = replace(C, name="s", by_setpoint=True)
EXPORT_ONLY = StorageRules(import_w=0.0)
IMPORT_ONLY = StorageRules(export_w=0.0)
NO_EXCHANGE = StorageRules(0.0, 0.0)
MODES = (NO_RULES, EXPORT_ONLY, IMPORT_ONLY, NO_EXCHANGE)
ABILITIES = (StorageRules(export_w=5.0), StorageRules(import_w=5.0), StorageRules(site_import_w=5.0))
NETS_W = (
    -100.0,
    -10.001,
    -10.0,
    -5.001,
    -5.0,
    -2.001,
    -1.0,
    -0.001,
    0.0,
    0.001,
    1.0,
    2.0,
    5.0,
    6.0,
    9.9,
    100.0,
)
FAST = settings(max_examples=300, deadline=None, derandomize=True, database=None)


def test_each_mode_and_ability_at_every_net_load_with_an_export_limit_that_leaves_room() -> None:
    passed = 0
    for rules, net_w in itertools.product((*MODES, *ABILITIES), NETS_W):
        discharge_w, charge_w = allowed_w(rules, net_w, margin_w=1.0, aim_w=20.0)
        need_w, surplus_w = max(net_w, 0.0), max(-net_w, 0.0)
        assert discharge_w == pytest.approx(max(0.0, need_w + rules.export_w - 1.0))
        most_w = min(surplus_w + rules.import_w, rules.site_import_w - net_w) - 1.0
        assert charge_w == pytest.approx(max(0.0, most_w))
        passed += 0.0 < discharge_w < need_w + 5.0
        passed += 0.0 < charge_w < surplus_w + 5.0
    assert passed > 20


@given(
    st.floats(-1e6, 1e6),
    st.sampled_from((*MODES, *ABILITIES)),
    st.floats(0.0, 100.0),
    st.floats(-100.0, 1000.0),
    st.sampled_from([0.0, 50.0]),
)
@FAST
def test_nothing_more_is_exchanged_than_agreed_and_the_overlap_of_two_margins(
    net_w: float, rules: StorageRules, margin_w: float, aim_w: float, probe_w: float
) -> None:
    discharge_w, charge_w = allowed_w(rules, net_w, margin_w, aim_w, probe_w)
    assert min(discharge_w, charge_w) >= 0.0
    assert discharge_w - max(net_w, 0.0) <= rules.export_w + 1e-6 or discharge_w == 0.0
    overlaps = 2 * margin_w > rules.import_w + aim_w
    extra_w = 2 * margin_w - rules.import_w - aim_w + probe_w if overlaps else 0.0
    taken_w = min(charge_w, net_w + charge_w)
    assert taken_w <= rules.import_w + extra_w + 1e-6 or charge_w == 0.0
    assert charge_w == 0.0 or net_w + charge_w <= rules.site_import_w + 1e-6


def test_charging_and_an_export_of_nothing_overlap_by_twice_the_margin() -> None:
    assert allowed_w(NO_EXCHANGE, -10.0, 1.0, -1.0) == (0.0, 12.0)
    assert allowed_w(NO_EXCHANGE, -10.0, 1.0, -1.0, 3.0) == (0.0, 15.0)
    assert allowed_w(NO_EXCHANGE, 1.9, 1.0, -1.0)[1] == pytest.approx(0.1)
    assert allowed_w(NO_EXCHANGE, 2.1, 1.0, -1.0)[1] == 0.0
    assert allowed_w(EXPORT_ONLY, -10.0, 1.0, 1.0, 3.0) == (math.inf, 13.0), "2 W apart is not enough"
    assert allowed_w(EXPORT_ONLY, -10.0, 1.0, 2.0, 3.0) == (math.inf, 9.0), "now there is room"


def stores(**swaps: object) -> Stores:
    """Storage c that may do anything and was measured to absorb nothing."""
    plain = Stores(
        math.inf,
        math.inf,
        {"c": 30.0, "d": 10.0, "s": 30.0},
        {"c": 0.0, "d": 0.0, "s": 0.0},
        serve_w=0.0,
        level_w=-1e9,
    )
    return replace(plain, **swaps)  # type: ignore[arg-type]  # named fields


CAPS = {"a": 20.0, "b": 80.0, "c": 40.0, "d": 20.0, "s": 40.0}


def shared(
    total_w: float,
    wants_w: float,
    given: Stores,
    storage: tuple[DerPlant, ...] = (C,),
    caps_w: dict[str, float] | None = None,
) -> tuple[dict[str, float], dict[str, float]]:
    """A generator b that wants something, and storage."""
    return banded(total_w, (B,), storage, caps_w or CAPS, {"b": wants_w}, given, "proportional")


def test_generation_first_then_storage_and_the_rest_goes_back() -> None:
    assert shared(70.0, 50.0, stores()) == ({"b": 50.0, "c": 20.0}, {"c": -30.0})
    assert shared(70.0, 50.0, stores(discharge_w=5.0)) == ({"b": 65.0, "c": 5.0}, {"c": -30.0})
    assert shared(70.0, 50.0, stores(charge_w=12.0)) == ({"b": 50.0, "c": 20.0}, {"c": -12.0})
    assert shared(200.0, 50.0, stores())[0] == {"b": 80.0, "c": 40.0}


def test_surplus_is_absorbed_and_only_what_was_measured_makes_room() -> None:
    assert shared(40.0, 60.0, stores()) == ({"b": 40.0, "c": -20.0}, {"c": -30.0})
    measured = stores(absorbed_w={"c": 8.0})
    assert shared(40.0, 60.0, measured)[0] == {"b": 48.0, "c": -20.0}
    more = stores(absorbed_w={"c": 25.0})
    assert shared(40.0, 60.0, more)[0] == {"b": 60.0, "c": -20.0}, (
        "what it was not told to, it may end at any time"
    )
    assert shared(40.0, 80.0, more)[0] == {"b": 65.0, "c": -30.0}, "no more than it can"
    assert shared(40.0, 60.0, stores(charge_w=5.0, absorbed_w={"c": 25.0}))[0] == {"b": 45.0, "c": -5.0}
    full = stores(charge_caps_w={"c": 0.0})
    assert shared(40.0, 60.0, full) == ({"b": 40.0, "c": 0.0}, {"c": 0.0})


@pytest.mark.parametrize(("wants_w", "limit_w"), [(50.05, -0.05), (50.0, 0.0), (49.95, 0.0)])
def test_the_least_surplus_is_absorbed_and_the_least_room_left_alone(wants_w: float, limit_w: float) -> None:
    limits_w, _ = shared(50.0, wants_w, stores(discharge_w=0.0))
    assert limits_w["c"] == pytest.approx(limit_w)


def test_what_little_it_can_absorb_it_absorbs() -> None:
    limits_w, floors_w = shared(50.0, 60.0, stores(charge_caps_w={"c": 0.05}))
    assert limits_w["c"] == floors_w["c"] == -0.05


def test_what_is_only_waiting_for_its_ramp_is_no_surplus() -> None:
    assert shared(40.0, 60.0, stores(level_w=60.0))[0] == {"b": 40.0, "c": 0.0}
    assert shared(40.0, 60.0, stores(level_w=59.0))[0] == {"b": 40.0, "c": -1.0}
    assert shared(40.0, 60.0, replace(stores(), level_w=math.inf))[0] == {"b": 40.0, "c": 0.0}


def test_several_absorb_in_proportion_to_what_they_can() -> None:
    limits_w, floors_w = shared(40.0, 60.0, stores(), (C, D))
    assert limits_w == {"b": 40.0, "c": -15.0, "d": -5.0}
    assert floors_w == {"c": -30.0, "d": -10.0}
    assert shared(40.0, 60.0, stores(charge_w=20.0), (C, D))[1] == {"c": -15.0, "d": -5.0}


def test_a_negative_limit_that_a_device_holds_is_not_loosened_but_to_its_floor() -> None:
    held = {**CAPS, "c": -10.0}
    assert shared(70.0, 50.0, stores(), caps_w=held)[0] == {"b": 70.0, "c": -10.0}
    assert shared(70.0, 50.0, stores(charge_w=4.0), caps_w=held)[0]["c"] == -4.0


def test_a_set_point_serves_the_net_load_within_the_band() -> None:
    assert shared(70.0, 50.0, stores(serve_w=12.0), (SET,)) == ({"b": 58.0, "s": 12.0}, {"s": 0.0})
    assert shared(70.0, 50.0, stores(serve_w=99.0), (SET,)) == ({"b": 50.0, "s": 20.0}, {"s": 0.0})
    assert shared(70.0, 50.0, stores(serve_w=-12.0), (SET,)) == ({"b": 70.0, "s": -12.0}, {"s": -12.0})
    assert shared(70.0, 50.0, stores(serve_w=-99.0), (SET,))[0]["s"] == -30.0
    assert shared(40.0, 60.0, stores(serve_w=12.0), (SET,))[0] == {"b": 40.0, "s": -20.0}


POWERS_W = st.floats(0.0, 100.0)


@given(
    st.floats(-50.0, 200.0),
    POWERS_W,
    st.tuples(POWERS_W, POWERS_W),
    st.tuples(POWERS_W, POWERS_W),
    st.floats(-60.0, 60.0),
    st.floats(-50.0, 200.0),
    st.sampled_from(["proportional", "priority", "equal"]),
    st.sampled_from([(C, D), (SET, D), (SET,)]),
)
@FAST
def test_the_upper_limits_never_pass_the_total_but_by_what_is_measured_and_every_band_is_one(
    total_w: float,
    wants_w: float,
    may_w: tuple[float, float],
    absorbed: tuple[float, float],
    serve_w: float,
    level_w: float,
    order: str,
    storage: tuple[DerPlant, ...],
) -> None:
    given_to = stores(
        discharge_w=may_w[0],
        charge_w=may_w[1],
        absorbed_w={"c": absorbed[0], "s": absorbed[0], "d": absorbed[1]},
        serve_w=serve_w,
        level_w=level_w,
    )
    limits_w, floors_w = banded(total_w, (A, B), storage, CAPS, {"a": 0.0, "b": wants_w}, given_to, order)  # type: ignore[arg-type]  # one of three
    told_w = sum(limits_w[plant.name] for plant in storage)
    generation_w = limits_w["a"] + limits_w["b"]
    counted_w = sum(max(limits_w[plant.name], -given_to.absorbed_w[plant.name]) for plant in storage)
    assert generation_w + counted_w <= max(total_w, counted_w) + 1e-9
    assert generation_w == 0.0 or generation_w + told_w <= total_w + 1e-9
    assert -sum(floors_w.values()) <= may_w[1] + 1e-9
    assert sum(max(0.0, limits_w[plant.name]) for plant in storage) <= may_w[0] + 1e-9
    for plant in storage:
        assert -plant.charge_w - 1e-9 <= floors_w[plant.name] <= min(0.0, limits_w[plant.name]) + 1e-9
        assert limits_w[plant.name] <= plant.nameplate_w


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
    assert absorbed_w(C, replace(track, last_w=7.0), 100.0) == 0.0
    assert absorbed_w(C, still(C, -20.0, 100.0), 100.0) == 0.0


def test_storage_that_was_told_to_absorb_may_not_have() -> None:
    track = still(C, -20.0, 100.0, last_w=-5.0)
    assert output_span(track, C, 100.0, 100.1, 0.0) == (-20.0, -5.0)
    assert output_span(replace(track, last_w=3.0), C, 100.0, 100.1, 0.0) == (-20.0, 0.0)
    assert output_span(replace(track, last_w=None), C, 100.0, 100.1, 0.0) == (-20.0, 0.0)
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


START = storage_start(replace(SETTINGS, ders=(B, C)), 100.0)
IDLE = still(C, 0.0, 100.9, last_w=0.0)


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
    content = replace(still(B, 50.0, 100.0, last_w=30.0, weather_w=30.0))
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
    short = replace(told, last_w=-19.1)
    assert ordered(short, 101.0 - PATIENCE_S) == (96.0, 7.0)
    assert ordered(short, 101.0 - PATIENCE_S - 0.01) == (101.0, 161.0)
    assert ordered(replace(told, last_w=None), 50.0) == (101.0, 161.0)
    assert ordered(still(C, 0.0, 100.0, last_w=30.0), 50.0) == (101.0, 7.0), "it was not told to absorb"
    in_flight = sent(still(C, -20.0, 100.0, last_w=0.0), C, 5.0, 101.0, 0.0)
    assert ordered(in_flight, 50.0) == (101.0, 7.0), "and not any more"


def test_what_is_taken_for_full_absorbs_nothing_until_it_is_asked_again() -> None:
    def floor_w(until_s: float) -> float:
        state = running()
        assert state.storage is not None
        full = replace(state, storage=replace(state.storage, full_s=(0.0, until_s)))
        return scan(seen(), full)[1].floors_w["c"]

    assert floor_w(NOW_S) == -25.0
    assert floor_w(NOW_S + 0.01) == 0.0


def test_a_set_point_follows_the_net_load_when_that_moved_by_more_than_half_the_margin() -> None:
    near = replace(START, net_w=30.0, serve_w=30.0)
    assert step(replace(near, serve_w=29.5), -30.0, IDLE).serve_w == 29.5
    assert step(replace(near, serve_w=29.49), -30.0, IDLE).serve_w == 30.0


# Whole scans.

NOW_S = 100.0
SITE = replace(SETTINGS, ders=(B, C), charge_w=30.0, nameplate_w=120.0, fallback_hold_s=0.0)
ON = EnterService(after_trip=False, ramp_s=0.0, done=True)


def running(plant: CoreSettings = SITE, **swaps: object) -> CoreState:
    """In service, regulating at a ceiling of 60 W; host load 40 W."""
    start = core_start(plant, 0.0, 0.0, after_trip=False)
    state = replace(
        start,
        limiter=Limiter(60.0, 1, 99.8, Noise(0.0), 0.0, 35.0),
        fallback=Fallback(active=False, since_s=0.0),
        enter=ON,
        tracks=(still(B, 70.0, 99.5, last_w=70.0), still(C, -10.0, 99.5, last_w=-10.0)),
        storage=replace(start.storage, at_s=99.9, discharge_w=5.0, charge_w=25.0, serve_w=3.0),  # type: ignore[type-var]
    )
    return replace(state, **swaps)  # type: ignore[arg-type]  # named fields of the state


def seen(c: DerReading | None = None, export_w: float | None = 0.0, sequence: int = 1) -> Image:
    """Generator at 70 W of 70 W, storage at -10 W."""
    c = c or der("c", -10.0, -10.0, NOW_S, floor_w=Sample.good(-25.0, NOW_S))
    return image(pcc(export_w, NOW_S, sequence), der("b", 70.0, 70.0, NOW_S), c)


def scan(at: Image, state: CoreState, plant: CoreSettings = SITE, **given: object) -> tuple[CoreState, Wish]:
    """One scan at `NOW_S`."""
    return core_step(at, plant, state, Permit(**given), NOW_S, in_service=True)  # type: ignore[arg-type]


def test_a_scan_gives_limits_and_floors() -> None:
    _, wish = scan(seen(), running())
    assert wish.limits_w == {"b": pytest.approx(70.0), "c": pytest.approx(-19.984, abs=0.05)}
    assert wish.floors_w == {"c": -25.0}


def test_a_full_battery_absorbs_nothing() -> None:
    def floor_w(soc_pu: float) -> float:
        c = der("c", -10.0, -10.0, NOW_S, soc_pu=Sample.good(soc_pu, NOW_S))
        return scan(seen(c), running())[1].floors_w["c"]

    assert floor_w(0.9449) == -25.0
    assert floor_w(0.945) == 0.0


def test_lost_storage_gives_no_credit_and_counts_at_its_most() -> None:
    _, wish = scan(seen(der("c", -10.0, -10.0, NOW_S, reachable=False)), running())
    assert wish.limits_w == {"b": pytest.approx(20.0), "c": 0.0}
    assert wish.floors_w == {}


def test_storage_that_nobody_hears_is_disconnected_where_its_exchange_is_limited() -> None:
    c = der("c", -10.0, -10.0, NOW_S, reachable=False)
    for rules, isolated in ((NO_RULES, set()), *((mode, {"k"}) for mode in (*MODES[1:], *ABILITIES))):
        plant = replace(SITE, storage=rules)
        assert scan(seen(c), running(plant), plant)[1].isolate == isolated
    bare = replace(SITE, ders=(B, replace(C, contact=None)), storage=NO_EXCHANGE)
    assert scan(seen(c), running(bare), bare)[1].isolate == set()
    generator = replace(SITE, ders=(replace(B, contact="k"), C), storage=NO_EXCHANGE)
    lost_b = image(
        pcc(0.0, NOW_S), der("b", 70.0, 70.0, NOW_S, reachable=False), der("c", -10.0, -10.0, NOW_S)
    )
    assert scan(lost_b, running(generator), generator)[1].isolate == {"k"}, "it shares the contact of storage"


def test_a_contact_that_no_storage_stands_behind_stays_where_it_is() -> None:
    plant = replace(SITE, ders=(replace(B, contact="m"), C), storage=NO_EXCHANGE)
    silent = image(
        pcc(0.0, NOW_S), der("b", 20.0, 20.0, NOW_S, reachable=False), der("c", -10.0, -10.0, NOW_S)
    )
    assert scan(silent, running(plant), plant)[1].isolate == set()


def test_blind_storage_gives_what_may_be_sent_and_takes_nothing_where_import_is_limited() -> None:
    def blind(rules: StorageRules) -> tuple[float, float, float]:
        plant = replace(SITE, storage=rules)
        _, wish = scan(seen(export_w=None), running(plant), plant)
        return wish.limits_w["b"], wish.limits_w["c"], wish.floors_w["c"]

    assert blind(NO_RULES) == (24.0, 0.0, -30.0), "generation wants it all"
    assert blind(EXPORT_ONLY) == (24.0, 0.0, 0.0)
    assert blind(StorageRules(import_w=5.0)) == (24.0, 0.0, 0.0)
    assert blind(StorageRules(site_import_w=5.0)) == (24.0, 0.0, 0.0)
    dark = running(tracks=(still(B, 70.0, 99.5, last_w=0.0, weather_w=0.0), still(C, 0.0, 99.5, last_w=0.0)))
    night = image(pcc(None, NOW_S), der("b", 0.0, 70.0, NOW_S), der("c", 0.0, 0.0, NOW_S))
    for rules, most_w in ((NO_RULES, 22.4), (IMPORT_ONLY, 0.0), (StorageRules(export_w=3.0), 3.0)):
        plant = replace(SITE, storage=rules)
        assert scan(night, dark, plant)[1].limits_w["c"] == pytest.approx(most_w)


def test_a_remote_cap_on_the_sum_is_absorbed_too() -> None:
    at = replace(seen(), overrides=(Override("portal", 1e9, limit_w=45.0),))
    _, wish = scan(at, running())
    assert wish.limits_w == {"b": pytest.approx(55.0), "c": pytest.approx(-25.0)}


def test_storage_enters_service_by_its_share_both_ways() -> None:
    entering = replace(ON, done=False, ramp_s=NOW_S - 25.0)
    _, wish = scan(seen(), running(enter=entering))
    assert wish.floors_w["c"] == pytest.approx(-7.5)


def test_a_start_loosens_neither_end_of_what_storage_holds() -> None:
    start = core_start(SITE, 0.0, 0.0, after_trip=False)
    _, wish = scan(seen(), replace(start, enter=ON))
    assert (wish.limits_w["c"], wish.floors_w["c"]) == (-10.0, -25.0)
    _, wish = scan(seen(der("c", -10.0, -10.0, NOW_S)), replace(start, enter=ON))
    assert wish.floors_w["c"] == -30.0, "nothing is known of its floor"


def test_without_sight_what_a_device_absorbs_from_before_a_start_makes_no_room() -> None:
    """It may stop, and nobody would see what then goes out; nor would such limits ever be verified to be safe."""
    state = running()
    state = replace(state, fallback=replace(state.fallback, active=True, starting=True, since_s=100.0))
    c = der("c", -20.0, -20.0, 100.9, floor_w=Sample.good(-20.0, 100.9))
    _, wish = scan(seen(c, None), state)
    assert wish.limits_w["c"] == -20.0
    assert wish.limits_w["b"] == pytest.approx(wish.narrowings[0].limit_w)


def test_fallback_is_left_only_with_charging_verified_to_be_off_where_import_is_limited() -> None:
    blind = Fallback(active=True, since_s=0.0, sighted_s=0.0)

    def stays(rules: StorageRules, floor: Sample, limit_w: float = 0.0) -> bool:
        plant = replace(SITE, storage=rules)
        at = image(
            pcc(0.0, NOW_S),
            der("b", 20.0, 24.0, NOW_S),
            DerReading("c", Sample.good(0.0, NOW_S), Sample.good(limit_w, NOW_S), floor_w=floor),
        )
        state, _ = scan(at, running(plant, fallback=blind), plant)
        return state.fallback.active

    assert not stays(NO_RULES, NONE)
    assert stays(EXPORT_ONLY, NONE)
    assert not stays(EXPORT_ONLY, Sample.good(-0.2, NOW_S))
    assert stays(EXPORT_ONLY, Sample.good(-0.201, NOW_S))
    assert stays(EXPORT_ONLY, Sample.good(0.0, 0.0)), "read before the fallback"
    assert stays(NO_RULES, NONE, limit_w=10.0), "24 W and 10 W are too much"
    at = image(pcc(0.0, NOW_S), der("b", 20.0, 34.0, NOW_S), der("c", -10.0, -10.0, NOW_S))
    assert scan(at, running(fallback=blind))[0].fallback.active, "an order to absorb makes no room"


@pytest.mark.parametrize(("charge_w", "stores"), [(0.0, False), (0.5, True)])
def test_what_can_absorb_anything_is_storage(charge_w: float, stores: bool) -> None:
    assert replace(B, charge_w=charge_w).stores is stores


def test_the_least_overlap_of_two_margins_is_one() -> None:
    assert allowed_w(NO_EXCHANGE, -10.0, 1.0, 1.95, 3.0)[1] == pytest.approx(12.05)


def test_a_generator_is_probed_after_twenty_seconds() -> None:
    def charge_w(since_s: float) -> float:
        state = replace(START, net_w=0.0, charge_w=2.5, content_s=(since_s, 0.0))
        return step(state, 0.0, IDLE, ceiling_w=0.0, limit_w=0.0).charge_w

    assert charge_w(81.0) == 2.0
    assert charge_w(80.95) == pytest.approx(3.6)


def test_storage_counts_from_when_the_last_limit_can_have_been_on_the_wire() -> None:
    """c comes down from 20 W to nothing between 100 s and 100.5 s; 0.8 s before the sample it was at 12 W."""
    path = Trajectory(100.0, 20.0, 0.0, 40.0)
    track = replace(IDLE, early=path, late=path)
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
