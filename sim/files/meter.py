"""The PCC meter, as a sim file states it."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from edge.model.site import Seconds
from sim.files.device import MeterModel, Served


class MeterFile(Served):
    """The PCC meter: a SunSpec model or another register map by name, and what its readings suffer."""

    device = "meter"

    model: MeterModel = 203
    period_s: float = Field(gt=0, le=60)
    latency_s: Seconds = 0.0
    average_s: Seconds = Field(0.0, description="averaging window; 0: the value at the sampling instant")
    sign: Literal["export_positive", "import_positive"] = "export_positive"

    def chain(self) -> tuple[int, ...]:
        """The SunSpec models it serves, in order; none for a meter that is not SunSpec."""
        return (1, self.model) if isinstance(self.model, int) else ()
