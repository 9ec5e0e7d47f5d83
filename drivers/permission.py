"""Permission to be in service: SunSpec 703 ES, and 123 Conn for older inverters.

For an inverter that keeps to its minimum when it is told 0: without permission it makes nothing. It may come back by
its own enter service only.
"""

from __future__ import annotations

from drivers.protocol import Outcome, WriteResult
from drivers.sunspec.device import SunSpecDevice

_POINTS = {703: "ES", 123: "Conn"}


class SunSpecPermission:
    """The permission of one inverter, written only where it is another than wanted."""

    def __init__(self, device: SunSpecDevice) -> None:
        self._device = device

    async def give(self, *, given: bool) -> WriteResult:
        """Give the permission or take it back; `wanted` and `found` hold it by its point's name.

        Raises:
            DriverError: The device does not answer, or has neither model.
        """
        ref = await self._device.need(*_POINTS)
        name = _POINTS[ref.id]
        wanted = {name: int(given)}
        held = (await self._device.read_model(ref)).values.points.get(name)
        if held == int(given):
            return WriteResult(Outcome.VERIFIED, wanted, dict(wanted))
        return await self._device.write_points(ref, dict(wanted))
