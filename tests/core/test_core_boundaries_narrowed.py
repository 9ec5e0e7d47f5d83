"""The limits of DERs are brought down until each phase holds: only down, far enough, and fairly."""

from __future__ import annotations

from dataclasses import replace

import pytest
from core_bench import SETTINGS
from hypothesis import given, settings
from hypothesis import strategies as st
from phase_bench import PHASES, phase

from edge.core.boundaries import narrowed, narrowings, on_phase_w
from edge.core.settings import CoreSettings, DerPlant
from edge.model.commands import Narrowing

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
