"""The chain of models of an inverter, as its sim file asks for it."""

from __future__ import annotations

from collections.abc import Callable

from sim.devices.adopted import AdoptedSets
from sim.devices.capacity import basic_settings, capacity, nameplate, status
from sim.devices.chosen import ChosenCurves
from sim.devices.common import common
from sim.devices.controls import controls
from sim.devices.dc import mppt, ports
from sim.devices.enter_service import enter_service
from sim.devices.freq_watt import curve, parameters
from sim.devices.immediate import immediate
from sim.devices.inverter import Inverter
from sim.devices.measurement import measurement, older
from sim.devices.other import heartbeat, inert
from sim.devices.storage import battery, storage_capacity, storage_control
from sim.devices.sunspec import Model
from sim.plant import Plant

_MADE: dict[int, Callable[[Inverter], Model]] = {
    120: nameplate,
    121: basic_settings,
    122: status,
    123: immediate,
    127: parameters,
    134: curve,
    160: mppt,
    701: measurement,
    703: enter_service,
    704: controls,
    714: ports,
    715: heartbeat,
}
_OF_A_BATTERY = {124: storage_control, 713: storage_capacity, 802: battery}
_OLDER, _INERT = (101, 102, 103, 111, 112, 113), (125, 128, 131, 133)
_CHOSEN = (126, 129, 130, 132, 135, 136)


def inverter_models(plant: Plant, unit: int) -> list[Model]:
    """The chain of inverter number `unit` (from 0)."""
    inverter = Inverter(plant, unit)
    return [_model(inverter, model_id) for model_id in inverter.file.chain()]


def _model(inverter: Inverter, model_id: int) -> Model:
    if model_id == 1:
        kind = "BAT" if inverter.stores else "PV"
        return common(f"SIM-{kind}-{inverter.nameplate_w / 1000:g}K", f"{kind}-{inverter.unit + 1:04d}")
    if model_id == 702:
        return capacity(inverter, inverter.file.chain())
    if model_id in _OLDER:
        return older(inverter, model_id)
    if model_id in _INERT:
        return inert(model_id)
    if model_id in _CHOSEN:
        return ChosenCurves(inverter, model_id).model()
    if model_id in _OF_A_BATTERY:
        storage = inverter.file.storage
        return _OF_A_BATTERY[model_id](inverter, storage) if storage else Model(model_id, {})
    if model_id in _MADE:
        return _MADE[model_id](inverter)
    return AdoptedSets(inverter, model_id).model()
