"""The sun: constant, clear days, recordings and clouds."""

from __future__ import annotations

from itertools import pairwise
from math import cos, exp, radians
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sim.files.weather import Clouds, Day, WeatherFile
from sim.series import Series, read_series
from sim.weather import CloudField, Weather, clear_sky_pu


def run(seconds: int, dt_s: float = 1.0, seed: int = 1, **table: Any) -> npt.NDArray[np.float64]:
    """Irradiance at the start and at the end of every step."""
    weather = Weather(WeatherFile.model_validate(table), dt_s, seed)
    values = [weather.irradiance_pu]
    for _ in range(round(seconds / dt_s)):
        weather.step()
        values.append(weather.irradiance_pu)
    return np.array(values)


def test_a_constant_sun_does_not_change() -> None:
    weather = Weather(WeatherFile(level_pu=0.8), 0.01, 1)
    assert not any(weather.step() for _ in range(1000))
    assert weather.irradiance_pu == 0.8


def test_clouds_are_those_of_their_seed_and_of_no_time_step() -> None:
    clouds = {"cover": 0.5}
    first = run(600, clouds=clouds)
    assert (first == run(600, clouds=clouds)).all()
    assert (first != run(600, seed=2, clouds=clouds)).any()
    for dt_s in (0.5, 0.01, 0.02):
        fine = run(600, dt_s, clouds=clouds)
        assert fine[:: round(1 / dt_s)] == pytest.approx(first, abs=1e-6)


def test_between_seconds_it_is_a_straight_line() -> None:
    fine = run(300, 0.25, clouds={"cover": 0.5}).tolist()
    for second in range(0, 1200, 4):
        before, after = fine[second], fine[second + 4]
        inside = [before + part * (after - before) for part in (0.25, 0.5, 0.75)]
        assert fine[second + 1 : second + 4] == pytest.approx(inside)


@pytest.mark.parametrize("cover", [0.2, 0.5, 0.8])
def test_the_cover_is_the_share_of_time_under_clouds(cover: float) -> None:
    shares = []
    for seed in range(4):
        values = run(10_000, seed=seed, clouds={"cover": cover, "enhancement": 0.0, "largest_m": 500.0})
        shares.append(float((values < 0.8).mean()))
    assert np.mean(shares) == pytest.approx(cover, abs=0.05)


def test_clouds_have_edges_of_seconds_and_make_the_sun_brighter_beside_them() -> None:
    values = run(20_000, clouds={"cover": 0.4})
    steps = np.abs(np.diff(values))
    # 3 s for an edge of 30 m at 10 m/s: its steepest second takes half of it.
    assert 0.2 < steps.max() < 0.6
    assert 1.05 < values.max() <= 1.15
    assert values.min() < 0.35
    assert (values > 1.02).mean() > 0.05
    slow = np.abs(np.diff(run(20_000, clouds={"cover": 0.4, "edge_m": 300.0, "texture": 0.0})))
    assert slow.max() < 0.08


def test_clouds_are_not_even_within() -> None:
    """One cloud over everything: what passes changes by its texture, alike from one second to the next."""
    one = {"cover": 0.999, "smallest_m": 90_000.0, "largest_m": 100_000.0, "transmittance": 0.5}
    even = run(3000, clouds=one | {"texture": 0.0})[100:]
    patchy = run(3000, clouds=one | {"texture": 0.2})[100:]
    assert np.ptp(even) == pytest.approx(0.0, abs=1e-9)
    assert np.std(patchy) > 0.03
    assert np.std(np.diff(patchy)) < 0.6 * np.std(patchy)


def test_cloud_sizes_have_a_tail_like_real_ones() -> None:
    """Of ways between 50 m and 5 km with exponent 1.66, the median is by the quantile of the power law."""
    field = CloudField(Clouds(cover=0.5), np.random.default_rng(3))
    chords_m = np.array([field._chord_m(quantile) for quantile in np.linspace(0, 1, 2001)])
    assert chords_m[0] == pytest.approx(50.0)
    assert chords_m[-1] == pytest.approx(5000.0)
    slope = np.polyfit(
        np.log(chords_m[1000:1900]), np.log(np.gradient(np.linspace(0, 1, 2001), chords_m)[1000:1900]), 1
    )
    assert slope[0] == pytest.approx(-1.66, abs=0.02)


@given(st.floats(0.05, 0.95), st.floats(1.0, 30.0), st.integers(0, 50))
def test_the_sun_stays_within_what_clouds_can_do(cover: float, wind_m_s: float, seed: int) -> None:
    values = run(200, seed=seed, clouds={"cover": cover, "wind_m_s": wind_m_s, "enhancement": 0.3})
    assert values.min() > 0.1 - 1e-9
    assert values.max() <= 1.3


def test_a_clear_day_is_haurwitz() -> None:
    noon = Day(latitude_deg=40.0, day_of_year=172)
    height = cos(radians(40.0 - 23.45))
    assert clear_sky_pu(noon, 0) == pytest.approx(1.098 * height * exp(-0.059 / height), abs=1e-4)
    assert clear_sky_pu(noon, -3600) == pytest.approx(clear_sky_pu(noon, 3600))
    assert clear_sky_pu(noon, 0) > clear_sky_pu(noon, 1800) > clear_sky_pu(noon, 3600)
    assert clear_sky_pu(noon, 12 * 3600) == 0.0
    winter = Day(latitude_deg=40.0, day_of_year=355)
    assert clear_sky_pu(winter, 0) < 0.5 * clear_sky_pu(noon, 0)


def test_a_day_at_the_equinox_is_twelve_hours_long() -> None:
    day = Day(latitude_deg=40.0, day_of_year=81, start_h=0.0)
    light = [clear_sky_pu(day, second) > 0 for second in range(0, 86_400, 60)]
    assert sum(light) * 60 == pytest.approx(12 * 3600, abs=180)
    assert not light[0]


def test_a_clear_day_and_its_clouds_multiply() -> None:
    day = {"latitude_deg": 35.0, "day_of_year": 100, "start_h": 9.0}
    both = run(600, day=day, clouds={"cover": 0.5}, level_pu=0.9)
    alone = run(600, day=day, level_pu=0.9)
    assert both == pytest.approx(alone * run(600, clouds={"cover": 0.5}))


def test_a_recording_is_followed_and_held_at_its_end(tmp_path: Path) -> None:
    path = tmp_path / "sun.csv"
    path.write_text("t_s,irradiance_pu\n0,0.2\n10,1.2\n12,0\n")
    values = run(20, 0.5, csv=str(path), level_pu=0.5)
    assert values[[0, 10, 20, 22, 24, 40]] == pytest.approx([0.1, 0.35, 0.6, 0.3, 0.0, 0.0])


def test_a_series_before_between_and_after_its_rows() -> None:
    series = Series((1.0, 3.0), (10.0, 20.0))
    assert [series.held(t_s) for t_s in (0.0, 1.0, 2.9, 3.0, 9.0)] == [10.0, 10.0, 10.0, 20.0, 20.0]
    assert [series.between(t_s) for t_s in (0.0, 1.0, 2.0, 3.0, 9.0)] == [10.0, 10.0, 15.0, 20.0, 20.0]


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "there is no column 't_s'"),
        ("t_s,other\n0,1\n", "there is no column 'load_w'"),
        ("t_s,load_w\n", "there are no rows"),
        ("t_s,load_w\n0,1\n0,2\n", ":3: times must rise"),
        ("t_s,load_w\n0,1\n1,x\n", ":3: 'x' is not a number"),
        ("t_s,load_w\n0,1\n1\n", ":3: None is not a number"),
        ("t_s,load_w\n0,-1\n", ":2: -1 must be finite and not negative"),
        ("t_s,load_w\n0,inf\n", ":2: inf must be finite"),
    ],
)
def test_a_recording_that_cannot_be_used_is_told_with_its_line(tmp_path: Path, text: str, told: str) -> None:
    path = tmp_path / "load.csv"
    path.write_text(text)
    with pytest.raises(ValueError, match=r"load\.csv") as refused:
        read_series(path, "load_w")
    assert told in str(refused.value)


@pytest.mark.parametrize(
    "table",
    [
        {"csv": "a.csv", "clouds": {"cover": 0.5}},
        {"csv": "a.csv", "day": {"latitude_deg": 0.0, "day_of_year": 1}},
        {"clouds": {"cover": 0.5, "smallest_m": 100.0, "largest_m": 100.0}},
        {"clouds": {"cover": 1.0}},
        {"level_pu": -0.1},
    ],
)
def test_weather_that_cannot_be_is_refused(table: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"recording|smallest_m|less than|greater than"):
        WeatherFile.model_validate(table)


def test_clouds_pass_one_after_another() -> None:
    field = CloudField(Clouds(cover=0.9), np.random.default_rng(1))
    clouds = [field._another() for _ in range(200)]
    assert all(before.end_s < after.start_s < after.end_s for before, after in pairwise(clouds))
