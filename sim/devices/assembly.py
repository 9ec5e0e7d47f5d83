"""Every device of a site as a Modbus unit, quirks of its registers included."""

from __future__ import annotations

from collections.abc import Callable

from sim.devices.chain import inverter_models
from sim.devices.inverter import Inverter
from sim.devices.mapped_meter import MappedMeter
from sim.devices.meter import Shown, meter_models
from sim.devices.plain import CoilUnit, DiagnosticUnit
from sim.devices.quirky import quirky_map
from sim.devices.unit import Unit
from sim.files.meter_map import meter_map
from sim.plant import Plant
from sim.quirks import Quirk

Advance = Callable[[], None]
"""Brings the physics up to now; it runs before a request is answered."""


def meter_unit(plant: Plant, advance: Advance) -> Unit:
    """The PCC meter; one that is not SunSpec has the sign of its own map."""
    meter = plant.sim.meter
    if isinstance(meter.model, str):
        registers = meter_map(meter.model)
        return MappedMeter(registers, Shown(plant, registers.sign), advance)
    return quirky_map(meter_models(plant, meter.model), meter.quirks, advance, None)


def inverter_unit(plant: Plant, unit: int, advance: Advance) -> Unit:
    """Inverter number `unit` (from 0); the PCC meter stands behind it in its chain when its quirks say so."""
    models, quirks = inverter_models(plant, unit), plant.sim.inverter[unit].quirks
    if Quirk.TWO_DEVICES_IN_ONE_CHAIN in quirks:
        models = [*models, *meter_models(plant, 203)]
    return quirky_map(models, quirks, advance, Inverter(plant, unit))


def coil_unit(plant: Plant, number: int, advance: Advance) -> Unit:
    """Trip module `number` (from 0)."""
    return CoilUnit(plant.coils[number], advance)


def diagnostic_unit(plant: Plant, advance: Advance) -> Unit:
    """The unit that tells the truth."""
    return DiagnosticUnit(plant, advance)
