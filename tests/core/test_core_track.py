"""One DER's track: what it may be making, what was sent and not read back, what the weather takes."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest
from core_bench import B, der, still

from edge.core.pace import AROUND, TAIL_S
from edge.core.track import Track, levels, most_sent_w, new_track, observed, output_span, sent
from edge.core.trajectory import Trajectory, level_at, tailed
from edge.model.image import DerReading
from edge.model.sample import Sample


def at(limit_w: float) -> Track:
    """Settled at a limit for long, seen there a moment ago, at 10.0."""
    return still(B, limit_w, 9.9)


def test_a_new_track_may_be_making_everything_or_nothing() -> None:
    track = new_track(B, 5.0)
    assert output_span(track, B, 5.0, 5.2, 0.0) == (0.0, 80.0)
    assert most_sent_w(track) == 0.0
    down = sent(track, B, 0.0, 10.0, 0.0)
    assert level_at(down.early, 10.1 + 0.25) == pytest.approx(80.0 - 0.25 * 160.0)
    assert level_at(down.late, 10.23 + 0.25) == pytest.approx(80.0 - 0.25 * 80.0 / 1.15)


class TestObserved:
    def see(self, track: Track, output_w: float, at_s: float = 10.0) -> Track:
        """A measurement of the output."""
        return observed(track, B, der("b", output_w, 0.0, at_s), at_s, None)

    @pytest.mark.parametrize(
        ("output_w", "weather"), [(39.2, False), (39.19, True), (0.0, True), (40.0, False)]
    )
    def test_settled_one_percent_below_its_limit_it_is_the_weather(
        self, output_w: float, weather: bool
    ) -> None:
        track = self.see(at(40.0), output_w)
        assert track.weather_w == (output_w if weather else None)
        assert track.below_w == pytest.approx(0.0 if weather else 40.0 - output_w)
        assert track.last_w == output_w

    @pytest.mark.parametrize(("output_w", "weather"), [(39.19, True), (39.3, False), (60.0, False)])
    def test_below_what_its_moving_limit_explains_it_is_the_weather(
        self, output_w: float, weather: bool
    ) -> None:
        """A cloud while the ceiling rises: it was taken for load, and the ceiling went on rising."""
        rising = sent(at(40.0), B, 80.0, 9.7, 0.03)
        assert self.see(rising, output_w).weather_w == (output_w if weather else None)

    @pytest.mark.parametrize(
        ("output_w", "weather"), [(39.1, True), (40.0 - 0.01 * 80.0, False), (39.3, False), (40.5, False)]
    )
    def test_half_a_second_behind_its_rising_limit_is_not_the_weather(
        self, output_w: float, weather: bool
    ) -> None:
        rising = sent(at(40.0), B, 80.0, 9.4, 0.03)
        assert (self.see(rising, output_w).weather_w is not None) is weather

    @pytest.mark.parametrize(("output_w", "weather"), [(48.9, True), (49.0, False)])
    def test_its_slowest_path_half_a_second_ago_less_one_percent_is_explained(
        self, output_w: float, weather: bool
    ) -> None:
        """Told at 9.1 it rises from 9.36 on by 69.57 W/s: 49.74 W at 9.5."""
        rising = sent(at(40.0), B, 80.0, 9.1, 0.03)
        assert (self.see(rising, output_w).weather_w is not None) is weather

    @pytest.mark.parametrize(("output_w", "weather"), [(55.8, True), (56.0, False)])
    def test_a_cloud_is_over_when_the_output_is_where_its_path_was_a_tenth_of_a_second_ago(
        self, output_w: float, weather: bool
    ) -> None:
        """56.70 W at 9.9, and 1 % of nameplate less."""
        rising = sent(at(40.0), B, 80.0, 9.4, 0.03)._replace(weather_w=50.0)
        assert (self.see(rising, output_w).weather_w is not None) is weather

    @pytest.mark.parametrize(
        ("output_w", "weather"), [(36.0, False), (20.0, False), (9.3, False), (9.1, True)]
    )
    def test_a_der_ahead_of_its_model_on_its_way_down_is_not_the_weather(
        self, output_w: float, weather: bool
    ) -> None:
        """Not before it is below where it was told to go, and below what being early by half a second explains."""
        falling = sent(at(80.0), B, 10.0, 8.9, 0.03)
        falling = sent(falling, B, 10.5, 9.9, 0.03)
        assert (self.see(falling, output_w).weather_w is not None) is weather

    def test_a_cloud_on_the_way_down_stays_until_the_output_is_where_its_path_is(self) -> None:
        cloud = sent(at(80.0), B, 40.0, 9.5, 0.03)._replace(weather_w=5.0)
        assert self.see(cloud, 30.0).weather_w == 30.0
        assert self.see(cloud, 52.0).weather_w is None

    def test_what_is_about_to_move_is_not_settled(self) -> None:
        assert self.see(sent(at(40.0), B, 80.0, 9.99, 0.03), 39.5).below_w == 0.0

    def test_one_that_has_just_come_down_stays_on_its_path(self) -> None:
        fallen = sent(at(80.0), B, 0.0, 8.5, 0.03)
        assert level_at(fallen.late, 10.0) == 0.0
        assert self.see(fallen, 0.5).late == fallen.late

    @pytest.mark.parametrize("output_w", [40.0, 39.5, 30.0])
    def test_at_or_below_a_settled_limit_it_stays_on_its_path(self, output_w: float) -> None:
        seen = self.see(at(40.0), output_w)
        assert (seen.early, seen.late) == (at(40.0).early, at(40.0).late)

    def test_one_percent_below_its_goal_it_still_teaches_its_pace(self) -> None:
        falling = sent(at(80.0)._replace(slow=1.5), B, 40.0, 9.7, 0.03)
        assert self.see(falling, 39.2).slow < 1.5
        assert self.see(falling, 39.19).slow == 1.5

    def test_above_its_limit_the_path_is_put_right(self) -> None:
        track = self.see(at(40.0), 70.0)
        assert (level_at(track.early, 10.0), level_at(track.late, 10.0)) == (70.0, 70.0)
        assert level_at(self.see(at(40.0), 700.0).late, 10.0) == 80.0

    def test_a_reading_is_used_once_and_an_absent_one_never(self) -> None:
        track = self.see(at(40.0), 30.0)
        assert observed(track, B, der("b", 5.0, 0.0, 10.0), 10.1, None).weather_w == 30.0
        absent = DerReading("b", Sample.none(), Sample.none())
        assert observed(track, B, absent, 10.2, None).weather_w == 30.0

    def test_what_is_above_its_limit_it_does_not_lose(self) -> None:
        assert self.see(at(40.0), 40.05).below_w == 0.0

    def test_power_taken_in_is_no_output(self) -> None:
        assert self.see(at(40.0), -5.0).last_w == 0.0


def test_the_levels_of_both_paths_count() -> None:
    """Told at 9.4 the quickest rises from 9.5 on by 160 W/s, the slowest from 9.66 on by 69.57 W/s."""
    rising = sent(at(40.0), B, 80.0, 9.4, 0.03)
    assert levels(rising, 9.6, 9.65) == pytest.approx((40.0, 64.0))
    falling = sent(at(80.0), B, 0.0, 9.4, 0.03)
    assert levels(falling, 9.6, 9.8) == pytest.approx((32.0, 80.0))


class TestOutputSpan:
    def test_a_settled_der_is_a_point_less_what_it_loses(self) -> None:
        assert output_span(at(40.0), B, 9.8, 10.0, 0.0) == (40.0, 40.0)
        assert output_span(at(40.0)._replace(below_w=0.5), B, 9.8, 10.0, 0.0) == (39.5, 39.5)
        assert output_span(at(0.1)._replace(below_w=0.5), B, 9.8, 10.0, 0.0) == (0.0, 0.0)

    def test_the_weather_caps_both_ends(self) -> None:
        assert output_span(at(40.0)._replace(weather_w=10.0, export_w=0.0), B, 9.8, 10.0, 0.0) == (10.0, 10.0)
        assert output_span(at(40.0)._replace(weather_w=50.0, export_w=0.0), B, 9.8, 10.0, 0.0) == (40.0, 40.0)

    @pytest.mark.parametrize(
        ("age_s", "before_w", "now_w", "back_w"),
        [
            (0.0, 0.0, 90.0, 0.0),
            (0.1, 0.0, 90.0, 8.0),  # its slope is 80 W/s
            (0.1, 0.0, 5.0, 5.0),
            (0.1, 0.0, -5.0, 0.0),
            (0.1, None, -5.0, 8.0),
            (0.9, 0.0, 90.0, 30.0),  # and its limit 40 W
        ],
    )
    def test_the_sun_may_be_back_as_far_as_slope_and_export_say(
        self, age_s: float, before_w: float | None, now_w: float, back_w: float
    ) -> None:
        """It was not: the export of the returning sun looked like a drop of the load, and all were cut."""
        track = at(40.0)._replace(weather_w=10.0, export_w=before_w)
        low_w, high_w = output_span(track, B, 9.9, 9.9 + age_s, now_w)
        assert [low_w, high_w] == [10.0, pytest.approx(10.0 + back_w)]

    def test_before_it_was_seen_the_sun_is_no_further_than_then(self) -> None:
        assert output_span(at(40.0)._replace(weather_w=10.0), B, 9.8, 9.85, 0.0) == (10.0, 10.0)

    @pytest.mark.parametrize("age_s", [0.999, 1.0, 1.001, 60.0])
    def test_unseen_for_long_it_may_have_stopped(self, age_s: float) -> None:
        low_w, high_w = output_span(at(40.0), B, 9.9 + age_s - 0.2, 9.9 + age_s, 0.0)
        assert (low_w, high_w) == (40.0 if age_s <= 1.0 else 0.0, 40.0)


class TestUnproven:
    def told(self, *sent_w: tuple[float, float]) -> Track:
        """Limits sent at some times."""
        track = at(80.0)
        for at_s, limit_w in sent_w:
            track = sent(track, B, limit_w, at_s, 0.03)
        return track

    def read(self, track: Track, at_s: float) -> Track:
        """A read-back whose request was sent at a time."""
        return observed(track, B, DerReading("b", Sample.none(), Sample.good(1.0, at_s)), at_s, None)

    def test_the_highest_counts_until_it_is_ruled_out(self) -> None:
        """Sent high, then low, then lost: the high one may be in the device."""
        track = self.told((1.0, 10.0), (2.0, 70.0), (3.0, 20.0), (4.0, 0.0))
        assert most_sent_w(track) == 70.0
        assert most_sent_w(self.read(track, 2.5)) == 70.0  # it may have been on its way
        assert most_sent_w(self.read(track, 3.5)) == 20.0
        assert most_sent_w(self.read(track, 4.5)) == 0.0

    def test_a_read_back_asked_for_as_a_limit_was_sent_rules_nothing_out(self) -> None:
        assert most_sent_w(self.read(self.told((1.0, 70.0), (2.0, 20.0)), 2.0)) == 70.0

    def test_each_limit_stands_once_since_it_was_first_the_highest(self) -> None:
        assert self.told((1.0, 70.0), (2.0, 20.0)).unproven == ((1.0, 70.0), (2.0, 20.0))
        assert self.told((1.0, 70.0), (2.0, 20.0), (3.0, 70.0)).unproven == ((1.0, 70.0),)

    def test_the_same_again_does_not_make_it_younger(self) -> None:
        track = self.told((1.0, 70.0), (2.0, 20.0), (3.0, 20.0), (4.0, 20.0))
        assert most_sent_w(self.read(track, 2.5)) == 20.0

    def test_without_a_read_back_nothing_is_ruled_out(self) -> None:
        track = self.told((1.0, 70.0), (2.0, 20.0))
        assert (
            most_sent_w(observed(track, B, DerReading("b", Sample.none(), Sample.none()), 9.0, None)) == 70.0
        )

    def test_a_limit_sent_takes_effect_after_the_dead_time(self) -> None:
        track = sent(at(80.0), B, 0.0, 10.0, 0.03)
        begins_s = (10.0 + 0.2 / 2, 10.0 + 0.2 * 1.15 + 0.03)
        for path, begin_s, slope in zip((track.early, track.late), begins_s, (160.0, 80 / 1.15), strict=True):
            assert level_at(path, begin_s) == pytest.approx(80.0)
            assert level_at(path, begin_s + 0.5) == pytest.approx(80.0 - 0.5 * slope)
            assert math.isclose(level_at(path, 99.0), 0.0)
        assert level_at(track.late, begins_s[1] - 0.001) == 80.0

    @pytest.mark.parametrize(("limit_w", "least_w"), [(0.0, 0.0), (8.0, 80.0)])
    def test_below_its_minimum_it_may_be_off_at_once(self, limit_w: float, least_w: float) -> None:
        """Switched off by its permission it took no ramp: the load seemed to rise, and the others were raised."""
        told = sent(at(80.0), replace(B, min_w=8.0), limit_w, 10.0, 0.03)
        assert levels(told, 9.9, 9.95) == (80.0, 80.0)
        assert levels(told, 10.0, 10.05) == (least_w, 80.0)
        assert levels(sent(at(80.0), B, 0.0, 10.0, 0.03), 10.0, 10.05) == (80.0, 80.0)


class TestPace:
    """From 80 W down to 0, told at 10.0: the DER begins at 10.2 and takes a second, each times a factor."""

    def watched(self, factor: float, *, polled_s: float = 0.17, falls: int = 1) -> Track:
        """The track of a DER that is off by a factor, after so many falls."""
        track, start_s = at(80.0), 10.0
        for _ in range(falls):
            track = sent(track, B, 0.0, start_s, 0.0)
            for poll in range(1, 24):
                at_s = start_s + poll * polled_s
                gone_s = max(0.0, at_s - start_s - 0.2 * factor)
                output_w = max(0.0, 80.0 - 80.0 / factor * gone_s)
                track = observed(track, B, der("b", output_w, 0.0, at_s), at_s, None)
            start_s += 5.0
            track = still(B, 80.0, start_s - 0.1, slow=track.slow)
        return track

    @pytest.mark.parametrize("factor", [0.55, 0.7, 0.85, 1.0, 1.2, 1.5, 1.9])
    def test_what_is_seen_lies_within_its_bound_after_one_fall(self, factor: float) -> None:
        assert factor <= self.watched(factor).slow * 1.05

    @pytest.mark.parametrize("factor", [0.55, 0.7, 1.0, 1.2, 1.5, 1.9])
    def test_after_ten_the_bound_is_close(self, factor: float) -> None:
        slow = self.watched(factor, falls=10).slow
        assert max(AROUND, factor) <= slow <= max(AROUND, factor * 1.45)

    @pytest.mark.parametrize("factor", [0.2, 5.0])
    def test_never_beyond_twice_the_profile(self, factor: float) -> None:
        assert AROUND <= self.watched(factor).slow <= 2.0

    def test_a_fall_too_small_to_tell_teaches_nothing(self) -> None:
        track = sent(at(80.0), B, 79.0, 10.0, 0.0)
        assert observed(track, B, der("b", 80.0, 79.0, 10.21), 10.21, None).slow == AROUND

    def test_neither_a_rise_nor_the_weather_teaches_anything(self) -> None:
        rising = sent(at(10.0), B, 80.0, 9.95, 0.0)
        assert observed(rising, B, der("b", 10.0, 80.0, 10.3), 10.3, None).slow == AROUND
        cloud = sent(at(80.0), B, 0.0, 9.95, 0.0)._replace(weather_w=20.0)
        after = observed(cloud, B, der("b", 20.0, 0.0, 10.3), 10.3, None)
        assert (after.slow, after.late) == (AROUND, cloud.late)

    def test_on_its_way_down_it_is_where_it_was_seen(self) -> None:
        track = sent(at(80.0), B, 0.0, 9.4, 0.0)
        seen = observed(track, B, der("b", 52.0, 0.0, 10.0), 10.0, None)
        assert (level_at(seen.early, 10.0), level_at(seen.late, 10.0)) == (52.0, 52.0)
        assert levels(seen, 10.0, 10.5)[1] == 52.0


class TestSlow:
    """On its way from 80 W to 40 W for a quarter of a second: at 40 W by the quickest path, at 44 W by the slowest."""

    PLANT = replace(B, nameplate_w=200.0)

    def slow(self, output_w: float, late_w: float = 44.0) -> float:
        """What is made of an output, of a factor of 1.5."""
        paths = [Trajectory(10.0, 80.0, 40.0, (80.0 - at_w) / 0.25) for at_w in (40.0, late_w)]
        track = at(80.0)._replace(early=paths[0], late=paths[1], slow=1.5)
        return observed(track, self.PLANT, der("b", output_w, 0.0, 10.25), 10.25, None).slow

    def test_half_way_between_both_it_closes_by_a_tenth_of_what_that_says(self) -> None:
        seen = 0.5 * (1.5 / 0.5) ** 0.5 * AROUND
        assert self.slow(42.0) == pytest.approx(1.5 + 0.1 * (seen - 1.5))

    @pytest.mark.parametrize(("late_w", "tells"), [(44.0, True), (43.9, False), (43.0, False)])
    def test_paths_less_than_two_percent_of_nameplate_apart_tell_nothing(
        self, late_w: float, tells: bool
    ) -> None:
        assert (self.slow(40.0, late_w) < 1.5) is tells

    def test_it_is_slower_only_more_than_one_percent_behind_the_slowest(self) -> None:
        assert self.slow(46.0) == 1.5
        assert self.slow(46.1) == 2.0


def lagging(limit_w: float) -> Track:
    """Settled at a limit, and known to come to it by a lag."""
    track = at(limit_w)
    return track._replace(lag=True, late=tailed(track.late, TAIL_S * track.slow))


class TestLag:
    """Profiles know a slope; a DER that answers by a lag of 1 s to 90 % comes later than its slope near its goal."""

    def test_none_is_taken_for_granted(self) -> None:
        """One that was not there hid a second drop until the element tripped."""
        track = new_track(B, 5.0)
        assert (track.lag, track.early.tail_s, track.late.tail_s) == (False, 0.0, 0.0)

    @pytest.mark.parametrize(
        ("slow", "at_s", "output_w", "lag"),
        [
            (AROUND, 11.4, 10.0, True),  # without a lag it is at its goal, with one at 14 W
            (AROUND, 11.4, 15.0, False),
            (AROUND, 11.3, 10.0, False),
            (2.0, 12.5, 6.0, True),  # the same at 13 W: all of it is as much slower
            (2.0, 12.5, 14.0, False),
            (2.0, 12.3, 6.0, False),
        ],
    )
    def test_it_is_seen_in_what_is_left_when_the_slope_has_ended(
        self, slow: float, at_s: float, output_w: float, lag: bool
    ) -> None:
        late = Trajectory(0.0, 80.0, 80.0, B.slope_w_per_s / slow)
        track = sent(at(80.0)._replace(late=late, slow=slow), B, 0.0, 10.0, 0.0)
        assert observed(track, B, der("b", output_w, 0.0, at_s), at_s, None).lag is lag

    def test_within_half_a_percent_of_its_goal_it_has_arrived(self) -> None:
        for output_w, lag in [(0.3, False), (0.5, True)]:
            track = sent(lagging(80.0), B, 0.0, 10.0, 0.0)
            assert observed(track, B, der("b", output_w, 0.0, 11.4), 11.4, None).lag is lag

    def climbed(self, rise_w_per_s: float, poll_s: float) -> list[tuple[float, Track]]:
        """From 20 W up by a ramp to 70 W: its true output every 0.1 s, and its track, polled now and then."""
        plant = replace(B, slope_w_per_s=0.9 * 80.0)
        track, told_w, output_w, seen = lagging(20.0), [20.0] * 3, 20.0, []
        for tick in range(1, 100):
            now_s = 10.0 + tick / 10
            output_w += (told_w[-3] - output_w) * (1 - 10**-0.1)
            if tick % round(10 * poll_s) == 0:
                track = observed(track, plant, der("b", output_w, told_w[-1], now_s), now_s, 0.0)
            seen.append((output_w, track))
            least_w, most_w = output_span(track, plant, now_s, now_s, 0.0)
            assert least_w - 0.2 <= output_w <= most_w + 0.2
            told_w.append(min(70.0, told_w[-1] + rise_w_per_s / 10))
            track = sent(track, plant, told_w[-1], now_s, 0.03)
        return seen

    @pytest.mark.parametrize("poll_s", [0.5, 1.0])
    @pytest.mark.parametrize("rise_w_per_s", [8.0, 40.0, 500.0])
    def test_on_its_way_up_it_is_within_its_paths_and_no_weather(
        self, rise_w_per_s: float, poll_s: float
    ) -> None:
        """It trailed the ramp by some percent: that was taken for load, and export went over the limit."""
        assert all(track.weather_w is None for _, track in self.climbed(rise_w_per_s, poll_s))

    def fallen(self, to_w: float, poll_s: float, start: Track, *, lag: bool) -> Track:
        """From 80 W down by a lag or by the slope, told at 10.0; within the slowest path whenever it lags."""
        plant = replace(B, dead_time_s=3.0, slope_w_per_s=0.9 * 80.0)
        track = sent(start, plant, to_w, 10.0, 0.0)
        for tick in range(1, 120):
            now_s = 10.0 + tick / 20
            gone_s = max(0.0, now_s - 13.0)
            straight_w = max(to_w, 80.0 - 72.0 * gone_s)
            output_w = to_w + (80.0 - to_w) * 10**-gone_s if lag else straight_w
            if tick % round(20 * poll_s) == 7:
                track = observed(track, plant, der("b", output_w, to_w, now_s), now_s, None)
            assert not track.lag or output_w <= level_at(track.late, now_s) + 0.4
        return track

    @pytest.mark.parametrize("poll_s", [0.4, 0.55, 0.7])
    @pytest.mark.parametrize("to_w", [0.0, 40.0, 60.0])
    def test_on_its_way_down_it_is_within_its_slowest_path(self, to_w: float, poll_s: float) -> None:
        """Its last percents were taken for a fall of the load, and what was told then came back as a rise of it."""
        after = self.fallen(to_w, poll_s, lagging(80.0), lag=True)
        assert (after.lag, after.slow) == (True, AROUND)
        assert after.late.tail_s == TAIL_S * AROUND

    @pytest.mark.parametrize("poll_s", [0.4, 0.55, 0.7])
    @pytest.mark.parametrize("to_w", [0.0, 40.0, 60.0])
    def test_a_der_seen_to_come_straight_has_no_tail(self, to_w: float, poll_s: float) -> None:
        """A tail that is not there hides a second drop of the load."""
        after = self.fallen(to_w, poll_s, lagging(80.0), lag=False)
        assert (after.lag, after.late.tail_s) == (False, 0.0)

    @pytest.mark.parametrize("poll_s", [0.4, 0.55, 0.7])
    def test_one_seen_to_lag_has_it_back(self, poll_s: float) -> None:
        assert self.fallen(0.0, poll_s, at(80.0), lag=True).lag
