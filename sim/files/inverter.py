"""An inverter, as a sim file states it: what it can do and how it answers."""

from __future__ import annotations

from pydantic import Field

from edge.model.site import Name, Seconds
from sim.files.device import InverterModels, Served, model_ids


class InverterFile(Served):
    """One inverter: `der` speaks models 1, 701-706, `legacy` 1, 103, 120, 121, 123; a list names its own."""

    device = "inverter"

    role: Name
    models: InverterModels
    nameplate_w: float = Field(gt=0, le=1e7)
    va_rating_pu: float = Field(1.1, ge=1, le=2, description="apparent power rating over nameplate")
    sun_pu: float = Field(1.0, ge=0, le=2, description="available power over nameplate")
    dead_time_s: Seconds = 0.2
    slope_pct_s: float = Field(100.0, gt=0, le=1e6, description="ramp in % of nameplate a second")
    enter_delay_s: float = Field(300.0, ge=0, le=1000, description="enter service delay, IEEE 1547 4.10.3")
    enter_ramp_s: float = Field(300.0, ge=0, le=1000, description="enter service ramp, IEEE 1547 4.10.3")

    def chain(self) -> tuple[int, ...]:
        """The SunSpec models it serves, in order."""
        return model_ids(self.models)
