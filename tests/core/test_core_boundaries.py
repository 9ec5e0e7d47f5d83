"""Each phase is held as the whole site is, apparent power as active power beside the reactive flow; both only narrow."""

from __future__ import annotations

import itertools
import math
from dataclasses import replace
from typing import Any

import pytest
from core_bench import SETTINGS, pcc
from hypothesis import given
from hypothesis import strategies as st
from phase_bench import KVA, NOBODY, PHASES, TRACKS, by_phase, limiter, phase, with_var

from edge.core.boundaries import (
    PhaseRoom,
    aim_w,
    blind_total_w,
    ceiling_by,
    ceilings_w,
    events,
    phase_rooms,
    regulated,
    taken_w,
)
from edge.core.limiter import Limiter, correct
from edge.core.noise import Noise
from edge.core.reactive import Reactive
from edge.core.settings import CoreSettings
from edge.model.sample import Sample


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
        cloudy = (TRACKS[0], TRACKS[1]._replace(seen_s=99.5, weather_w=20.0, export_w=30.0))
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


def test_every_pair_of_phases_may_be_limited() -> None:
    """A site with two phases has two."""
    for places in itertools.combinations(range(3), 2):
        site = replace(PHASES, phases=tuple(PHASES.phases[place] for place in places))
        rooms = phase_rooms(site, (limiter(), limiter()), {}, {})
        assert [type(room) for room in rooms] == [PhaseRoom, PhaseRoom]
