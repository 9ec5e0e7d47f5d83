"""The permit service of an inverter as a trip output: SunSpec 703 ES (IEEE 1547-2018 4.6.1).

Without its permit a DER must cease to energize within 2 s. The model has no timer and no reversion, and what a DER
does when it no longer hears its controller is left to its maker (715 only counts heartbeats): there is no dead-man.
"""

from __future__ import annotations

import time

from drivers.bus import Bus
from drivers.errors import BadData, DriverError, TooLate, layout_changed
from drivers.sunspec.device import SunSpecDevice
from drivers.sunspec.window import Window

CEASED = 0.02
"""Of nameplate: a DER that gives no more than this has ceased to energize."""
_MEASURE = (701, 103, 102, 101, 113, 112, 111)
_ES, _ES_AT = "ES", 2
_NEIGHBOURS = ("ESVHi", "ESVLo")
"""Never 0 in a device that answers: they tell a permit that is taken away from an answer of zeros throughout."""


class TripPermit:
    """Written only when it is not what it should be: it may lie in flash. Every write is read back.

    Args:
        bus: the inverter's line.
        unit: its unit id.
        nameplate_w: of the DER.
    """

    dead_man_s: None = None

    def __init__(self, bus: Bus, unit: int, nameplate_w: float) -> None:
        self._device = SunSpecDevice(bus, unit)
        self._ceased_w = CEASED * nameplate_w
        self._permit: Window | None = None
        self._measure: Window | None = None
        self._held: bool | None = None

    async def hold(self, not_after_s: float | None = None) -> None:
        """Give the permit, where it was not seen given. Past `not_after_s` nothing is sent: TooLate."""
        if not self._held:
            await self._write(1, not_after_s)

    async def open(self) -> None:
        """Take the permit away; where it was seen taken, see that it still is."""
        if self._held is not False or await self._given():
            await self._write(0)

    async def read(self) -> bool:
        """Whether the DER may energize or still does: by its permit and by its power."""
        given = await self._given()
        self._measure = self._measure or Window(await self._device.need(*_MEASURE), ("W",))
        power_w = (await self._read(self._measure))["W"]
        return given or (power_w is not None and abs(power_w) > self._ceased_w)

    async def read_watchdog_s(self) -> None:
        """None: there is none."""

    async def _given(self) -> bool:
        """The permit as the device holds it."""
        self._permit = self._permit or Window(await self._device.need(703), (_ES, *_NEIGHBOURS))
        self._held = None
        permit = (await self._read(self._permit))[_ES]
        if permit is None:
            raise BadData(f"unit {self._device.unit} shows no permit service (703 ES)")
        self._held = permit != 0
        return self._held

    async def _write(self, permit: int, not_after_s: float | None = None) -> None:
        self._held = None
        ref = self._permit.ref if self._permit else await self._device.need(703)
        if not_after_s is not None and time.monotonic() > not_after_s:
            raise TooLate("the permit could not be written before its scan was past")
        try:
            await self._device.bus.write(
                self._device.unit, ref.address + _ES_AT, [permit], not_after_s=not_after_s
            )
        except DriverError as error:
            self._forget_if_moved(error)
            raise
        if await self._given() is not bool(permit):
            raise BadData(f"unit {self._device.unit} took 703 ES = {permit} and reads back {1 - permit}")

    async def _read(self, window: Window) -> dict[str, float | None]:
        try:
            return window.decode(
                (await self._device.bus.read(self._device.unit, window.ref.address, window.count)).words
            )
        except DriverError as error:
            self._forget_if_moved(error)
            raise

    def _forget_if_moved(self, error: DriverError) -> None:
        if layout_changed(error):
            self._device.forget()
            self._permit = self._measure = None
