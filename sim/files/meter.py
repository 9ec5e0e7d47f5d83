"""The PCC meter, as a sim file states it."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from edge.model.site import Seconds
from sim.files.device import Served


class MeterFile(Served):
    """The PCC meter (SunSpec model 203) and what its readings suffer."""

    period_s: float = Field(gt=0, le=60)
    latency_s: Seconds = 0.0
    average_s: Seconds = Field(0.0, description="averaging window; 0: the value at the sampling instant")
    sign: Literal["export_positive", "import_positive"] = "export_positive"
