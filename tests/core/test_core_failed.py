"""What stands in for a limiter that failed: it grants no more than was granted, held, asked or allowed."""

from __future__ import annotations

from dataclasses import replace

import pytest
from core_bench import NONE, SETTINGS, der, image, pcc
from phase_bench import PHASES

from edge.core.control import CoreState, core_start
from edge.core.enter_service import EnterService
from edge.core.failed import stand_in
from edge.core.fallback import Fallback
from edge.model.commands import Narrowing
from edge.model.image import DerReading, Image, Override
from edge.model.sample import Sample
from edge.model.storage_rules import NO_RULES, StorageRules

NOW_S = 10.0
SOUND = image(pcc(0.0, NOW_S), der("a", 0.0, 20.0, NOW_S), der("b", 0.0, 80.0, NOW_S))
STATE = core_start(SETTINGS, 0.0, 0.0, after_trip=False)


def limits_w(
    at: Image = SOUND, granted_w: tuple[float, float] = (20.0, 80.0), settings: object = SETTINGS
) -> dict[str, float]:
    _, wish = stand_in(at, settings, STATE, granted_w, 0.0, NOW_S)  # type: ignore[arg-type]  # core settings
    return wish.limits_w


def test_the_share_that_keeps_export_within_the_limit_less_the_widest_margin_at_zero_load() -> None:
    assert limits_w() == pytest.approx({"a": 4.6, "b": 18.4})
    assert limits_w(settings=replace(SETTINGS, unmanaged_w=13.0)) == pytest.approx({"a": 2.0, "b": 8.0})
    assert limits_w(settings=replace(SETTINGS, unmanaged_w=23.0)) == {"a": 0.0, "b": 0.0}
    assert limits_w(settings=replace(SETTINGS, unmanaged_w=30.0)) == {"a": 0.0, "b": 0.0}
    assert limits_w(settings=replace(SETTINGS, ceiling_w=500.0)) == {"a": 20.0, "b": 80.0}


@pytest.mark.parametrize(("unmanaged_w", "total_w"), [(0.0, 23.0), (23.0, 0.0), (30.0, 0.0)])
def test_it_says_what_it_leaves_to_all_together(unmanaged_w: float, total_w: float) -> None:
    settings = replace(SETTINGS, unmanaged_w=unmanaged_w)
    _, wish = stand_in(SOUND, settings, STATE, (20.0, 80.0), 0.0, NOW_S)
    assert wish.narrowings == (Narrowing("limiter-failed", total_w),)


def test_no_more_than_was_granted_or_is_held() -> None:
    assert limits_w(granted_w=(1.0, 80.0)) == pytest.approx({"a": 1.0, "b": 18.4})
    held = image(pcc(0.0, NOW_S), der("a", 0.0, 2.0, NOW_S), der("b", 0.0, 80.0, NOW_S))
    assert limits_w(held) == pytest.approx({"a": 2.0, "b": 18.4})
    unread = replace(SOUND, ders=(replace(SOUND.ders[0], limit_w=NONE), SOUND.ders[1]))
    assert limits_w(unread) == pytest.approx({"a": 4.6, "b": 18.4})


def test_a_share_below_the_least_is_nothing() -> None:
    a, b = SETTINGS.ders
    for least_w, given_w in [(3.99, 4.0), (4.0, 4.0), (4.01, 0.0)]:
        settings = replace(SETTINGS, ders=(replace(a, min_w=least_w), b))
        assert limits_w(granted_w=(4.0, 80.0), settings=settings)["a"] == given_w
        assert limits_w(granted_w=(0.05, 80.0), settings=settings)["a"] == 0.0


def test_storage_keeps_to_what_is_safe_without_sight() -> None:
    a, b = SETTINGS.ders
    for rules, limit_w, floor_w in [
        (NO_RULES, 18.4, -60.0),
        (StorageRules(import_w=5.0), 18.4, 0.0),
        (StorageRules(export_w=7.0), 7.0, -60.0),
    ]:
        settings = replace(SETTINGS, ders=(a, replace(b, charge_w=60.0)), charge_w=60.0, storage=rules)
        state = core_start(settings, 0.0, 0.0, after_trip=False)
        _, wish = stand_in(SOUND, settings, state, (20.0, 80.0), 0.0, NOW_S)
        assert wish.limits_w["b"] == pytest.approx(limit_w)
        assert wish.floors_w == {"b": floor_w}
        after, wish = stand_in(SOUND, settings, state, (0.0, -10.0), 0.0, NOW_S)
        assert wish.limits_w["b"] == max(-10.0, floor_w), (
            "an order to absorb is kept, as far as it may charge"
        )
        assert after.limiter.ceiling_w == 0.0
        operated = replace(settings, ders=(a, replace(b, charge_w=60.0, by_setpoint=True)))
        assert stand_in(SOUND, operated, state, (20.0, 80.0), 0.0, NOW_S)[1].limits_w["b"] == 0.0
        silent = replace(SOUND, ders=(SOUND.ders[0], replace(SOUND.ders[1], reachable=False)))
        _, wish = stand_in(silent, settings, state, (0.0, -10.0), 0.0, NOW_S)
        assert (wish.limits_w["b"], wish.floors_w["b"]) == (0.0, 0.0)
        tight = replace(SOUND, ders=(SOUND.ders[0], replace(SOUND.ders[1], floor_w=Sample.good(-8.0, NOW_S))))
        _, wish = stand_in(tight, settings, state, (0.0, 0.0), 0.0, NOW_S)
        assert wish.floors_w["b"] == max(-8.0, floor_w), "nor more than it may take already"


@pytest.mark.parametrize(("held_w", "floor_w"), [(-60.1, -60.0), (-0.05, -0.05), (0.0, 0.0), (5.0, 0.0)])
def test_storage_may_take_no_more_than_its_device_holds(held_w: float, floor_w: float) -> None:
    a, b = SETTINGS.ders
    settings = replace(SETTINGS, ders=(a, replace(b, charge_w=60.0)), charge_w=60.0)
    holding = replace(SOUND, ders=(SOUND.ders[0], replace(SOUND.ders[1], floor_w=Sample.good(held_w, NOW_S))))
    state = core_start(settings, 0.0, 0.0, after_trip=False)
    assert stand_in(holding, settings, state, (20.0, 80.0), 0.0, NOW_S)[1].floors_w == {"b": floor_w}


def test_the_least_order_to_absorb_is_kept_and_a_generator_has_none() -> None:
    a, b = SETTINGS.ders
    settings = replace(SETTINGS, ders=(a, replace(b, charge_w=60.0)), charge_w=60.0)
    state = core_start(settings, 0.0, 0.0, after_trip=False)
    _, wish = stand_in(SOUND, settings, state, (-5.0, -0.05), 0.0, NOW_S)
    assert wish.limits_w == {"a": 0.0, "b": -0.05}


def test_a_phase_that_only_absorbs_begins_anew_at_nothing() -> None:
    a, b = PHASES.ders
    settings = replace(PHASES, ders=(a, replace(b, charge_w=60.0)), charge_w=60.0)
    state = core_start(settings, 0.0, 0.0, after_trip=False)
    after, wish = stand_in(SOUND, settings, state, (0.0, -10.0), 0.0, NOW_S)
    assert wish.limits_w["b"] == -10.0
    assert [limiter.ceiling_w for limiter in after.phases] == [0.0, 0.0, 0.0]


@pytest.mark.parametrize("swap", [{"reachable": False}, {"refused": True}])
def test_one_that_does_not_answer_counts_at_nameplate_and_its_contact_opens(swap: dict[str, bool]) -> None:
    silent: DerReading = replace(SOUND.ders[1], **swap)  # type: ignore[arg-type]  # flags of the reading
    after, wish = stand_in(
        replace(SOUND, ders=(SOUND.ders[0], silent)), SETTINGS, STATE, (20.0, 80.0), 0.0, NOW_S
    )
    assert wish.limits_w == {"a": 0.0, "b": 0.0}
    assert wish.narrowings == (Narrowing("limiter-failed", 0.0),)
    assert wish.isolate == after.isolated == {"k"}
    assert after.lost == {"b"}


def test_one_that_ignores_its_limit_counts_as_one_that_does_not_answer() -> None:
    after, wish = stand_in(SOUND, SETTINGS, STATE, (20.0, 80.0), 0.0, NOW_S, frozenset({"a"}))
    assert wish.limits_w == {"a": 0.0, "b": pytest.approx(80.0 * 3.0 / 100.0)}
    assert after.lost == {"a"}
    after, wish = stand_in(SOUND, SETTINGS, STATE, (20.0, 80.0), 0.0, NOW_S, frozenset({"b"}))
    assert wish.limits_w == {"a": 0.0, "b": 0.0}
    assert wish.isolate == after.isolated == {"k"}


def test_what_was_isolated_stays_so_and_nothing_closes() -> None:
    after, wish = stand_in(SOUND, SETTINGS, STATE._replace(isolated=frozenset({"k"})), (9.0, 9.0), 0.0, NOW_S)
    assert wish.isolate == after.isolated == {"k"}
    assert not after.lost
    assert (wish.ready, wish.entered, wish.events) == (False, False, ())


@pytest.mark.parametrize(
    ("override", "expected"),
    [
        (Override("portal", 1e9, limit_w=10.0), {"a": 2.0, "b": 8.0}),
        (Override("portal", 1e9, limit_w=float("nan")), {"a": 0.0, "b": 0.0}),
        (Override("portal", 1e9, limit_w=50.0), {"a": 4.6, "b": 18.4}),
        (Override("portal", 1e9, limit_w=1.0, der="a"), {"a": 1.0, "b": 18.4}),
        (Override("test", 1e9, blind=True), {"a": 4.6, "b": 18.4}),
    ],
)
def test_remote_limits_go_on_narrowing(override: Override, expected: dict[str, float]) -> None:
    assert limits_w(replace(SOUND, overrides=(override,))) == pytest.approx(expected)


def test_the_limiter_begins_anew_but_forgets_no_limit_that_may_be_in_a_device() -> None:
    sent = STATE.tracks[0]._replace(unproven=((1.0, 15.0),), below_w=float("nan"))
    state = CoreState(
        limiter=replace(STATE.limiter, ceiling_w=float("nan"), sequence=7),
        tracks=(sent, STATE.tracks[1]),
        fallback=Fallback(active=False, since_s=1.0, count=4),
        enter=EnterService(after_trip=True, window_s=1.0, ready=True),
    )
    after, wish = stand_in(SOUND, SETTINGS, state, (20.0, 80.0), 0.0, NOW_S)
    assert after.limiter.ceiling_w == pytest.approx(sum(wish.limits_w.values()))
    assert after.limiter.sequence == -1
    assert (after.tracks[0].unproven, after.tracks[0].below_w) == (((1.0, 15.0),), 0.0)
    assert after.fallback == Fallback(active=True, since_s=NOW_S, count=5)
    assert after.enter == EnterService(after_trip=True)
    again, _ = stand_in(SOUND, SETTINGS, after, (20.0, 80.0), 0.0, NOW_S + 1)
    assert again.fallback.count == 5
    assert stand_in(SOUND, SETTINGS, STATE, (1.0, 1.0), 0.0, NOW_S)[0].fallback.starting
