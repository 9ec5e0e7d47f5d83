"""The limiter: one correction for each new sample, down at once, up by ramp, by what the data prove."""

from __future__ import annotations

from dataclasses import replace

import pytest
from core_bench import SETTINGS, A, B, pcc, still

from edge.core.limiter import Limiter, correct, followed, load_span, moved, target_w
from edge.core.noise import Noise
from edge.core.track import Track, sent

NOBODY = frozenset[str]()


def settled(a_w: float, b_w: float, seen_s: float = 100.0) -> tuple[Track, Track]:
    """Both DERs still at their limits, and seen there."""
    return still(A, a_w, seen_s, last_w=a_w), still(B, b_w, seen_s, last_w=b_w)


def after(
    ceiling_w: float, export_w: float, tracks: tuple[Track, ...], *, used_s: float = 99.8, **given: object
) -> Limiter:
    """One sample of now, at 100.0."""
    limiter = Limiter(ceiling_w, 0, used_s, Noise(0.0), load_w=given.get("load_w"))  # type: ignore[arg-type]
    lost = given.get("lost", NOBODY)
    reading = given.get("pcc", pcc(export_w, 100.0))
    return correct(SETTINGS, limiter, tracks, lost, reading, 100.0)  # type: ignore[arg-type]  # named above


def test_the_target_is_the_ceiling_less_the_margin() -> None:
    assert target_w(SETTINGS, Noise(0.0)) == 24.0
    assert target_w(SETTINGS, Noise(0.25)) == 23.5
    assert target_w(SETTINGS, Noise(100.0)) == 23.0


@pytest.mark.parametrize("export_w", [-60.0, 0.0, 25.0, 60.0])
def test_the_load_of_settled_ders_is_a_point(export_w: float) -> None:
    assert load_span(SETTINGS, settled(10.0, 50.0), NOBODY, pcc(export_w, 100.0), export_w) == (
        60.0 - export_w,
        60.0 - export_w,
    )


def test_a_lost_der_may_have_made_anything_up_to_its_last() -> None:
    span = load_span(SETTINGS, settled(10.0, 50.0), frozenset({"b"}), pcc(25.0, 100.0), 25.0)
    assert span == (-15.0, 35.0)
    never = (settled(10.0, 50.0)[0], settled(10.0, 50.0)[1]._replace(last_w=None))
    assert load_span(SETTINGS, never, frozenset({"b"}), pcc(25.0, 100.0), 25.0) == (-15.0, -15.0)


def test_down_at_once_to_what_the_load_allows() -> None:
    assert after(60.0, 50.0, settled(12.0, 48.0)).ceiling_w == pytest.approx(10.0 + 24.0)


@pytest.mark.parametrize(
    ("export_w", "moves"),
    [(24.0, False), (24.19, False), (24.21, True), (30.0, True), (23.81, False), (23.79, True), (20.0, True)],
)
def test_a_fifth_of_the_margin_is_left_alone(export_w: float, moves: bool) -> None:
    """A limit that follows every breath of the load is written to flash memory at every sample."""
    found = after(60.0, export_w, settled(12.0, 48.0), used_s=0.0)
    assert found.ceiling_w == pytest.approx(60.0 - (export_w - 24.0) if moves else 60.0)


class TestFollowed:
    """The load that is known is 50 by `of` samples, the margin 4; one of 41 or less would put export over its ceiling."""

    def load(
        self, low_w: float, high_w: float, of: int = 7, drift_w: float = 0.0, over_w: float = 41.0
    ) -> tuple[float, int, float]:
        """The load after a sample, of how many it is the mean, and its drift."""
        limiter = Limiter(74.0, 0, 99.8, Noise(0.0), 24.0, 50.0, of, drift_w)
        return followed(limiter, low_w, high_w, over_w, 4.0)

    def test_the_first_sample_proves_its_low_end(self) -> None:
        assert followed(Limiter(100.0, 0, 99.8, Noise(0.0)), 30.0, 80.0, 40.0, 4.0) == (30.0, 1, 0.0)

    @pytest.mark.parametrize(("low_w", "high_w"), [(50.0, 50.0), (0.0, 100.0), (50.0, 90.0), (10.0, 50.0)])
    def test_what_a_sample_does_not_contradict_stays(self, low_w: float, high_w: float) -> None:
        """It was counted: a load told by one noisy sample was held to be the mean of five when the DERs had moved."""
        assert self.load(low_w, high_w, 7, 0.3) == (50.0, 7, 0.3)

    @pytest.mark.parametrize("load_w", [44.0, 47.0, 49.0, 51.0, 53.0, 56.0])
    @pytest.mark.parametrize(("of", "then"), [(1, 2), (7, 8), (30, 31), (31, 32), (32, 32)])
    def test_noise_is_averaged_out_over_up_to_32_samples(self, load_w: float, of: int, then: int) -> None:
        found_w, found_of, drift_w = self.load(load_w, load_w, of)
        assert found_w == pytest.approx(50.0 + (load_w - 50.0) / then)
        assert found_of == then
        assert found_w + drift_w == pytest.approx(50.0 + (load_w - 50.0) / 4)

    @pytest.mark.parametrize("load_w", [0.0, 40.0, 43.9, 56.1, 90.0])
    def test_a_step_is_followed_at_once(self, load_w: float) -> None:
        assert self.load(load_w, load_w, 7, 0.3) == (load_w, 1, 0.0)

    @pytest.mark.parametrize(("low_w", "high_w", "load_w"), [(0.0, 30.0, 30.0), (70.0, 90.0, 70.0)])
    def test_only_as_far_as_it_is_proven(self, low_w: float, high_w: float, load_w: float) -> None:
        assert self.load(low_w, high_w) == (load_w, 1, 0.0)

    @pytest.mark.parametrize(
        ("load_w", "drift_w", "gone_w"),
        [
            (54.0, 0.8, None),
            (54.1, 0.8, 1.625),
            (46.0, -0.8, None),
            (45.9, -0.8, -1.625),
            (55.9, 0.1, None),
            (50.1, 2.2, 1.675),
        ],
    )
    def test_where_it_stays_for_some_samples_there_it_is(
        self, load_w: float, drift_w: float, gone_w: float | None
    ) -> None:
        """A rise by three sigma took 32 samples, a fall one: the margin was a tenth larger than three sigma."""
        found_w, of, left_w = self.load(load_w, load_w, 15, drift_w)
        if gone_w is None:
            assert [found_w, of] == [pytest.approx(50.0 + (load_w - 50.0) / 16), 16]
        else:
            assert [found_w, of, left_w] == [pytest.approx(50.0 + gone_w), 2, 0.0]

    @pytest.mark.parametrize("sigmas", [2.5, 3.0, 4.0])
    def test_a_rise_below_a_step_is_told_within_eight_samples(self, sigmas: float) -> None:
        sigma_w = 4.0 / 3.0
        limiter = Limiter(74.0, 0, 99.8, Noise(0.0), 24.0, 50.0, 32)
        for _ in range(8):
            load_w, of, drift_w = followed(
                limiter, 50.0 + sigmas * sigma_w, 50.0 + sigmas * sigma_w, 40.0, 4.0
            )
            limiter = replace(limiter, load_w=load_w, averaged=of, drift_w=drift_w)
        assert load_w >= 50.0 + 0.8 * sigmas * sigma_w

    @pytest.mark.parametrize(("load_w", "found_w", "then"), [(48.0, 49.0, 2), (48.1, 50.0 - 1.9 / 9, 9)])
    def test_a_small_drop_that_puts_export_over_its_ceiling_by_a_sigma_is_met_half_way(
        self, load_w: float, found_w: float, then: int
    ) -> None:
        """All the way it fell by one sample's noise, and came back by averaging."""
        limiter = Limiter(74.0, 0, 99.8, Noise(0.0), 24.0, 50.0, 8)
        after_w, of, _ = followed(limiter, load_w, load_w, 49.0, 3.0)
        assert [after_w, of] == [pytest.approx(found_w), then]

    @pytest.mark.parametrize(
        ("of", "load_w", "found"),
        [
            (1, 48.0, (48.0, 1)),
            (7, 48.0, (48.0, 1)),
            (7, 48.1, (50.0 - 1.9 / 8, 8)),
            (8, 48.0, (50.0 - 2.0 / 9, 9)),
        ],
    )
    def test_one_that_has_moved_lately_is_followed_to_where_export_is_over_its_ceiling(
        self, of: int, load_w: float, found: tuple[float, int]
    ) -> None:
        after_w, then, _ = self.load(load_w, load_w, of, over_w=48.0)
        assert [after_w, then] == [pytest.approx(found[0]), found[1]]

    @pytest.mark.parametrize("fall_w", [0.8, 1.0, 1.36, 1.6, 1.84, 2.0, 2.4, 2.8, 3.2])
    def test_a_load_that_falls_on_and_on_is_caught_up_with(self, fall_w: float) -> None:
        """Met half-way each time, export stayed over its ceiling for as long as the load fell."""
        limiter, load_w, over = Limiter(74.0, 0, 0.0, Noise(0.0), 24.0, 54.0, 32), 54.0, 0
        for _ in range(200):
            load_w -= fall_w
            over = over + 1 if limiter.ceiling_w - load_w > 24.0 else 0
            assert over <= 3
            now_w, of, drift_w = followed(limiter, load_w, load_w, limiter.ceiling_w - 24.0, 4.0)
            limiter = replace(limiter, ceiling_w=now_w + 20.0, load_w=now_w, averaged=of, drift_w=drift_w)


@pytest.mark.parametrize("export_w", [24.5, 25.3, 25.4])
def test_small_noise_moves_nothing_and_an_excess_beyond_it_half_way(export_w: float) -> None:
    before = Limiter(60.0, 0, 99.8, Noise(0.0), 24.0, 36.0, 8)
    found = correct(SETTINGS, before, settled(12.0, 48.0), NOBODY, pcc(export_w, 100.0), 100.0)
    over = export_w > 25.33
    assert found.load_w == pytest.approx(36.0 - (export_w - 24.0) / (2 if over else 9))
    assert found.ceiling_w == pytest.approx(60.0 - 0.7 if over else 60.0)


@pytest.mark.parametrize(
    ("since_s", "ceiling_w"), [(0.0, 60.0), (0.2, 62.0), (1.0, 70.0), (2.0, 74.0), (9.0, 74.0)]
)
def test_up_by_ramp_to_what_the_load_calls_for(since_s: float, ceiling_w: float) -> None:
    assert after(60.0, 10.0, settled(12.0, 48.0), used_s=100.0 - since_s).ceiling_w == pytest.approx(
        ceiling_w
    )


def test_not_above_nameplate_and_not_below_zero() -> None:
    assert after(95.0, -90.0, settled(15.0, 80.0), used_s=0.0).ceiling_w == 100.0
    assert after(30.0, 90.0, settled(6.0, 24.0)).ceiling_w == 0.0


def test_a_sample_is_used_once_and_a_stale_one_never() -> None:
    before = Limiter(60.0, 1, 99.8, Noise(0.0))
    assert (
        correct(SETTINGS, before, settled(12.0, 48.0), NOBODY, pcc(90.0, 100.0, sequence=1), 100.0) is before
    )
    stale = pcc(90.0, 98.9, sequence=2)
    assert correct(SETTINGS, before, settled(12.0, 48.0), NOBODY, stale, 100.0) is before
    assert correct(SETTINGS, before, settled(12.0, 48.0), NOBODY, pcc(None, 0.0, sequence=2), 100.0) is before


def test_commands_in_flight_are_left_to_work() -> None:
    """The same excursion, seen again while the DERs come down, is not corrected twice."""
    tracks = settled(12.0, 48.0)
    limiter = correct(SETTINGS, Limiter(60.0, 0, 99.8, Noise(0.0)), tracks, NOBODY, pcc(50.0, 100.0), 100.0)
    limits_w = (limiter.ceiling_w * 0.2, limiter.ceiling_w * 0.8)
    told = tuple(
        sent(track, plant, limit_w, 100.0, 0.03)
        for track, plant, limit_w in zip(tracks, (A, B), limits_w, strict=True)
    )
    again = correct(SETTINGS, limiter, told, NOBODY, pcc(45.0, 100.3, sequence=2), 100.3)
    assert again.ceiling_w == limiter.ceiling_w
    assert again.noise.variance_w2 == 0.0  # nothing is learnt of the noise while they move


def test_noise_is_learnt_when_they_are_still() -> None:
    first = after(60.0, 24.0, settled(12.0, 48.0))
    second = correct(SETTINGS, first, settled(12.0, 48.0), NOBODY, pcc(24.9, 100.2, sequence=2), 100.2)
    assert second.noise.variance_w2 > 0.0


def test_a_der_not_seen_for_long_lets_nothing_rise_and_still_lets_it_fall() -> None:
    unseen = settled(12.0, 48.0, seen_s=90.0)
    assert after(60.0, 10.0, unseen, load_w=36.0).ceiling_w == 60.0
    assert after(60.0, 60.0, unseen, load_w=36.0).ceiling_w == pytest.approx(24.0)


def test_with_storage_the_sum_may_be_an_absorption_up_to_what_it_can() -> None:
    limiter = Limiter(60.0, 0, 99.8, Noise(0.0))
    for export_w, ceiling_w in [(80.0, 4.0), (100.0, -16.0), (120.0, -30.0)]:
        found = correct(
            replace(SETTINGS, charge_w=30.0),
            limiter,
            settled(10.0, 50.0),
            NOBODY,
            pcc(export_w, 100.0),
            100.0,
        )
        assert found.ceiling_w == pytest.approx(ceiling_w)


def test_a_clock_that_stands_raises_and_lowers_nothing() -> None:
    assert after(60.0, -60.0, settled(12.0, 48.0), used_s=100.5).ceiling_w == 60.0


@pytest.mark.parametrize(("last_w", "heard"), [(0.999, True), (1.0, False)])
def test_noise_is_only_heard_where_the_load_is_known_to_the_least_margin(last_w: float, heard: bool) -> None:
    a, b = settled(12.0, 48.0)
    at = (a, b._replace(last_w=last_w))
    assert (after(60.0, 0.0, at, lost=frozenset({"b"})).noise != Noise(0.0)) is heard


def test_before_the_first_sample_nothing_was_averaged() -> None:
    before = Limiter(60.0, 0, 99.8, Noise(0.0))
    assert (before.averaged, before.drift_w) == (0, 0.0)


@pytest.mark.parametrize(("wanted_w", "then_w"), [(61.0, 60.0), (61.01, 61.01), (59.0, 60.0), (58.99, 58.99)])
def test_a_fifth_of_the_margin_itself_is_left_alone(wanted_w: float, then_w: float) -> None:
    assert moved(60.0, wanted_w, 5.0, 10.0) == then_w
