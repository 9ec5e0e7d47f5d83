"""A trip contact on a Modbus relay module, held closed by writes and opened by the module's own watchdog."""

from __future__ import annotations

from drivers.bus import Bus
from drivers.errors import ModbusException

_PER_S = 1000


class TripCoil:
    """Coil 1 is closed. Only a write of the coil feeds the watchdog.

    Args:
        bus: the module's line.
        unit: its unit id.
        coil: the coil that closes the contact.
        feedback: the discrete input wired to the contact (52a), None when there is none.
        watchdog_register: holds the watchdog in ms, None when it cannot be read.
        dead_man_s: from the last write until the contact is open, None when nothing opens it.
    """

    def __init__(
        self,
        bus: Bus,
        unit: int,
        coil: int = 0,
        *,
        feedback: int | None = None,
        watchdog_register: int | None = None,
        dead_man_s: float | None = None,
    ) -> None:
        self._bus = bus
        self._unit = unit
        self._coil = coil
        self._feedback = feedback
        self._watchdog_register = watchdog_register
        self._dead_man_s = dead_man_s

    @property
    def dead_man_s(self) -> float | None:
        """From the last `hold` until the contact is open by itself, in s."""
        return self._dead_man_s

    async def hold(self, not_after_s: float | None = None) -> None:
        """Write the coil closed; that feeds the watchdog. Past `not_after_s` nothing is sent: TooLate."""
        await self._bus.write_coil(self._unit, self._coil, closed=True, not_after_s=not_after_s)

    async def open(self) -> None:
        """Write the coil open."""
        await self._bus.write_coil(self._unit, self._coil, closed=False)

    async def read(self) -> bool | None:
        """Whether the feedback says closed; None without feedback."""
        return None if self._feedback is None else await self._bus.read_input(self._unit, self._feedback)

    async def read_watchdog_s(self) -> float | None:
        """The module's watchdog in s; None when it has no such register, or reads 0, which is none."""
        if self._watchdog_register is None:
            return None
        try:
            words = (await self._bus.read(self._unit, self._watchdog_register, 1)).words
        except ModbusException:
            return None
        return words[0] / _PER_S if words[0] else None
