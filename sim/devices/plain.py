"""Devices without SunSpec: the trip module, and the diagnostic unit that tells the truth."""

from __future__ import annotations

import struct
from collections.abc import Callable

from pymodbus.constants import ExcCodes
from pymodbus.simulator import DataType, SimData, SimDevice

from sim.coil import TripCoil
from sim.devices.request import Request, action
from sim.plant import Plant

_COILS = (1, 5, 15)
_INPUTS = 2
_HOLDING = (3, 6, 16, 22, 23)


def coil_device(coil: TripCoil, unit_id: int, advance: Callable[[], None]) -> SimDevice:
    """The trip module.

    Coil 0: 1 holds the contact closed. Discrete input 0: the contact itself (52a). Holding register 0: the
    communication watchdog in ms, 0 for none. Input register 0: 1 when the watchdog has opened the contact.
    """

    def act(request: Request) -> ExcCodes | None:
        advance()
        if request.values is None:
            request.registers[0] = _shown(coil, request.function_code)
            return None
        if request.address != 0 or len(request.values) != 1:
            return ExcCodes.ILLEGAL_ADDRESS
        if request.function_code in _COILS:
            coil.write(closed=bool(request.values[0]))
        else:
            coil.watchdog_s = int(request.values[0]) / 1000.0
        return None

    bits = [SimData(0, values=[False] * 16, datatype=DataType.BITS)]
    inputs = [SimData(0, values=[False] * 16, datatype=DataType.BITS)]
    holding = [SimData(0, values=[0], datatype=DataType.REGISTERS)]
    status = [SimData(0, values=[0], datatype=DataType.REGISTERS)]
    return SimDevice(id=unit_id, simdata=(bits, inputs, holding, status), action=action(act))


def _shown(coil: TripCoil, function_code: int) -> int:
    if function_code in _COILS:
        return int(coil.coil)
    if function_code == _INPUTS:
        return int(coil.contact_closed)
    return round(coil.watchdog_s * 1000) if function_code in _HOLDING else int(coil.watchdog_tripped)


def diagnostic_device(plant: Plant, unit_id: int, advance: Callable[[], None]) -> SimDevice:
    """The truth as holding registers, read-only; float32 with the high word first.

    0: PCC export in W. 2 and 4: the first two inverters in W. 6: 1 when all contacts are closed. 8: host load
    in W. From 10 on: further inverters in W.
    """

    def act(request: Request) -> None:
        advance()
        truth = _truth(plant)
        request.registers[: len(truth)] = truth

    block = SimData(0, values=_truth(plant), datatype=DataType.REGISTERS, readonly=True)
    return SimDevice(id=unit_id, simdata=[block], action=action(act))


def _truth(plant: Plant) -> list[int]:
    powers_w: list[float] = plant.fleet.power_w.tolist()
    powers_w += [0.0] * (2 - len(powers_w))
    closed = all(coil.contact_closed for coil in plant.coils)
    words = struct.pack(">fff", plant.site.state.export_w, *powers_w[:2]) + struct.pack(">HH", closed, 0)
    words += struct.pack(f">{len(powers_w) - 1}f", plant.site.host_load_w, *powers_w[2:])
    return list(struct.unpack(f">{len(words) // 2}H", words))
