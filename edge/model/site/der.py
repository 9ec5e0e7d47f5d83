"""DERs under control: what each is rated for, how it answers, and what it does when nobody speaks to it."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, model_validator

from edge.model.site.base import Name, Phases, Seconds, Strict, Text, Uri, Watts, misfit_here


class Reversion(Strict):
    """What an inverter does by itself when it hears nothing: SunSpec 704 reversion."""

    safe_w: Watts
    timer_s: int = Field(10, ge=1, le=30)


class ConfiguredRating(Strict):
    """A Power Rating Configuration Setting of one generator (IREC 2023 Section IV.B.3.b.ii; IEEE 1547-2018 10.4)."""

    limit_w: Watts | None = None
    limit_va: Watts | None = None
    certificate: Text | None = Field(None, description="of the setting, to IEEE 1547.1-2020")
    derating_tag: Text | None = Field(None, description="where the reduced rating is shown")

    @model_validator(mode="after")
    def _has_a_setting(self) -> ConfiguredRating:
        if self.limit_w is None and self.limit_va is None:
            raise misfit_here("needs limit_w or limit_va")
        return self

    @property
    def rated_w(self) -> float:
        """The most active power the setting lets through."""
        return min(limit for limit in (self.limit_w, self.limit_va) if limit is not None)


GatewayFunction = Literal["volt_var", "volt_watt", "freq_droop"]
"""A function of IEEE 1547-2018 that the gateway may run where the inverter lacks it."""


class Der(Strict):
    """One inverter or storage unit under control, and what is known of how it answers."""

    name: Name
    uri: Uri
    profile: Name
    nameplate_w: Watts = Field(gt=0)
    nameplate_va: Watts | None = None
    rated_var: Watts | None = Field(None, description="largest reactive power, either way; default rated VA")
    configured: ConfiguredRating | None = None
    kind: Literal["pv", "storage"] = "pv"
    charge_w: Watts | None = Field(None, gt=0, description="most that storage absorbs; default nameplate_w")
    soc_full_pct: float = Field(100.0, gt=0, le=100, description="state of charge at which storage is full")
    operation: Literal["band", "setpoint"] = Field(
        "band",
        description="storage runs itself within its band, or the gateway operates it by set-point: self-consumption",
    )
    phases: Phases | None = Field(None, description="it feeds, shared equally; default: the site's")
    dead_time_s: Seconds = Field(description="from a limit on the wire until the output starts to move")
    slope_pct_per_s: float = Field(gt=0, le=10_000, description="of nameplate")
    min_pct: float = Field(
        0.0, ge=0, lt=100, description="lowest limit that it holds without leaving operation"
    )
    told_zero: Literal["stops", "keeps_minimum"] = Field(
        "stops",
        description="what it does at a limit of 0; one that keeps its minimum is switched off by its permission",
    )
    power_up_w: Watts | None = Field(None, description="proven limit after a restart; default nameplate")
    reversion: Reversion | None = None
    contact: Name | None = Field(None, description="the trip output that disconnects this DER")
    poll_s: float = Field(0.5, gt=0, le=10)
    timeout_s: float = Field(0.3, gt=0, le=5)
    retries: int = Field(1, ge=0, le=3)
    gateway_functions: tuple[GatewayFunction, ...] = Field(
        (), description="run by the gateway; they must be off in the device"
    )
    gateway_voltage: Literal["pcc", "inverter"] = Field("pcc", description="what those functions see")
    lost_after_s: float = Field(2.0, gt=0, le=60, description="no answer for this long: unreachable")

    @model_validator(mode="after")
    def _storage_keys(self) -> Der:
        if self.kind != "storage":
            for key in ("charge_w", "soc_full_pct", "operation"):
                if getattr(self, key) != type(self).model_fields[key].default:
                    raise misfit_here('is for kind = "storage"', key)
        elif self.told_zero != "stops":
            raise misfit_here(
                "storage is told a band, and no permission goes with it: leave the key out", "told_zero"
            )
        return self

    @model_validator(mode="after")
    def _voltage_for_a_function(self) -> Der:
        if self.gateway_voltage != "pcc" and not {"volt_var", "volt_watt"} & set(self.gateway_functions):
            raise misfit_here(
                "says nothing: gateway_functions names no volt_var and no volt_watt", "gateway_voltage"
            )
        return self

    @property
    def rated_va(self) -> float:
        """Its rating in VA; where the file gives none, the one in W at a power factor of 1."""
        return self.nameplate_w if self.nameplate_va is None else self.nameplate_va

    @property
    def min_w(self) -> float:
        """The lowest limit that it holds without leaving operation, in watts."""
        return self.nameplate_w * self.min_pct / 100

    @property
    def reverts_to_w(self) -> float:
        """What it makes at most after its reversion; one that keeps its minimum goes no lower by itself."""
        if self.reversion is None:
            return self.nameplate_w
        return max(self.reversion.safe_w, self.min_w if self.told_zero == "keeps_minimum" else 0.0)

    @property
    def most_charge_w(self) -> float:
        """The most it can absorb; 0 for what only generates."""
        if self.kind != "storage":
            return 0.0
        return self.nameplate_w if self.charge_w is None else self.charge_w

    @property
    def most_var(self) -> float:
        """The largest reactive power it can make, either way; as large as its rating in VA where nothing says less."""
        return self.rated_va if self.rated_var is None else self.rated_var

    @property
    def slope_w_per_s(self) -> float:
        """Its slope in watts a second."""
        return self.nameplate_w * self.slope_pct_per_s / 100
