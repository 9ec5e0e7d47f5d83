"""The premises and their connection to the grid."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, model_validator

from edge.model.site.base import Name, Strict, Text, Watts, both


class Source(Strict):
    """The grid up to the primary point nearest the site, as the utility states it: for the Inadvertent Export Screen."""

    r_ohm: float = Field(ge=0, le=10_000)
    x_ohm: float = Field(ge=0, le=10_000)
    primary_v: float = Field(gt=0, le=1e6, description="line-to-line voltage there")
    power_factor: float = Field(1.0, gt=0, le=1, description="of the DERs, absorbing")
    transformer_z_pct: float | None = Field(
        None, gt=0, le=50, description="service transformer, on its rating"
    )
    transformer_x_over_r: float | None = Field(None, ge=0, le=1000)

    @model_validator(mode="after")
    def _transformer_is_whole(self) -> Source:
        return both(self, "transformer_z_pct", "transformer_x_over_r")


class Place(Strict):
    """The premises and their connection."""

    id: Name = Field(description="identity of the gateway, as in its certificate")
    name: Text
    transformer_va: Watts = Field(gt=0, description="service transformer's nominal base rating")
    nominal_v: float = Field(gt=0, le=100_000, description="nominal line-to-neutral voltage at the meter")
    nominal_hz: Literal[50, 60] = 60
    phases: Literal["a", "ab", "abc"] = Field("abc", description="of the supply; ab: split phase")
    network: Literal["radial", "area", "spot"] = "radial"
    host_load_w: Watts | None = Field(None, description="largest load of the applicant")
    source: Source | None = None
