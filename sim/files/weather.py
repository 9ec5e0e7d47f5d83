"""The sun, as a sim file states it: how much of it the clear sky gives, and what clouds take of it."""

from __future__ import annotations

from typing import Self

from pydantic import Field, model_validator
from pydantic_core import PydanticCustomError

from edge.model.site import Strict, Text


class Day(Strict):
    """The clear sky of a real day: a place, a date, and the solar time at which the run starts."""

    latitude_deg: float = Field(ge=-66, le=66)
    day_of_year: int = Field(ge=1, le=366)
    start_h: float = Field(12.0, ge=0, lt=24, description="solar time at the start of the run in h")


class Clouds(Strict):
    """Clouds that the wind drives over the site, one after another."""

    cover: float = Field(gt=0, lt=1, description="fraction of the time in which one hides the sun")
    wind_m_s: float = Field(10.0, gt=0, le=50)
    smallest_m: float = Field(50.0, ge=10, le=100_000, description="shortest way through a cloud")
    largest_m: float = Field(5_000.0, ge=10, le=100_000)
    edge_m: float = Field(30.0, gt=0, le=1_000, description="over which a cloud's shadow sets in")
    transmittance: float = Field(0.35, gt=0, lt=1, description="mean of what passes through a cloud")
    texture: float = Field(0.1, ge=0, le=0.5, description="sigma of its change within a cloud, of its shadow")
    enhancement: float = Field(0.15, ge=0, le=0.6, description="most that bright edges add to the clear sky")

    @model_validator(mode="after")
    def _order(self) -> Self:
        if self.smallest_m >= self.largest_m:
            raise PydanticCustomError("size", "smallest_m must be below largest_m")
        return self


class WeatherFile(Strict):
    """Irradiance over that at which `sun_pu` of an inverter is stated: a constant, a clear day, or a recording.

    Clouds take from a constant or a clear day; a recording has its own.
    """

    level_pu: float = Field(1.0, ge=0, le=2)
    day: Day | None = Field(None, description="scales level_pu, which stands for 1000 W/m² then")
    clouds: Clouds | None = None
    csv: Text | None = Field(None, description="file with t_s, irradiance_pu, from the start on")
    seed: int = Field(1, ge=0, le=2**63 - 1)

    @model_validator(mode="after")
    def _one_source(self) -> Self:
        if self.csv is not None and (self.day is not None or self.clouds is not None):
            raise PydanticCustomError("csv", "a recording has its own day and clouds")
        return self
