"""Each phase is held as the whole site is, apparent power as active power beside the reactive flow; both only narrow."""

from __future__ import annotations

import itertools
import math
from dataclasses import replace
from typing import Any

import pytest
from core_bench import NONE, SETTINGS, A, B, der, image, pcc, still
from hypothesis import given, settings
from hypothesis import strategies as st
from phase_bench import PHASES, by_phase, phase, with_var

from edge.core.boundaries import (
    PhaseRoom,
    aim_w,
    blind_total_w,
    ceiling_by,
    ceilings_w,
    events,
    narrowed,
    narrowings,
    on_phase_w,
    phase_rooms,
    regulated,
    taken_w,
)
from edge.core.control import core_start, core_step
from edge.core.failed import stand_in
from edge.core.limiter import Limiter, correct
from edge.core.noise import Noise
from edge.core.reactive import Reactive
from edge.core.settings import CoreSettings, DerPlant
from edge.model.commands import Narrowing
from edge.model.permit import Permit
from edge.model.sample import Sample

NOBODY = frozenset[str]()
KVA = replace(SETTINGS, limit_va=25.0, expected_var=15.0)
"""25 W and 25 VA; 15 var leave 20 W."""
TRACKS = still(A, 12.0, 100.0, last_w=12.0), still(B, 48.0, 100.0, last_w=48.0)


def limiter(ceiling_w: float = 60.0, var: float | None = None, **swaps: object) -> Limiter:
    """One that has used sample 0; with a reactive flow that it has seen, free of noise."""
    reactive = None if var is None else Reactive(var, Noise(0.0, var))
    return replace(Limiter(ceiling_w, 0, 99.8, Noise(0.0), reactive=reactive), **swaps)  # type: ignore[arg-type]


def corrected(settings: CoreSettings, was: Limiter, *seen: Any) -> Limiter:
    """The limiter of a boundary after a scan, without fallback."""
    return regulated(settings, was, None, *seen)


class TestPhase:
    """The law of the whole site, for the part of each DER that is on the phase."""

    def test_the_load_of_a_phase_is_what_its_ders_put_there_less_what_it_exports(self) -> None:
        """12 W of a and a quarter of 48 W of b, less 14 W: a load of 10 W; 9 W over that may be made."""
        first = phase(0, 1.0, 0.25)
        found = corrected(first, limiter(24.0), TRACKS, NOBODY, by_phase(14.0, 0.0, 0.0), 100.0)
        assert found.ceiling_w == pytest.approx(10.0 + 9.0)
        assert found.export_w == 14.0

    @pytest.mark.parametrize("export_w", [-30.0, 0.0, 8.9, 9.0, 9.1, 14.0, 60.0])
    def test_it_is_the_very_law(self, export_w: float) -> None:
        """On a phase that has everything, as on a site of that limit."""
        alone = replace(SETTINGS, ceiling_w=10.0, limit_w=10.0)
        for before in (limiter(24.0), limiter(90.0, load_w=30.0)):
            there = corrected(
                replace(alone, phase=1),
                before,
                TRACKS,
                NOBODY,
                by_phase(0.0, export_w, 0.0),
                100.0,
            )
            assert there == correct(alone, before, TRACKS, NOBODY, pcc(export_w, 100.0), 100.0)

    def test_an_unheard_der_may_have_made_its_share(self) -> None:
        first, shown = phase(0, 1.0, 0.25), by_phase(14.0, 0.0, 0.0)
        assert corrected(
            first, limiter(24.0), TRACKS, frozenset({"b"}), shown, 100.0
        ).ceiling_w == pytest.approx(max(0.0, -2.0 + 9.0))

    def test_what_the_weather_gives_back_is_judged_by_the_whole_sites_export(self) -> None:
        """b is held down by clouds since a total of 30 W; the total has not risen, so neither has b."""
        cloudy = (TRACKS[0], replace(TRACKS[1], seen_s=99.5, weather_w=20.0, export_w=30.0))
        found = corrected(phase(0, 0.0, 0.5), limiter(40.0), cloudy, NOBODY, by_phase(29.0, 1.0, 0.0), 100.0)
        assert found.load_w == pytest.approx(0.5 * 20.0 - 29.0)

    def test_a_reading_without_the_phase_corrects_nothing(self) -> None:
        before = limiter(24.0)
        assert corrected(PHASES.phases[0], before, TRACKS, NOBODY, pcc(90.0, 100.0), 100.0) is before


class TestApparent:
    """25 VA beside a reactive flow, with a margin of 1 on either."""

    @pytest.mark.parametrize(
        ("var", "left_w"),
        [(0.0, math.sqrt(625.0 - 1.0)), (14.0, 20.0), (-14.0, 20.0), (23.0, 7.0), (24.0, 0.0), (60.0, 0.0)],
    )
    def test_the_aim_is_what_the_flow_and_its_noise_leave_less_the_margin(
        self, var: float, left_w: float
    ) -> None:
        """60 W made, 50 W exported: a load of 10 W."""
        found = corrected(KVA, limiter(), TRACKS, NOBODY, with_var(50.0, var), 100.0)
        assert found.ceiling_w == pytest.approx(max(0.0, 10.0 + left_w - 1.0))
        assert found.reactive == Reactive(abs(var), Noise(0.0, abs(var)))
        assert aim_w(KVA, found) == pytest.approx(left_w - 1.0)

    @given(st.floats(0.0, 100.0), st.floats(-100.0, 100.0))
    def test_active_and_reactive_power_together_stay_within(self, load_w: float, var: float) -> None:
        """Once the DERs make what the ceiling says, whatever the load and the flow are."""
        made_w = 60.0
        found = corrected(KVA, limiter(), TRACKS, NOBODY, with_var(made_w - load_w, var), 100.0)
        export_w = min(found.ceiling_w, made_w) - load_w
        assert export_w <= 1e-9 or math.hypot(export_w, var) <= 25.0 + 1e-9

    def test_without_a_limit_in_va_the_flow_is_nothing(self) -> None:
        found = corrected(SETTINGS, limiter(), TRACKS, NOBODY, with_var(50.0, 24.0), 100.0)
        assert found.reactive is None
        assert found.ceiling_w == pytest.approx(34.0)
        assert aim_w(SETTINGS, found) == 24.0

    def test_no_reactive_power_no_correction(self) -> None:
        before = limiter(var=5.0)
        for shown in (pcc(50.0, 100.0), replace(with_var(50.0, 3.0), export_var=Sample.good(3.0, 98.9))):
            assert corrected(KVA, before, TRACKS, NOBODY, shown, 100.0) is before

    def test_a_sample_is_used_once(self) -> None:
        before = limiter(var=5.0)
        assert corrected(KVA, before, TRACKS, NOBODY, with_var(50.0, 20.0, sequence=0), 100.0) is before

    def test_by_phase_it_is_that_phases_flow(self) -> None:
        third = phase(2, 0.0, 0.5, limit_va=10.0)
        shown = replace(
            by_phase(0.0, 0.0, 30.0),
            phase_export_var=tuple(Sample.good(var, 100.0) for var in (9.9, 9.9, 5.0)),
        )
        found = corrected(third, limiter(40.0), TRACKS, NOBODY, shown, 100.0)
        assert found.ceiling_w == pytest.approx(max(0.0, -6.0 + math.sqrt(100.0 - 36.0) - 1.0))
        assert found.reactive == Reactive(5.0, Noise(0.0, 5.0))

    @pytest.mark.parametrize(("var", "by"), [(None, "export-limit"), (0.0, "export-limit-va")])
    def test_what_the_ceiling_stands_for(self, var: float | None, by: str) -> None:
        assert ceiling_by(KVA, limiter(var=var)) == by
        assert ceiling_by(SETTINGS, limiter()) == "export-limit"
        assert ceiling_by(replace(KVA, limit_va=40.0), limiter(var=14.0)) == "export-limit"

    @pytest.mark.parametrize(("var", "taken"), [(0.0, 0.0), (15.0, 5.0), (25.0, 25.0), (26.0, 25.0)])
    def test_what_a_flow_takes(self, var: float, taken: float) -> None:
        assert taken_w(KVA, var) == pytest.approx(taken)
        assert taken_w(SETTINGS, var) == 0.0
        assert taken_w(replace(KVA, ceiling_w=10.0), 15.0) == 0.0

    def test_a_flow_that_takes_everything_is_told_once(self) -> None:
        """With its margin of 1 a flow of 24 var is the whole of 25 VA."""
        calm, just, full = limiter(var=23.9), limiter(var=24.0), limiter(var=30.0)
        assert events(KVA, (calm,), (calm,), 7.0) == []
        (told,) = events(KVA, (calm,), (just,), 7.0)
        assert (told.kind, told.at_s) == ("alarm", 7.0)
        assert told.detail == (
            "a reactive flow of 25 var takes all of the export limit of 25 VA: no active power may be exported"
        )
        assert events(KVA, (just,), (full,), 7.0) == []
        assert events(SETTINGS, (calm,), (full,), 7.0) == []

    def test_the_phase_is_named(self) -> None:
        site = replace(SETTINGS, phases=(phase(2, 0.0, 1.0, limit_va=10.0),))
        (told,) = events(site, (limiter(), limiter()), (limiter(), limiter(var=9.0)), 7.0)
        assert "10 var on phase c takes all of the export limit of 10 VA" in told.detail


class TestBlind:
    """What may be made when nobody sees what flows."""

    @pytest.mark.parametrize(
        ("seen_var", "total_w"), [(None, 19.0), (0.0, 19.0), (14.0, 19.0), (19.0, 14.0), (24.0, 0.0)]
    )
    def test_the_larger_of_what_was_seen_and_what_is_expected_counts(
        self, seen_var: float | None, total_w: float
    ) -> None:
        assert blind_total_w(KVA, limiter(var=seen_var), 24.0) == pytest.approx(total_w)

    def test_unmanaged_generation_counts(self) -> None:
        assert blind_total_w(replace(KVA, unmanaged_w=7.0), limiter(), 24.0) == pytest.approx(12.0)
        assert blind_total_w(replace(SETTINGS, unmanaged_w=30.0), limiter(), 24.0) == 0.0

    def test_unequal_voltages_are_allowed_for(self) -> None:
        assert blind_total_w(phase(0, 1.0, 0.25, unbalance=1.25), limiter(), 9.0) == pytest.approx(7.2)

    def test_in_fallback_the_ceiling_is_no_higher_and_a_lower_one_stays(self) -> None:
        old = pcc(0.0, 0.0, sequence=0)
        for before_w, blind_w, after_w in [
            (60.0, None, 60.0),
            (60.0, 24.0, 24.0),
            (24.0, 24.0, 24.0),
            (5.0, 24.0, 5.0),
        ]:
            before = limiter(before_w)
            after = regulated(SETTINGS, before, blind_w, TRACKS, NOBODY, old, 100.0)
            assert after.ceiling_w == after_w
            assert (after is before) == (after_w == before_w)

    def test_rooms_count_what_may_be_there(self) -> None:
        """By phase: 1 of margin off 10 W; of a 4 or 8 W, of b a share of 20 or 40 W."""
        limiters = (limiter(), limiter(), limiter())
        rooms = phase_rooms(PHASES, limiters, {"a": 4.0, "b": 20.0}, {"a": 8.0, "b": 40.0})
        assert [(room.blind_w, room.counted_w, room.closed_w) for room in rooms] == [
            (9.0, 9.0, 18.0),
            (9.0, 5.0, 10.0),
            (9.0, 10.0, 20.0),
        ]
        assert [room.settings for room in rooms] == list(PHASES.phases)
        assert ceilings_w(rooms, (limiter(9.5), limiter(7.0), limiter(3.0))) == (0.5, 2.0, -7.0)
        assert [room.counted_w for room in phase_rooms(PHASES, limiters, {}, {})] == [0.0, 0.0, 0.0]


NAMES = "uvwx"
SHARES = [(1.0, 0.0, 0.0), (0.0, 1.0, 0.0), (0.5, 0.5, 0.0), (1 / 3, 1 / 3, 1 / 3)]


def site_of(shares: list[tuple[float, float, float]], min_w: float = 0.0) -> CoreSettings:
    """A site of DERs with these shares of the three phases."""
    plants = [DerPlant(NAMES[index], 100.0, 0.2, 20.0, min_w, 0.0, 1.0, None) for index in range(len(shares))]
    return replace(
        SETTINGS,
        ders=tuple(plants),
        phases=tuple(
            replace(
                phase(place, 1.0, 0.0),
                ders=tuple(
                    replace(plant, share=each[place]) for plant, each in zip(plants, shares, strict=True)
                ),
            )
            for place in range(3)
        ),
    )


POWER_W = st.floats(0.0, 100.0, allow_subnormal=False)
CEILINGS_W = st.tuples(*[st.floats(-50.0, 300.0)] * 3)


class TestNarrowed:
    """Only down, and far enough."""

    @given(
        st.lists(st.sampled_from(SHARES), min_size=1, max_size=4),
        st.data(),
        CEILINGS_W,
        st.sampled_from([0.0, 5.0]),
    )
    @settings(max_examples=400, deadline=None)
    def test_no_phase_passes_its_ceiling_and_nothing_is_widened(
        self,
        shares: list[tuple[float, float, float]],
        data: st.DataObject,
        ceilings: tuple[float, float, float],
        min_w: float,
    ) -> None:
        given_w = {NAMES[index]: data.draw(POWER_W) for index in range(len(shares))}
        found = narrowed(site_of(shares, min_w), dict(given_w), ceilings)
        assert found.keys() == given_w.keys()
        for name, limit_w in found.items():
            assert 0.0 <= limit_w <= given_w[name]
            assert limit_w == given_w[name] or limit_w == 0.0 or limit_w >= min_w
        for place, ceiling_w in enumerate(ceilings):
            made_w = sum(each[place] * found[name] for each, name in zip(shares, found, strict=True))
            assert made_w <= max(0.0, ceiling_w) + 1e-9
        if all(
            sum(each[place] * given_w[name] for each, name in zip(shares, given_w, strict=True))
            <= max(0.0, ceiling_w)
            for place, ceiling_w in enumerate(ceilings)
        ):
            assert found == given_w

    @pytest.mark.parametrize("ceiling_w", [-1.0, 0.0, 0.1, 10.0, 29.9, 30.0, 30.1, 99.0])
    def test_no_more_than_needed_is_taken(self, ceiling_w: float) -> None:
        """20 W on a alone and 30 W on all three: 30 W on a."""
        found = narrowed(site_of([SHARES[0], SHARES[3]]), {"u": 20.0, "v": 30.0}, (ceiling_w, 99.0, 99.0))
        assert found["u"] + found["v"] / 3 == pytest.approx(min(30.0, max(0.0, ceiling_w)))

    @pytest.mark.parametrize("over_w", [0.03, 0.3, 3.0, 11.0])
    def test_each_is_cut_by_its_share(self, over_w: float) -> None:
        """A third of the part, off one whose watts are worth a third there."""
        found = narrowed(site_of([SHARES[0], SHARES[3]]), {"u": 20.0, "v": 30.0}, (30.0 - over_w, 99.0, 99.0))
        assert (30.0 - found["v"]) / 30.0 == pytest.approx((20.0 - found["u"]) / 20.0 / 3)

    @pytest.mark.parametrize("place", [0, 1, 2])
    def test_equal_shares_are_scaled_alike(self, place: int) -> None:
        ceilings = [99.0, 99.0, 99.0]
        ceilings[place] = 5.0
        found = narrowed(site_of([SHARES[3]] * 2), {"u": 20.0, "v": 40.0}, tuple(ceilings))
        assert found == {"u": pytest.approx(5.0), "v": pytest.approx(10.0)}

    def test_one_that_is_off_leaves_the_rest_to_the_others(self) -> None:
        """With 20 W and 60 W of which a third counts: from 25 W over, the first is off and the other gives the rest."""
        for over_w, first_w in [(20.0, 5.0), (25.0, 1.25), (26.0, 0.5), (30.0, 0.0), (39.0, 0.0)]:
            found = narrowed(
                site_of([SHARES[0], SHARES[3]]), {"u": 20.0, "v": 60.0}, (40.0 - over_w, 99.0, 99.0)
            )
            assert found["u"] == pytest.approx(first_w)
            assert found["u"] + found["v"] / 3 == pytest.approx(40.0 - over_w)

    @pytest.mark.parametrize(("least_w", "limit_w"), [(4.9, 5.0), (5.0, 5.0), (5.1, 0.0)])
    def test_below_its_minimum_a_der_is_off(self, least_w: float, limit_w: float) -> None:
        found = narrowed(site_of([SHARES[0]], least_w), {"u": 20.0}, (5.0, 0.0, 0.0))
        assert found == {"u": pytest.approx(limit_w)}

    def test_a_der_that_is_given_nothing_is_left_out(self) -> None:
        assert narrowed(site_of([SHARES[0]] * 2), {"u": 20.0}, (5.0, 0.0, 0.0)) == {"u": pytest.approx(5.0)}
        assert narrowed(site_of([SHARES[0]] * 2), {"u": 0.0, "v": 9.0}, (-1.0, 0.0, 0.0)) == {
            "u": 0.0,
            "v": 0.0,
        }

    def test_what_storage_absorbs_makes_no_more_room_than_the_phase_has(self) -> None:
        """20 W on a, where storage is told to take 5 W: below 0 the ceiling asks for some of that itself."""
        plant, told_w = site_of([SHARES[0], SHARES[0]]), {"u": 20.0, "v": -5.0}
        for ceiling_w, absorbed_w, limit_w in (
            (30.0, 5.0, 20.0),
            (0.0, 5.0, 5.0),
            (-3.0, 5.0, 2.0),
            (-5.0, 5.0, 0.0),
            (-9.0, 5.0, 0.0),
            (0.0, 2.0, 2.0),
            (-3.0, 2.0, 0.0),
            (10.0, 0.0, 10.0),
        ):
            found = narrowed(plant, dict(told_w), (ceiling_w, 99.0, 99.0), {"v": absorbed_w})
            assert found == {"u": pytest.approx(limit_w), "v": -5.0}, (ceiling_w, absorbed_w)

    @pytest.mark.parametrize(("absorbed_w", "room_w"), [({"v": 15.0}, 15.0), ({"v": 99.0}, 10.0), ({}, 30.0)])
    def test_storage_makes_room_by_what_it_was_measured_to_absorb(
        self, absorbed_w: dict[str, float], room_w: float
    ) -> None:
        """30 W beside storage that is told to absorb 20 W."""
        site = site_of([SHARES[0]] * 2)
        for ceiling_w, first_w in [(room_w, 30.0), (room_w - 0.05, 29.95)]:
            found = narrowed(site, {"u": 30.0, "v": -20.0}, (ceiling_w, 0.0, 0.0), absorbed_w)
            assert found == {"u": pytest.approx(first_w), "v": -20.0}

    def test_powers_on_a_phase(self) -> None:
        assert on_phase_w(PHASES.phases[0], {"a": 3.0, "b": 8.0}) == 5.0
        assert on_phase_w(PHASES.phases[1], {"a": 3.0}) == 0.0

    def test_they_are_told_with_what_they_stand_for(self) -> None:
        assert narrowings(PHASES, (1.0, 2.0, 3.0)) == (
            Narrowing("export-limit-a", 1.0),
            Narrowing("export-limit-b", 2.0),
            Narrowing("export-limit-c", 3.0),
        )


REGULATING = replace(
    core_start(PHASES, 0.0, 0.0, after_trip=False),
    limiter=limiter(80.0),
    phases=(limiter(80.0), limiter(80.0), limiter(80.0)),
    tracks=TRACKS,
)
REGULATING = replace(
    REGULATING,
    fallback=replace(REGULATING.fallback, active=False, starting=False),
    enter=replace(REGULATING.enter, done=True),
)
ASKED_W = st.floats(-80.0, 80.0)


class TestStep:
    """In the limiter's scan."""

    @given(ASKED_W, ASKED_W, ASKED_W, st.floats(0.0, 20.0), st.floats(0.0, 80.0))
    @settings(max_examples=300, deadline=None)
    def test_no_reading_puts_more_on_a_phase_than_its_ceiling_nor_widens_the_whole(
        self, first_w: float, second_w: float, third_w: float, a_w: float, b_w: float
    ) -> None:
        """The rule: what the DERs made there, less what went out, and the limit."""
        tracks = still(A, a_w, 100.0, last_w=a_w), still(B, b_w, 100.0, last_w=b_w)
        seen = image(
            by_phase(first_w, second_w, third_w), der("a", a_w, a_w, 100.0), der("b", b_w, b_w, 100.0)
        )
        state = replace(REGULATING, tracks=tracks)
        after, wish = core_step(seen, PHASES, state, Permit(), 100.0, in_service=True)
        without = core_step(
            seen, replace(PHASES, phases=()), replace(state, phases=()), Permit(), 100.0, in_service=True
        )[1]
        for each, was_w in without.limits_w.items():
            assert wish.limits_w[each] <= was_w + 1e-9
        for place, (part_a, part_b) in enumerate([(1.0, 0.25), (0.0, 0.25), (0.0, 0.5)]):
            load_w = part_a * a_w + part_b * b_w - (first_w, second_w, third_w)[place]
            made_w = part_a * wish.limits_w["a"] + part_b * wish.limits_w["b"]
            assert made_w <= after.phases[place].ceiling_w + 1e-9
            assert made_w <= max(0.0, load_w + 10.0) + 1e-9

    def test_the_ceilings_are_told_behind_those_on_the_sum(self) -> None:
        seen = image(by_phase(14.0, 0.0, 0.0), der("a", 12.0, 12.0, 100.0), der("b", 48.0, 48.0, 100.0))
        after, wish = core_step(seen, PHASES, REGULATING, Permit(), 100.0, in_service=True)
        told = [each for each in wish.narrowings if each.by.startswith("export-limit-")]
        assert [each.limit_w for each in told] == [each.ceiling_w for each in after.phases]
        assert told[0].limit_w == pytest.approx(19.0)

    @pytest.mark.parametrize("lacks", ["phase", "stale phase", "var"])
    def test_without_sight_of_all_that_is_limited_it_falls_back(self, lacks: str) -> None:
        both = replace(KVA, phases=PHASES.phases)
        shown = replace(by_phase(0.0, 0.0, 0.0), export_var=Sample.good(0.0, 100.0))
        if lacks == "phase":
            shown = replace(shown, phase_export_w=shown.phase_export_w[:2])
        elif lacks == "stale phase":
            shown = replace(shown, phase_export_w=(Sample.good(0.0, 98.9), *shown.phase_export_w[1:]))
        else:
            shown = replace(shown, export_var=NONE)
        seen = image(shown, der("a", 12.0, 12.0, 100.0), der("b", 48.0, 48.0, 100.0))
        after, wish = core_step(seen, both, REGULATING, Permit(), 100.0, in_service=True)
        assert after.fallback.active
        for part_a, part_b in [(1.0, 1.0), (1.0, 0.25), (0.0, 0.25), (0.0, 0.5)]:
            within_w = 19.0 if part_b == 1.0 else 9.0
            assert part_a * wish.limits_w["a"] + part_b * wish.limits_w["b"] <= within_w + 1e-9

    @pytest.mark.parametrize(("b_limit_w", "left"), [(10.0, True), (19.0, False)])
    def test_it_is_left_only_with_limits_that_keep_each_phase_within(
        self, b_limit_w: float, left: bool
    ) -> None:
        """On phase c half of b: 9 W at zero load, and half a percent of what is there."""
        state = replace(
            REGULATING, fallback=replace(REGULATING.fallback, active=True, since_s=90.0, sighted_s=91.0)
        )
        seen = image(by_phase(0.0, 0.0, 0.0), der("a", 0.0, 0.0, 99.0), der("b", 0.0, b_limit_w, 99.0))
        after, _ = core_step(seen, PHASES, state, Permit(), 100.0, in_service=True)
        assert after.fallback.active is not left

    @pytest.mark.parametrize(
        ("held_w", "a_limit_w", "left"),
        [(8.0, 7.19, True), (8.0, 7.21, False), (60.0, 0.19, True), (60.0, 0.21, False)],
    )
    def test_it_is_left_only_with_room_for_those_unheard(
        self, held_w: float, a_limit_w: float, left: bool
    ) -> None:
        """9 W on phase a less a quarter of what b may be making, and half a percent of the 40 W that are there."""
        generous = replace(PHASES, ceiling_w=200.0, ders=(A, replace(B, unheard_w=0.0)))
        blind = replace(REGULATING.fallback, active=True, since_s=90.0, sighted_s=91.0)
        silent = der("b", held_w, held_w, 99.0, reachable=False)
        seen = image(by_phase(0.0, 0.0, 0.0), der("a", 0.0, a_limit_w, 99.0), silent)
        state = replace(REGULATING, fallback=blind)
        after, _ = core_step(seen, generous, state, Permit(), 100.0, in_service=True)
        assert after.fallback.active is not left

    @pytest.mark.parametrize(("held_w", "opens"), [(18.0, False), (19.9, False), (20.1, True)])
    def test_an_unheard_der_that_breaks_one_phase_alone_is_cut_off(self, held_w: float, opens: bool) -> None:
        """9 W are left on phase c, and 1 W is allowed for; b has half of its power there."""
        generous = replace(PHASES, ceiling_w=80.0, ders=(A, replace(B, unheard_w=0.0)))
        silent = der("b", held_w, held_w, 100.0, reachable=False)
        seen = image(pcc(None, 0.0), der("a", 0.0, 0.0, 100.0), silent)
        after, wish = core_step(seen, generous, REGULATING, Permit(), 100.0, in_service=True)
        assert (wish.isolate == {"k"}) is opens
        held = core_step(seen, generous, REGULATING, Permit(), 100.0, in_service=False)[0]
        assert (held.enter.window_s is None) is True
        assert after.lost == {"b"}

    def test_a_contact_is_not_closed_onto_a_phase_that_an_unheard_der_breaks(self) -> None:
        generous = replace(PHASES, ceiling_w=80.0, ders=(A, replace(B, unheard_w=0.0)), enter_delay_s=0.0)
        shown = replace(by_phase(0.0, 0.0, 0.0), v_pu=Sample.good(1.0, 100.0), f_hz=Sample.good(60.0, 100.0))
        for held_w, may in [(19.9, True), (20.1, False)]:
            silent = der("b", held_w, held_w, 100.0, reachable=False)
            seen = image(shown, der("a", 0.0, 0.0, 100.0), silent)
            state = replace(REGULATING, enter=replace(REGULATING.enter, done=False))
            after, _ = core_step(seen, generous, state, Permit(), 100.0, in_service=False)
            assert after.enter.ready is may

    def test_it_starts_with_every_phase_at_what_may_come_there(self) -> None:
        start = core_start(PHASES, 7.0, 3.0, after_trip=False)
        assert start.phases == tuple(Limiter(each.nameplate_w, -1, 7.0, Noise(9.0)) for each in PHASES.phases)

    def test_the_flow_that_takes_everything_is_told(self) -> None:
        seen = image(with_var(0.0, 40.0), der("a", 12.0, 12.0, 100.0), der("b", 48.0, 48.0, 100.0))
        state = replace(REGULATING, phases=())
        _, wish = core_step(seen, KVA, state, Permit(), 100.0, in_service=True)
        assert [event.kind for event in wish.events] == ["alarm"]
        assert wish.narrowings[0].by == "export-limit-va"


class TestFailed:
    """What stands in for the limiter keeps to the phases too."""

    def given_w(self, site: CoreSettings, **heard: bool) -> dict[str, float]:
        ders = [der(name, 0.0, 80.0, 10.0, reachable=heard.get(name, True)) for name in ("a", "b")]
        state = core_start(site, 0.0, 0.0, after_trip=False)
        after, wish = stand_in(image(pcc(0.0, 10.0), *ders), site, state, (20.0, 80.0), 0.0, 10.0)
        for each, limiter_of in zip(site.phases, after.phases, strict=True):
            assert limiter_of.ceiling_w == pytest.approx(on_phase_w(each, wish.limits_w))
        assert after.limiter.ceiling_w == pytest.approx(sum(wish.limits_w.values()))
        return wish.limits_w

    def test_at_zero_load_with_the_widest_margin(self) -> None:
        """23 W in sum are 4.6 and 18.4; phases a and c may have 8 W of 4.6 + 18.4 / 4 and of 18.4 / 2."""
        assert self.given_w(PHASES) == {"a": pytest.approx(4.6 - 0.96), "b": pytest.approx(16.0)}

    def test_an_unheard_der_counts_there_at_nameplate(self) -> None:
        generous = replace(PHASES, ceiling_w=200.0)
        assert self.given_w(generous) == {"a": 0.0, "b": pytest.approx(16.0)}, (
            "a is off before c is looked at"
        )
        assert self.given_w(generous, b=False) == {"a": 0.0, "b": 0.0}
        assert self.given_w(generous, a=False)["b"] == 0.0

    def test_unequal_voltages_are_allowed_for(self) -> None:
        """10 W on phase c less the widest margin are 8 W, of which 6.4 may be made; half of b is there."""
        site = replace(SETTINGS, ceiling_w=200.0, phases=(phase(2, 0.0, 0.5, unbalance=1.25),))
        assert self.given_w(site)["b"] == pytest.approx(12.8)

    def test_apparent_power_with_the_expected_flow(self) -> None:
        assert sum(self.given_w(KVA).values()) == pytest.approx(18.0)


def test_every_pair_of_phases_may_be_limited() -> None:
    """A site with two phases has two."""
    for places in itertools.combinations(range(3), 2):
        site = replace(PHASES, phases=tuple(PHASES.phases[place] for place in places))
        rooms = phase_rooms(site, (limiter(), limiter()), {}, {})
        assert [type(room) for room in rooms] == [PhaseRoom, PhaseRoom]
