"""One DER, as a sim file states it: what it can do, what is set in it, and how it answers."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator
from pydantic_core import PydanticCustomError

from edge.model.site import Seconds, Strict
from tiir import catalogue
from tiir.complete import RATINGS, SettingsRefusedError, complete
from tiir.setting import Der, Edition
from tiir.values import Values

Percent = Annotated[float, Field(ge=0, le=100)]

VAR_PU = {"A": (0.44, 0.25), "B": (0.44, 0.44)}
"""Least reactive power to inject and to absorb, per unit of the apparent rating (IEEE 1547-2018 5.2, table 7)."""


class RideThrough(Strict):
    """How the unit carries out what the ride-through tables ask of it (IEEE 1547-2018 6.4.2)."""

    cease_s: float = Field(0.16, ge=0, le=2, description="from 'cease to energize' to no current")
    momentary_s: float = Field(0.0, ge=0, le=0.5, description="from momentary cessation to no current")
    restore_s: float = Field(0.0, ge=0, le=5, description="from the end of either to full output")
    current_pu: float = Field(1.2, ge=1, le=5, description="largest current over the rated one")


class Storage(Strict):
    """The battery of a storage unit; efficiency is that of a whole cycle and is counted when charging."""

    capacity_wh: float = Field(gt=0, le=1e9)
    soc_pu: float = Field(0.5, ge=0, le=1, description="state of charge at the start")
    soc_min_pu: float = Field(0.0, ge=0, le=1)
    soc_max_pu: float = Field(1.0, ge=0, le=1)
    charge_w: float | None = Field(None, gt=0, le=1e7, description="nameplate_w when not given")
    discharge_w: float | None = Field(None, gt=0, le=1e7, description="nameplate_w when not given")
    efficiency: float = Field(0.9, gt=0, le=1)
    ems: Literal["idle", "self_consumption"] = Field(
        "idle", description="what it does by itself; self_consumption: what the site needs or leaves over"
    )

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if not self.soc_min_pu <= self.soc_pu <= self.soc_max_pu:
            raise PydanticCustomError("soc", "soc_min_pu, soc_pu and soc_max_pu must be in this order")
        return self


class Unit(Strict):
    """A PV or storage unit: rating, categories, settings by the standard's label, and the way of a command."""

    nameplate_w: float = Field(gt=0, le=1e7)
    va_rating_pu: float = Field(1.1, ge=1, le=2, description="apparent power rating over nameplate")
    var_inject_pu: float | None = Field(
        None, ge=0, le=1, description="of the apparent rating; table 7 if not given"
    )
    var_absorb_pu: float | None = Field(
        None, ge=0, le=1, description="of the apparent rating; table 7 if not given"
    )
    kind: Literal["pv", "storage"] = "pv"
    sun_pu: float = Field(1.0, ge=0, le=2, description="available power over nameplate")
    storage: Storage | None = None
    phases: Literal["abc", "a", "b", "c"] = "abc"

    normal_category: Literal["A", "B"] = "B"
    abnormal_category: Literal["I", "II", "III"] = "III"
    edition: Edition = "2018"
    settings: Mapping[str, bool | float | str] = Field({}, description="over the standard's defaults")

    dead_time_s: Seconds = 0.2
    slope_pct_s: float = Field(100.0, gt=0, le=1e6, description="ramp in % of nameplate a second")
    lag_s: Seconds = Field(0.0, description="first-order lag, to 90 % of a step")
    moves: Literal["output", "limit"] = Field("output", description="what slope and lag act on")
    deadband_pct: Percent = Field(0.0, description="a command that changes by less is not followed")
    min_pct: Percent = Field(0.0, description="least output a limit can bring about")
    var_response_s: Seconds = Field(5.0, description="to 90 %: constant pf, constant var, watt-var")
    priority: Literal["var", "watt"] = Field("var", description="what comes first at the apparent rating")
    var_at_low_power: Literal["reduced", "full"] = Field("reduced", description="below 20 % of nameplate")
    ride_through: RideThrough = RideThrough()

    @property
    def der(self) -> Der:
        """What decides its defaults and ranges."""
        return Der(
            normal=self.normal_category,
            abnormal=self.abnormal_category,
            bidirectional=self.kind == "storage",
            rated_va=self.nameplate_w * self.va_rating_pu,
            p_min_pu=self.min_pct / 100.0,
            edition=self.edition,
        )

    @property
    def var_rating(self) -> tuple[float, float]:
        """Reactive power it can inject and absorb, per unit of the apparent rating."""
        inject, absorb = VAR_PU[self.normal_category]
        return (
            inject if self.var_inject_pu is None else self.var_inject_pu,
            absorb if self.var_absorb_pu is None else self.var_absorb_pu,
        )

    @cached_property
    def complete_settings(self) -> Values:
        """Every setting in force at the start, by the standard's label."""
        return complete(self.settings, self.der)

    @model_validator(mode="after")
    def _storage_is_described(self) -> Self:
        if (self.kind == "storage") != (self.storage is not None):
            raise PydanticCustomError("storage", "kind = 'storage' and a storage table go together")
        return self

    @model_validator(mode="after")
    def _settings_are_allowed(self) -> Self:
        known = catalogue.settings()
        ratings = [label for label in self.settings if label in known and known[label].function in RATINGS]
        if ratings:
            reason = (
                f"{ratings[0]} is a rating: nameplate_w, va_rating_pu and the categories say it, no setting"
            )
            told = {"reason": reason, "under": ("settings", ratings[0])}
            raise PydanticCustomError("settings", "{reason}", told)
        try:
            _ = self.complete_settings
        except SettingsRefusedError as refused:
            reason = "; ".join(refused.problems)
            label = refused.problems[0].split()[0]
            under = ("settings", label) if label in self.settings else ("settings",)
            raise PydanticCustomError("settings", "{reason}", {"reason": reason, "under": under}) from refused
        return self
