"""The PCC meter: where it is, what is known of its timing and of its errors."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, model_validator

from edge.model.site.base import Name, Seconds, Strict, Uri, Watts, both


class Instruments(Strict):
    """How wrong the meter can be at the PCC, its transformers included: for a 32R pickup, which is small."""

    expected_var: float = Field(ge=0, le=1e9, description="largest reactive flow expected, either way")
    meter_error_pct: float = Field(ge=0, le=100, description="of apparent power")
    ratio_error_pct: float = Field(0.0, ge=0, le=100, description="current and voltage transformers together")
    angle_error_min: float = Field(
        0.0, ge=0, le=5400, description="phase displacement of the transformers, minutes of arc"
    )
    creep_w: Watts = Field(0.0, description="what the meter may show with no load on it")
    ct_primary_a: float | None = Field(None, gt=0, le=100_000)
    ct_secondary_a: float | None = Field(None, gt=0, le=100)
    pt_primary_v: float | None = Field(None, gt=0, le=1e6)
    pt_secondary_v: float | None = Field(None, gt=0, le=1000)

    @model_validator(mode="after")
    def _pairs_are_whole(self) -> Instruments:
        both(self, "ct_primary_a", "ct_secondary_a")
        return both(self, "pt_primary_v", "pt_secondary_v")


class Meter(Strict):
    """The PCC meter, and what is known of its timing."""

    uri: Uri
    profile: Name = "sunspec-meter"
    sign: Literal["export_positive", "import_positive"] = Field(
        description="what a positive W of this meter means; proved by commissioning"
    )
    period_s: float = Field(gt=0, le=60, description="how often the meter renews its registers")
    latency_s: Seconds = Field(description="from measuring to showing, at most")
    averaging_s: Seconds = 0.0
    max_repeat_s: Seconds = Field(0.0, description="unchanged registers still count as new for this long")
    poll_s: float | None = Field(None, gt=0, le=10, description="default: a fifth of the period")
    timeout_s: float = Field(0.15, gt=0, le=5)
    retries: int = Field(1, ge=0, le=3)
    noise_w: Watts = Field(0.0, description="σ of the measured power, as fixed at commissioning")
    count_w: Watts = Field(1.0, description="one count of the power register")
    instruments: Instruments | None = None

    @property
    def polling_s(self) -> float:
        """The gap between two requests."""
        return self.poll_s if self.poll_s is not None else self.period_s / 5

    @property
    def transaction_s(self) -> float:
        """The longest a request can take, with its retries."""
        return self.timeout_s * (1 + self.retries)
