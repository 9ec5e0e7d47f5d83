"""A whole regulating scan: counted power of unheard DERs, isolation, the stack of limits, the start."""

from __future__ import annotations

from dataclasses import replace

import pytest
from core_bench import SETTINGS, contact, der, image, pcc

from edge.core.control import CoreState, Wish, core_start, core_step
from edge.core.enter_service import EnterService
from edge.core.fallback import Fallback
from edge.core.limiter import Limiter
from edge.core.noise import Noise
from edge.core.settings import CoreSettings
from edge.core.track import sent
from edge.model.image import DerReading, Image, Override
from edge.model.permit import Permit
from edge.model.sample import Sample

NOW_S = 100.0
PERMIT = Permit()
# Device b with everything proven: it cannot come up above 10 W by itself.
PROVEN = replace(SETTINGS, ders=(SETTINGS.ders[0], replace(SETTINGS.ders[1], unheard_w=10.0)))
FALLBACK = Fallback(active=True, since_s=0.0, count=1)
IN_SERVICE = EnterService(after_trip=False, ramp_s=0.0, done=True)


def running(settings: CoreSettings = SETTINGS, **swaps: object) -> CoreState:
    """In service, regulating at a ceiling of 60 W."""
    state = core_start(settings, 0.0, 0.0, after_trip=False)._replace(
        limiter=Limiter(60.0, 1, 99.8, Noise(0.0)),
        fallback=Fallback(active=False, since_s=0.0),
        enter=IN_SERVICE,
    )
    return state._replace(**swaps)  # type: ignore[arg-type]  # named fields of the state


def scanned(
    at: Image,
    state: CoreState,
    settings: CoreSettings = SETTINGS,
    permit: Permit = PERMIT,
    *,
    service: bool = True,
) -> tuple[CoreState, Wish]:
    """One scan at `NOW_S`."""
    return core_step(at, settings, state, permit, NOW_S, in_service=service)


def seen(
    b: DerReading | None = None, export_w: float | None = 0.0, *, sequence: int = 1, **given: object
) -> Image:
    """Device a at 10 W of 12 W; device b likewise, or as given."""
    at = image(pcc(export_w, NOW_S, sequence), der("a", 10.0, 12.0, NOW_S), b or der("b", 40.0, 48.0, NOW_S))
    return replace(at, **given)  # type: ignore[arg-type]  # named fields of the image


def lost(limit_w: float) -> DerReading:
    """Device b out of reach, with the limit last verified."""
    return der("b", 40.0, limit_w, 90.0, reachable=False)


def test_nobody_is_heard_at_the_first_scan_and_all_are_told_to_stop() -> None:
    silent = tuple(replace(each, reachable=False) for each in seen().ders)
    after, wish = scanned(seen(ders=silent), core_start(SETTINGS, 0.0, 0.0, after_trip=False))
    assert wish.limits_w == {"a": 0.0, "b": 0.0}
    assert [track.unproven for track in after.tracks] == [((NOW_S, 0.0),)] * 2


def test_limits_that_stay_are_not_sent_again() -> None:
    first, wish = scanned(seen(), running())
    again, same = core_step(seen(), SETTINGS, first, PERMIT, NOW_S + 0.1, in_service=True)
    assert same.limits_w == wish.limits_w
    assert again.tracks == first.tracks
    other, told = core_step(
        seen(overrides=(Override("portal", 1e9, limit_w=5.0),)),
        SETTINGS,
        again,
        PERMIT,
        NOW_S + 0.1,
        in_service=True,
    )
    assert [track.unproven[-1] for track in other.tracks] == [
        (NOW_S + 0.1, limit_w) for limit_w in told.limits_w.values()
    ], "a limit that changes is"


class TestCountedPower:
    def sum_left_w(self, at: Image, settings: CoreSettings = PROVEN, **swaps: object) -> float:
        """What is left for device a of a fallback total of 24 W, when b counts."""
        state = running(settings, fallback=FALLBACK, **swaps)
        _, wish = scanned(at, state, settings, service=False)
        assert wish.limits_w["b"] == 0.0  # told to stop all the same
        return wish.limits_w["a"]

    @pytest.mark.parametrize(
        ("held_w", "counted_w"), [(0.0, 10.0), (10.0, 10.0), (12.0, 12.0), (23.0, 23.0), (30.0, 24.0)]
    )
    def test_the_last_verified_limit_and_what_it_comes_up_with(self, held_w: float, counted_w: float) -> None:
        assert self.sum_left_w(seen(lost(held_w))) == pytest.approx(24.0 - counted_w)

    def test_a_higher_limit_sent_since_then(self) -> None:
        a, b = running(PROVEN).tracks
        b = sent(sent(b, PROVEN.ders[1], 20.0, 95.0, 0.0), PROVEN.ders[1], 0.0, 96.0, 0.0)
        assert self.sum_left_w(seen(lost(12.0)), tracks=(a, b)) == pytest.approx(4.0)

    def test_nameplate_where_nothing_is_proven(self) -> None:
        assert self.sum_left_w(seen(lost(0.0)), SETTINGS) == 0.0
        unknown = DerReading("b", Sample.none(), Sample.none(), reachable=False)
        assert self.sum_left_w(seen(unknown)) == 0.0

    def test_one_that_refuses_or_ignores_its_limit_is_not_heard_either(self) -> None:
        refuses = der("b", 40.0, 12.0, NOW_S, refused=True)
        assert self.sum_left_w(seen(refuses)) == pytest.approx(12.0)
        _, wish = scanned(seen(), running(PROVEN), PROVEN, Permit(unresponsive=frozenset({"b"})))
        assert wish.limits_w == {"a": 0.0, "b": 0.0}  # it counts at nameplate: 80 of the 60 W

    @pytest.mark.parametrize(
        ("closed", "age_s", "service", "left_w"),
        [
            (0.0, 0.0, False, 20.0),
            (0.0, 2.0, False, 20.0),
            (0.0, 2.1, False, 0.0),
            (1.0, 0.0, False, 0.0),
            (0.0, 0.0, True, 0.0),
        ],
    )
    def test_nothing_behind_a_contact_proven_open_now(
        self, closed: float, age_s: float, service: bool, left_w: float
    ) -> None:
        """Feedback of long ago, or from before it was told to close, proves nothing."""
        at = seen(lost(80.0), outputs=contact(closed, NOW_S - age_s))
        _, wish = scanned(at, running(fallback=FALLBACK), service=service)
        assert wish.limits_w["a"] == pytest.approx(left_w)

    def test_in_service_the_whole_rest_goes_to_those_heard(self) -> None:
        _, wish = scanned(seen(lost(0.0)), running(PROVEN), PROVEN)  # 60 W less the 10 W that b counts
        assert wish.limits_w == {"a": 20.0, "b": 0.0}

    def test_a_contact_proven_open_leaves_everything(self) -> None:
        at = seen(lost(80.0), outputs=contact(0.0, NOW_S))
        tight = replace(PROVEN, ceiling_w=5.0, limit_w=5.0)
        _, wish = scanned(at, running(tight, fallback=FALLBACK), tight, service=False)
        assert wish.limits_w["a"] == 4.0


class TestIsolation:
    def isolates(self, held_w: float, *, blind: bool = True, before: frozenset[str] = frozenset()) -> bool:
        """Whether the contact of b, unheard with a verified limit, is opened."""
        state = running(
            PROVEN, fallback=FALLBACK if blind else Fallback(active=False, since_s=0.0), isolated=before
        )
        after, wish = scanned(seen(lost(held_w), None if blind else 0.0), state, PROVEN)
        assert after.isolated == wish.isolate
        return wish.isolate == {"k"}

    @pytest.mark.parametrize(
        ("held_w", "opens"), [(0.0, False), (24.0, False), (25.0, False), (25.01, True), (80.0, True)]
    )
    def test_blind_and_the_counted_power_breaks_the_sum(self, held_w: float, opens: bool) -> None:
        assert self.isolates(held_w) is opens

    def test_with_sight_the_element_guards(self) -> None:
        assert not self.isolates(80.0, blind=False)

    def test_it_stays_until_the_der_is_heard(self) -> None:
        before = frozenset({"k"})
        assert self.isolates(0.0, before=before)
        assert self.isolates(80.0, blind=False, before=before)
        after, wish = scanned(seen(), running(isolated=before))
        assert (after.isolated, wish.isolate) == (frozenset(), frozenset())

    @pytest.mark.parametrize("held_w", [0.0, 80.0])
    def test_only_contacts_that_unheard_ders_stand_behind_stay_open(self, held_w: float) -> None:
        """One that was opened for another DER, which is heard again, is not held by this one."""
        state = running(PROVEN, fallback=FALLBACK, isolated=frozenset({"k", "other"}))
        assert scanned(seen(lost(held_w), None), state, PROVEN)[1].isolate == {"k"}

    def test_the_contact_of_a_der_that_is_heard_is_not_opened(self) -> None:
        a = replace(SETTINGS.ders[0], contact="ka", unheard_w=20.0)
        tight = replace(SETTINGS, ders=(a, SETTINGS.ders[1]), ceiling_w=10.0)
        silent = der("a", 10.0, 20.0, 90.0, reachable=False)
        at = image(pcc(None, NOW_S), silent, der("b", 0.0, 0.0, NOW_S))
        assert scanned(at, running(tight, fallback=FALLBACK), tight)[1].isolate == {"ka"}

    def test_it_is_told_once(self) -> None:
        state = running(fallback=FALLBACK)
        after, wish = scanned(seen(lost(80.0), None), state)
        assert [event.kind for event in wish.events] == ["isolation"]
        assert scanned(seen(lost(80.0), None), after)[1].events == ()


class TestClosing:
    def ready(self, b: DerReading, settings: CoreSettings = PROVEN, permit: Permit = PERMIT) -> bool:
        """Whether enter service is ready after a long wait with the contact open."""
        waiting = EnterService(after_trip=False, window_s=-1000.0)
        at = seen(b, outputs=contact(0.0, NOW_S))
        return scanned(at, running(settings, enter=waiting), settings, permit, service=False)[1].ready

    def test_not_onto_an_unheard_der_that_breaks_the_sum(self) -> None:
        """Open, it counts nothing; closed, it may come up at nameplate."""
        assert self.ready(der("b", 0.0, 0.0, NOW_S), SETTINGS)
        assert not self.ready(lost(0.0), SETTINGS)
        assert self.ready(lost(0.0))
        assert self.ready(lost(25.0))  # one watt is allowed for rounding
        assert not self.ready(lost(25.01))

    def test_an_unheard_der_without_a_contact_holds_nothing_open(self) -> None:
        waiting = EnterService(after_trip=False, window_s=-1000.0)
        silent = der("a", 0.0, 20.0, 90.0, reachable=False)
        at = replace(seen(), ders=(silent, der("b", 0.0, 0.0, NOW_S)))
        tight = replace(SETTINGS, ceiling_w=10.0)
        assert scanned(at, running(tight, enter=waiting), tight, service=False)[1].ready

    @pytest.mark.parametrize("permit", [Permit(operated=True), Permit(unresponsive=frozenset({"a"}))])
    def test_not_while_the_guard_has_a_reason(self, permit: Permit) -> None:
        assert not self.ready(der("b", 0.0, 0.0, NOW_S), permit=permit)


class TestStack:
    def test_the_tightest_comes_first_and_everyone_is_named(self) -> None:
        overrides = (
            Override("test", 1e9, limit_w=30.0),
            Override("portal", 1e9, limit_w=float("inf")),
            Override("test", 1e9, limit_w=5.0, der="b"),
            Override("test", 1e9, pickup_w=1.0),
        )
        _, wish = scanned(seen(overrides=overrides), running())
        assert [(n.by, n.limit_w, n.der) for n in wish.narrowings] == [
            ("test", 30.0, None),
            ("export-limit", 60.0, None),
            ("nameplate", 100.0, None),
            ("portal", float("inf"), None),
            ("test", 5.0, "b"),
        ]
        assert wish.limits_w == {"a": 20.0, "b": 5.0}

    def test_below_an_element_s_dropout_the_export_limit_is_told_too(self) -> None:
        tight = replace(SETTINGS, ceiling_w=20.0, ceiling_by="32-dropout")
        _, wish = scanned(seen(), running(tight), tight)
        assert [(n.by, n.limit_w) for n in wish.narrowings] == [
            ("32-dropout", 60.0),
            ("export-limit", 65.0),
            ("nameplate", 100.0),
        ]

    @pytest.mark.parametrize(("ramp_s", "told"), [(0.5, 2), (0.0, 0)])
    def test_enter_service_is_told_up_to_the_end_of_its_ramp(self, ramp_s: float, told: int) -> None:
        _, wish = scanned(seen(), running(enter=EnterService(after_trip=True, ramp_s=ramp_s)))
        assert [narrowing.by for narrowing in wish.narrowings].count("enter-service") == told

    def test_a_der_without_a_contact_is_not_told_to_wait(self) -> None:
        _, wish = scanned(seen(), running(enter=EnterService(after_trip=False, ramp_s=90.0)))
        assert [n.der for n in wish.narrowings if n.by == "enter-service"] == ["b"]

    @pytest.mark.parametrize("limit_w", [float("nan"), -5.0, 0.0])
    def test_what_is_no_limit_allows_nothing(self, limit_w: float) -> None:
        for name in (None, "b"):
            _, wish = scanned(seen(overrides=(Override("test", 1e9, limit_w=limit_w, der=name),)), running())
            assert wish.limits_w["b"] == 0.0
            assert (wish.limits_w["a"] == 0.0) is (name is None)

    def test_an_override_of_a_der_that_is_not_there_has_no_effect(self) -> None:
        _, wish = scanned(seen(overrides=(Override("test", 1e9, limit_w=1.0, der="zz"),)), running())
        assert sum(wish.limits_w.values()) == pytest.approx(60.0)

    def test_in_fallback_the_total_stands_for_the_ceiling(self) -> None:
        _, wish = scanned(seen(export_w=None), running())
        assert wish.narrowings[0].by == "fallback"
        assert sum(wish.limits_w.values()) == pytest.approx(24.0)
        assert [event.kind for event in wish.events] == ["fallback"]

    def test_enter_service_narrows_each_der(self) -> None:
        ramping = EnterService(after_trip=True, ramp_s=90.0)
        _, wish = scanned(seen(), running(enter=ramping))
        singles = wish.narrowings[2:]
        assert [(narrowing.by, narrowing.der) for narrowing in singles] == [
            ("enter-service", "a"),
            ("enter-service", "b"),
        ]
        assert [narrowing.limit_w for narrowing in singles] == [pytest.approx(2.0), pytest.approx(8.0)]
        assert not wish.entered

    def test_service_is_told_when_the_ramp_is_over(self) -> None:
        _, wish = scanned(seen(), running(enter=EnterService(after_trip=True, ramp_s=0.0)))
        assert [event.kind for event in wish.events] == ["in-service"]
        assert wish.entered


class TestStart:
    def test_the_first_scans_never_loosen_what_the_devices_hold(self) -> None:
        state = core_start(SETTINGS, NOW_S, 0.0, after_trip=False)
        assert (state.fallback.active, state.fallback.starting) == (True, True)
        held = replace(seen(), ders=(der("a", 0.0, 1.5, NOW_S), der("b", 0.0, 2.5, NOW_S)))
        after, wish = scanned(held, state._replace(enter=IN_SERVICE))
        assert wish.limits_w == {"a": 1.5, "b": 2.5}
        assert after.fallback.starting

    def test_a_limit_never_read_is_no_cap_but_the_fallback_holds(self) -> None:
        state = core_start(SETTINGS, NOW_S, 0.0, after_trip=False)
        unread = replace(
            seen(), ders=(DerReading("a", Sample.none(), Sample.none()), der("b", 0.0, 0.0, NOW_S))
        )
        _, wish = scanned(unread, state, service=False)
        assert wish.limits_w == {"a": 20.0, "b": 0.0}

    @pytest.mark.parametrize(("a_w", "ends"), [(4.0, True), (14.0, True), (14.6, False)])
    def test_fallback_ends_only_when_those_heard_leave_room_for_the_unheard(
        self, a_w: float, ends: bool
    ) -> None:
        state = running(PROVEN, fallback=replace(FALLBACK, sighted_s=0.0))
        at = replace(seen(), ders=(der("a", 0.0, a_w, NOW_S), lost(0.0)))  # b counts 10 of the 24 W
        assert (not scanned(at, state, PROVEN)[0].fallback.active) is ends

    @pytest.mark.parametrize(("a_w", "ends"), [(0.45, True), (0.55, False)])
    def test_with_no_room_left_only_rounding_is_allowed(self, a_w: float, ends: bool) -> None:
        """Half a percent of nameplate, of 100 W; b counts more than the whole total."""
        state = running(fallback=replace(FALLBACK, sighted_s=0.0))
        at = replace(seen(), ders=(der("a", 0.0, a_w, NOW_S), lost(0.0)))
        assert (not scanned(at, state)[0].fallback.active) is ends

    @pytest.mark.parametrize("sequence", [0, 1, 2])
    def test_the_first_sample_is_new_whatever_its_number(self, sequence: int) -> None:
        state = core_start(SETTINGS, 99.0, 0.0, after_trip=False)
        assert scanned(seen(sequence=sequence), state)[0].limiter.sequence == sequence
        assert scanned(seen(sequence=sequence), state)[0].limiter.export_w == 0.0

    def test_fallback_ends_with_a_word(self) -> None:
        state = running(fallback=replace(FALLBACK, sighted_s=0.0), limiter=Limiter(24.0, 1, 99.8, Noise(0.0)))
        held = replace(seen(), ders=(der("a", 0.0, 4.0, NOW_S), der("b", 0.0, 20.0, NOW_S)))
        after, wish = scanned(held, state)
        assert not after.fallback.active
        assert [event.kind for event in wish.events] == ["fallback-end"]
        assert sum(wish.limits_w.values()) == pytest.approx(24.0)


@pytest.mark.parametrize(("ceiling_w", "left_w"), [(0.0, 0.0), (10.0, 10.0), (24.0, 24.0), (60.0, 24.0)])
@pytest.mark.parametrize("blind", [True, False])
def test_a_fallback_never_raises_a_ceiling_that_stood_lower(
    ceiling_w: float, left_w: float, blind: bool
) -> None:
    """Entered blind or forced by the guard in the middle of an excursion: 24 W is its most, not its least."""
    state = running(limiter=Limiter(ceiling_w, 1, 99.8, Noise(0.0)))
    at = image(pcc(None if blind else 90.0, NOW_S), der("a", 20.0, 4.0, NOW_S), der("b", 80.0, 20.0, NOW_S))
    after, wish = scanned(at, state, permit=Permit(force_fallback=not blind))
    assert after.fallback.active
    assert [event.kind for event in wish.events] == ["fallback"]
    assert ("guard forced" in wish.events[0].detail) is not blind
    assert sum(wish.limits_w.values()) == pytest.approx(left_w)
