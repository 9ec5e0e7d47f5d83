"""Every device of a site as a Modbus unit, quirks of its registers included."""

from __future__ import annotations

from collections.abc import Callable

from sim.devices.chain import inverter_models
from sim.devices.meter import meter_models
from sim.devices.plain import CoilUnit, DiagnosticUnit
from sim.devices.sunspec import SunSpecMap
from sim.devices.unit import Unit
from sim.plant import Plant

Advance = Callable[[], None]
"""Brings the physics up to now; it runs before a request is answered."""


def meter_unit(plant: Plant, advance: Advance) -> Unit:
    """The PCC meter."""
    model = plant.sim.meter.model
    return SunSpecMap(meter_models(plant, int(model)), advance)


def inverter_unit(plant: Plant, unit: int, advance: Advance) -> Unit:
    """Inverter number `unit` (from 0)."""
    return SunSpecMap(inverter_models(plant, unit), advance)


def coil_unit(plant: Plant, number: int, advance: Advance) -> Unit:
    """Trip module `number` (from 0)."""
    return CoilUnit(plant.coils[number], advance)


def diagnostic_unit(plant: Plant, advance: Advance) -> Unit:
    """The unit that tells the truth."""
    return DiagnosticUnit(plant, advance)
