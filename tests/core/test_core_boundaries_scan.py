"""Boundaries in whole scans of the limiter, and of what stands in for it."""

from __future__ import annotations

from dataclasses import replace

import pytest
from core_bench import NONE, SETTINGS, A, B, der, image, pcc, still
from hypothesis import given, settings
from hypothesis import strategies as st
from phase_bench import KVA, PHASES, TRACKS, by_phase, limiter, phase, with_var

from edge.core.boundaries import on_phase_w
from edge.core.control import core_start, core_step
from edge.core.failed import stand_in
from edge.core.limiter import Limiter
from edge.core.noise import Noise
from edge.core.settings import CoreSettings
from edge.model.permit import Permit
from edge.model.sample import Sample

REGULATING = core_start(PHASES, 0.0, 0.0, after_trip=False)._replace(
    limiter=limiter(80.0),
    phases=(limiter(80.0), limiter(80.0), limiter(80.0)),
    tracks=TRACKS,
)
REGULATING = REGULATING._replace(
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
        state = REGULATING._replace(tracks=tracks)
        after, wish = core_step(seen, PHASES, state, Permit(), 100.0, in_service=True)
        without = core_step(
            seen, replace(PHASES, phases=()), state._replace(phases=()), Permit(), 100.0, in_service=True
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
        state = REGULATING._replace(
            fallback=replace(REGULATING.fallback, active=True, since_s=90.0, sighted_s=91.0)
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
        state = REGULATING._replace(fallback=blind)
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
            state = REGULATING._replace(enter=replace(REGULATING.enter, done=False))
            after, _ = core_step(seen, generous, state, Permit(), 100.0, in_service=False)
            assert after.enter.ready is may

    def test_it_starts_with_every_phase_at_what_may_come_there(self) -> None:
        start = core_start(PHASES, 7.0, 3.0, after_trip=False)
        assert start.phases == tuple(Limiter(each.nameplate_w, -1, 7.0, Noise(9.0)) for each in PHASES.phases)

    def test_the_flow_that_takes_everything_is_told(self) -> None:
        seen = image(with_var(0.0, 40.0), der("a", 12.0, 12.0, 100.0), der("b", 48.0, 48.0, 100.0))
        state = REGULATING._replace(phases=())
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
