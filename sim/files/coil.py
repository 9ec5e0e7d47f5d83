"""A trip module, as a sim file states it."""

from __future__ import annotations

from pydantic import Field

from edge.model.site import Name, Seconds
from sim.files.device import Served


class CoilFile(Served):
    """A Modbus trip module whose contact stands between some inverters and the grid."""

    device = "coil"

    role: Name
    opens: tuple[Name, ...] = Field(min_length=1, description="roles of the inverters behind the contact")
    watchdog_ms: int = Field(500, ge=0, le=65_535, description="0: no watchdog")
    actuation_s: Seconds = 0.05
