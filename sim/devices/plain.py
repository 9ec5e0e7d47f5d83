"""Devices without SunSpec: the trip module, and the diagnostic unit that tells the truth."""

from __future__ import annotations

import struct
from collections.abc import Callable, Sequence

from sim.coil import TripCoil
from sim.devices.unit import ModbusRefusal, Refusal
from sim.plant import Plant

_READ_COILS, _READ_INPUTS, _READ_HOLDING, _READ_STATUS = 1, 2, 3, 4
_WRITE_COIL, _WRITE_REGISTER, _WRITE_COILS, _WRITE_REGISTERS = 5, 6, 15, 16
_BITS = 16


class CoilUnit:
    """The trip module.

    Coil 0: 1 holds the contact closed. Discrete input 0: the contact itself (52a). Holding register 0: the
    communication watchdog in ms, 0 for none. Input register 0: 1 when the watchdog has opened the contact.
    Coils and inputs 1 to 15 are there and stay 0.
    """

    def __init__(self, coil: TripCoil, advance: Callable[[], None]) -> None:
        self._coil = coil
        self._advance = advance

    def read(self, function_code: int, address: int, count: int) -> list[int]:
        """Bits or registers as they are now.

        Raises:
            ModbusRefusal: For an address that is not there.
        """
        self._advance()
        coil = self._coil
        held = {
            _READ_COILS: [int(coil.coil)] + [0] * (_BITS - 1),
            _READ_INPUTS: [int(coil.contact_closed)] + [0] * (_BITS - 1),
            _READ_HOLDING: [round(coil.watchdog_s * 1000)],
            _READ_STATUS: [int(coil.watchdog_tripped)],
        }
        return _cut(held, function_code, address, count)

    def write(self, function_code: int, address: int, values: Sequence[int]) -> None:
        """Move the contact, or set the watchdog.

        Raises:
            ModbusRefusal: For another address than 0, or more than one value.
        """
        self._advance()
        if function_code not in (_WRITE_COIL, _WRITE_REGISTER, _WRITE_COILS, _WRITE_REGISTERS):
            raise ModbusRefusal(Refusal.ILLEGAL_FUNCTION)
        if address != 0 or len(values) != 1:
            raise ModbusRefusal(Refusal.ILLEGAL_ADDRESS)
        if function_code in (_WRITE_COIL, _WRITE_COILS):
            self._coil.write(closed=bool(values[0]))
        else:
            self._coil.watchdog_s = values[0] / 1000.0


class DiagnosticUnit:
    """The truth as holding registers, read-only; float32 with the high word first.

    0: PCC export in W. 2 and 4: the first two inverters in W. 6: 1 when all contacts are closed. 8: host load
    in W. From 10 on: further inverters in W.
    """

    def __init__(self, plant: Plant, advance: Callable[[], None]) -> None:
        self._plant = plant
        self._advance = advance

    def read(self, function_code: int, address: int, count: int) -> list[int]:
        """Registers as they are now.

        Raises:
            ModbusRefusal: For an address that is not there, or a function other than 3.
        """
        self._advance()
        return _cut({_READ_HOLDING: self._truth()}, function_code, address, count)

    def write(self, function_code: int, address: int, values: Sequence[int]) -> None:
        """Nothing here can be written.

        Raises:
            ModbusRefusal: Always.
        """
        del function_code, address, values
        raise ModbusRefusal(Refusal.ILLEGAL_FUNCTION)

    def _truth(self) -> list[int]:
        plant = self._plant
        powers_w: list[float] = plant.fleet.power_w.tolist()
        powers_w += [0.0] * (2 - len(powers_w))
        closed = all(coil.contact_closed for coil in plant.coils)
        words = struct.pack(">fff", plant.site.state.export_w, *powers_w[:2]) + struct.pack(">HH", closed, 0)
        words += struct.pack(f">{len(powers_w) - 1}f", plant.site.host_load_w, *powers_w[2:])
        return list(struct.unpack(f">{len(words) // 2}H", words))


def _cut(held: dict[int, list[int]], function_code: int, address: int, count: int) -> list[int]:
    if function_code not in held:
        raise ModbusRefusal(Refusal.ILLEGAL_FUNCTION)
    values = held[function_code]
    if address + count > len(values):
        raise ModbusRefusal(Refusal.ILLEGAL_ADDRESS)
    return values[address : address + count]
