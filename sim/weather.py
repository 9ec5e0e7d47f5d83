"""The sun over a site at one second: a constant, a clear day or a recording, and clouds. Explicit step, no clock."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from math import asin, cos, exp, floor, pi, radians, sin, sqrt
from pathlib import Path

import numpy as np

from sim.draws import Stream, draws
from sim.files.weather import Clouds, Day, WeatherFile
from sim.series import WEATHER_COLUMN, read_series

FULL_SUN_W_M2 = 1000.0

_CHORD_EXPONENT = 1.66
"""Ways through clouds of length x are as frequent as x to the minus 1.66 (Wood and Field, J. Climate 2011)."""

_BRIGHT_M = 150.0
"""How far from a cloud the light that its edge scatters still adds to the sun's, as a decay length."""

_PATCH_M = 100.0
"""How far the thickness of a cloud stays alike, as a decay length."""

_DARKEST, _CLEAREST = 0.1, 0.95
"""What clouds let through at least, since light comes from the whole sky, and at most."""

_FAR = 6.0
"""Decay lengths after which nothing is left of it."""

_EPS = 1e-9


class Weather:
    """Irradiance in units of full sun; between whole seconds it is a straight line."""

    def __init__(self, weather: WeatherFile, dt_s: float, seed: int) -> None:
        self._dt_s = dt_s
        self._at = _source(weather, seed)
        self._steady = weather.day is None and weather.clouds is None and weather.csv is None
        self._steps = 0
        self._second = 0
        self._ends = self._at(0), self._at(1)
        self.irradiance_pu = self._ends[0]

    def step(self) -> bool:
        """Advance by one time step; whether the irradiance can have changed."""
        if self._steady:
            return False
        self._steps += 1
        t_s = self._steps * self._dt_s + _EPS
        second = floor(t_s)
        while self._second < second:
            self._second += 1
            self._ends = self._ends[1], self._at(self._second + 1)
        before, after = self._ends
        self.irradiance_pu = before + (t_s - second) * (after - before)
        return True


def _source(weather: WeatherFile, seed: int) -> Callable[[int], float]:
    """Irradiance at a whole second; asked for in order."""
    if weather.csv is not None:
        recorded = read_series(Path(weather.csv), WEATHER_COLUMN)
        return lambda second: weather.level_pu * recorded.between(second)
    field = CloudField(weather.clouds, draws(seed, Stream.CLOUDS)) if weather.clouds else None

    def irradiance_pu(second: int) -> float:
        clear_pu = clear_sky_pu(weather.day, second) if weather.day else 1.0
        return weather.level_pu * clear_pu * (field.at(second) if field else 1.0)

    return irradiance_pu


def clear_sky_pu(day: Day, second: float) -> float:
    """Irradiance on the level under a clear sky, in units of 1000 W/m².

    Haurwitz (J. Meteorology 1945), with Cooper's declination (Solar Energy 1969).
    """
    declination = radians(23.45) * sin(2 * pi * (284 + day.day_of_year) / 365)
    hour_angle = pi / 12 * (day.start_h + second / 3600 - 12)
    latitude = radians(day.latitude_deg)
    height = sin(latitude) * sin(declination) + cos(latitude) * cos(declination) * cos(hour_angle)
    if asin(min(1.0, height)) <= 0:
        return 0.0
    return 1098.0 * height * exp(-0.059 / height) / FULL_SUN_W_M2


@dataclass(frozen=True, slots=True)
class _Cloud:
    """The shadow of a cloud: when its middle edges pass, what it lets through, how bright its edges are."""

    start_s: float
    end_s: float
    transmittance: float
    bright: float


class CloudField:
    """What passing clouds leave of a clear sky: below 1 under them, above it beside their edges.

    Clouds and gaps follow each other; cloud sizes have the power law of real ones, gaps are random
    (exponential) with the mean that gives the cover.
    """

    def __init__(self, clouds: Clouds, random: np.random.Generator) -> None:
        self._clouds = clouds
        self._random = random
        self._edge_s = clouds.edge_m / clouds.wind_m_s
        self._bright_s = _BRIGHT_M / clouds.wind_m_s
        self._reach_s = self._edge_s + _FAR * self._bright_s
        self._gap_mean_s = self._mean_s() * (1 - clouds.cover) / clouds.cover
        self._alike = exp(-clouds.wind_m_s / _PATCH_M)
        self._texture = 0.0
        self._near: deque[_Cloud] = deque()
        self._next_s = -2 * clouds.largest_m / clouds.wind_m_s

    def at(self, second: int) -> float:
        """The factor at a whole second; asked for one after another."""
        t_s = float(second)
        self._texture = self._alike * self._texture + sqrt(1 - self._alike**2) * self._random.normal()
        while self._next_s - self._reach_s <= t_s:
            self._near.append(self._another())
        while self._near and self._near[0].end_s + self._reach_s < t_s:
            self._near.popleft()
        through, open_sky, bright = 1.0, 1.0, 0.0
        for cloud in self._near:
            cover = self._rise(t_s - cloud.start_s) * self._rise(cloud.end_s - t_s)
            through *= 1 - cover * self._shadow(cloud)
            open_sky *= 1 - cover
            outside_s = max(cloud.start_s - t_s, t_s - cloud.end_s, 0.0)
            bright = max(bright, cloud.bright * exp(-outside_s / self._bright_s))
        return through * (1 + bright * open_sky)

    def _shadow(self, cloud: _Cloud) -> float:
        """What the cloud takes here, where it is thicker or thinner than on the whole."""
        shadow = (1 - cloud.transmittance) * (1 + self._clouds.texture * self._texture)
        return min(1 - _DARKEST, max(1 - _CLEAREST, shadow))

    def _another(self) -> _Cloud:
        clouds, random = self._clouds, self._random
        start_s = self._next_s + random.exponential(self._gap_mean_s)
        end_s = start_s + self._chord_m(random.random()) / clouds.wind_m_s
        self._next_s = end_s
        transmittance = min(_CLEAREST, clouds.transmittance * random.uniform(0.6, 1.4))
        return _Cloud(start_s, end_s, transmittance, clouds.enhancement * random.random())

    def _chord_m(self, quantile: float) -> float:
        """A way through a cloud: the quantile of the power law between the smallest and the largest."""
        power = 1 - _CHORD_EXPONENT
        low, high = self._clouds.smallest_m**power, self._clouds.largest_m**power
        return float((low + quantile * (high - low)) ** (1 / power))

    def _mean_s(self) -> float:
        """Mean time under a cloud."""
        small, large = self._clouds.smallest_m, self._clouds.largest_m
        first, second = 1 - _CHORD_EXPONENT, 2 - _CHORD_EXPONENT
        share = (large**second - small**second) / second / ((large**first - small**first) / first)
        return float(share / self._clouds.wind_m_s)

    def _rise(self, since_s: float) -> float:
        """From 0 to 1 while an edge passes, half at its middle."""
        part = min(1.0, max(0.0, since_s / self._edge_s + 0.5))
        return part * part * (3 - 2 * part)
