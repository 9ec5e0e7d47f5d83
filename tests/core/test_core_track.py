"""One DER's track: what it may be making, what was sent and not read back, what the weather takes."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest
from core_bench import B, der

from edge.core.track import Track, most_sent_w, new_track, observed, output_span, sent
from edge.core.trajectory import Trajectory, level_at
from edge.model.image import DerReading
from edge.model.sample import Sample


def at(limit_w: float) -> Track:
    """Settled at a limit for long, seen there a moment ago, at 10.0."""
    return Track(Trajectory(0.0, limit_w, limit_w, B.slope_w_per_s), seen_s=9.9)


def test_a_new_track_may_be_making_everything_or_nothing() -> None:
    track = new_track(B, 5.0)
    assert output_span(track, B, 5.0, 5.2, 0.0) == (0.0, 80.0)
    assert most_sent_w(track) == 0.0


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

    @pytest.mark.parametrize(("output_w", "weather"), [(36.0, False), (35.0, True)])
    def test_a_der_half_a_second_ahead_on_its_way_down_is_not_the_weather(
        self, output_w: float, weather: bool
    ) -> None:
        falling = sent(at(80.0), B, 0.0, 9.735, 0.03)  # by its model at 76 W now, at 36 W half a second later
        assert (self.see(falling, output_w).weather_w is not None) is weather

    def test_above_its_limit_the_path_is_put_right(self) -> None:
        track = self.see(at(40.0), 70.0)
        assert level_at(track.path, 10.0) == 70.0
        assert level_at(self.see(at(40.0), 700.0).path, 10.0) == 80.0

    def test_a_reading_is_used_once_and_an_absent_one_never(self) -> None:
        track = self.see(at(40.0), 30.0)
        assert observed(track, B, der("b", 5.0, 0.0, 10.0), 10.1, None).weather_w == 30.0
        absent = DerReading("b", Sample.none(), Sample.none())
        assert observed(track, B, absent, 10.2, None).weather_w == 30.0

    def test_power_taken_in_is_no_output(self) -> None:
        assert self.see(at(40.0), -5.0).last_w == 0.0


class TestOutputSpan:
    def test_a_settled_der_is_a_point_less_what_it_loses(self) -> None:
        assert output_span(at(40.0), B, 9.8, 10.0, 0.0) == (40.0, 40.0)
        assert output_span(replace(at(40.0), below_w=0.5), B, 9.8, 10.0, 0.0) == (39.5, 39.5)
        assert output_span(replace(at(0.1), below_w=0.5), B, 9.8, 10.0, 0.0) == (0.0, 0.0)

    def test_the_weather_caps_both_ends(self) -> None:
        assert output_span(replace(at(40.0), weather_w=10.0, export_w=0.0), B, 9.8, 10.0, 0.0) == (10.0, 10.0)
        assert output_span(replace(at(40.0), weather_w=50.0, export_w=0.0), B, 9.8, 10.0, 0.0) == (40.0, 40.0)

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
        track = replace(at(40.0), weather_w=10.0, export_w=before_w)
        low_w, high_w = output_span(track, B, 9.9, 9.9 + age_s, now_w)
        assert [low_w, high_w] == [10.0, pytest.approx(10.0 + back_w)]

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
        assert level_at(track.path, 10.0 + 0.2 + 0.015) == 80.0
        assert level_at(track.path, 10.0 + 0.2 + 0.015 + 0.5) == pytest.approx(40.0)
        assert math.isclose(level_at(track.path, 99.0), 0.0)
