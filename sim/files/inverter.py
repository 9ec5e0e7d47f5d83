"""An inverter, as a sim file states it: a unit, and which devices of Modbus it is."""

from __future__ import annotations

from edge.model.site import Name
from sim.files.device import InverterModels, Served, model_ids
from sim.files.unit import RideThrough, Storage, Unit

__all__ = ["InverterFile", "RideThrough", "Storage"]


class InverterFile(Unit, Served):
    """One inverter: `der` speaks models 1, 701-706, `legacy` 1, 103, 120, 121, 123; a list names its own."""

    device = "inverter"

    role: Name
    models: InverterModels

    def chain(self) -> tuple[int, ...]:
        """The SunSpec models it serves, in order."""
        return model_ids(self.models)
