"""The PCC meter by SunSpec models 201-204 and 211-214: one short request for each reading."""

from __future__ import annotations

import math
from typing import Literal

from drivers.bus import Bus
from drivers.errors import DriverError, layout_changed
from drivers.profile import load_profile
from drivers.sunspec.device import SunSpecDevice
from drivers.sunspec.window import Window
from edge.model.readings import Identity, MeterRaw

Sign = Literal["export_positive", "import_positive"]

_PHASES = ("A", "B", "C")
_PHASE_V = tuple(f"PhVph{phase}" for phase in _PHASES)
_PHASE_W = tuple(f"Wph{phase}" for phase in _PHASES)
_PHASE_VAR = tuple(f"VARph{phase}" for phase in _PHASES)
_POINTS = ("A", *(f"Aph{phase}" for phase in _PHASES), "PhV", *_PHASE_V, "PPV", "Hz", "W", *_PHASE_W)
_REACTIVE = ("VAR", *_PHASE_VAR)


class SunSpecMeter:
    """A meter whose `W` means what `sign` says; the models leave that open.

    Reactive power has the same sign; it is read, in a longer request, only where it is asked for (`reactive`).
    """

    def __init__(
        self, bus: Bus, unit: int, sign: Sign, profile: str = "sunspec-meter", *, reactive: bool = False
    ) -> None:
        self.device = SunSpecDevice(bus, unit)
        self._sign = 1.0 if sign == "export_positive" else -1.0
        self._models = load_profile(profile).models
        self._points = (*_POINTS, *_REACTIVE) if reactive else _POINTS
        self._window: Window | None = None

    async def identify(self) -> Identity:
        """Who it is; the chain is walked anew."""
        self._forget()
        return await self.device.identity()

    async def read(self) -> MeterRaw:
        """One reading; an answer that is zero throughout is no measurement, its values are None.

        Raises:
            DriverError: no answer, an exception, or a model that moved (it is looked for next time).
        """
        window = self._window or await self._open()
        try:
            answer = await self.device.bus.read(self.device.unit, window.ref.address, window.count)
            values = window.decode(answer.words)
        except DriverError as error:
            if layout_changed(error):
                self._forget()
            raise
        return MeterRaw(
            request_sent_s=answer.sent_s,
            received_s=answer.received_s,
            export_w=self._signed(values["W"]),
            phase_export_w=tuple(self._signed(values[name]) for name in _PHASE_W),
            v_v=line_to_neutral(values["PhV"], [values[name] for name in _PHASE_V], values["PPV"]),
            f_hz=values["Hz"],
            raw=window.raw(answer.words),
            export_var=self._signed(values.get("VAR")),
            phase_export_var=tuple(self._signed(values.get(name)) for name in _PHASE_VAR),
        )

    def _signed(self, power: float | None) -> float | None:
        return None if power is None else self._sign * power

    async def _open(self) -> Window:
        self._window = Window(await self.device.need(*self._models), self._points)
        return self._window

    def _forget(self) -> None:
        self._window = None
        self.device.forget()


def line_to_neutral(
    average: float | None, phases: list[float | None], line_to_line: float | None
) -> float | None:
    """The line-to-neutral voltage, from whatever the device gives of it, in V."""
    if average is not None:
        return average
    given = [v for v in phases if v is not None]
    if given:
        return sum(given) / len(given)
    return None if line_to_line is None else line_to_line / math.sqrt(3)
