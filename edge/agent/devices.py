"""The devices of a site: their drivers, and what the socket may read and write of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from drivers.bus import Buses
from drivers.errors import DriverError
from drivers.factory import make_inverter, make_meter, make_trip_output
from drivers.protocol import Inverter, Meter, Outcome, Reactive, TripOutput, WriteResult
from drivers.reactive import SunSpecReactive
from drivers.sunspec.curve import adopt_curve
from drivers.sunspec.device import SunSpecDevice
from drivers.uri import ModbusUri
from edge.model.site import PermitService, Site

LIMIT_MODELS = frozenset({121, 123, 704})
LIMIT_POINTS = frozenset({(702, "WMax")})
"""Elsewhere, what the limit is a percentage of."""
PERMIT = (703, "ES")
"""The guard's, where it is a trip output."""

_METER = "meter"
_RETRIES = 2
_ORDINATE = {705: "Var", 706: "W"}


class SiteDevices:
    """All drivers of one site, on shared lines.

    Raises:
        DriverError: A URI or profile of the site file cannot be used.
    """

    def __init__(self, site: Site) -> None:
        self._buses = Buses()
        self.meter: Meter = make_meter(self._buses, site.meter, reactive=site.limits_va)
        self.ders: dict[str, Inverter] = {der.name: make_inverter(self._buses, der) for der in site.der}
        self.outputs: dict[str, TripOutput] = {
            output.name: make_trip_output(self._buses, output, site.der) for output in site.trip_output
        }
        self._sunspec = {der.name: self._open(der.uri, der.timeout_s) for der in site.der}
        self.reactive: dict[str, Reactive] = {
            der.name: SunSpecReactive(self._sunspec[der.name])
            for der in site.der
            if "volt_var" in der.gateway_functions
        }
        self._sunspec[_METER] = self._open(site.meter.uri, site.meter.timeout_s)
        self._may_write = frozenset(self.ders)
        self._permits = frozenset(
            output.der for output in site.trip_output if isinstance(output, PermitService)
        )

    def close(self) -> None:
        """Close every line."""
        self._buses.close()

    async def read_models(self, name: str, wanted: Sequence[int]) -> tuple[dict[str, Any], ...]:
        """Models of a device as `dergate read --json` prints them, all when `wanted` is empty.

        Raises:
            DriverError: There is no such device, or it does not answer.
        """
        device = self._device(name)
        chain = await device.discover()
        models = []
        for ref in chain.models:
            if not wanted or ref.id in wanted:
                values = (await device.read_model(ref)).values.as_json()
                models.append({"id": ref.id, "address": ref.address, "length": ref.length, **values})
        return tuple(models)

    async def write_points(self, name: str, model: int, values: Mapping[str, float]) -> WriteResult:
        """Write points of a DER's model and read them back; never those that hold its limit, or its permit where that trips.

        Raises:
            DriverError: There is no such DER, or it does not answer.
        """
        held = sorted(point for point in values if model in LIMIT_MODELS or (model, point) in LIMIT_POINTS)
        if held:
            reason = f"model {model} {', '.join(held)}: the active power limit belongs to the limiter while the agent runs"
            return WriteResult(Outcome.REFUSED, dict(values), {}, reason)
        if name in self._permits and any((model, point) == PERMIT for point in values):
            return WriteResult(
                Outcome.REFUSED, dict(values), {}, "model 703 ES: the permit service belongs to the guard"
            )
        return await self._der(name).write_points(model, values)

    async def adopt_curve(
        self,
        name: str,
        model: int,
        points: Sequence[tuple[float, float]],
        settings: Mapping[str, float],
        *,
        enable: bool,
    ) -> WriteResult:
        """Write a curve into a free set of a DER's model and adopt it.

        Raises:
            DriverError: There is no such DER, or it does not answer.
        """
        ordinate = _ORDINATE[model]
        named = [{"V": volts, ordinate: amount} for volts, amount in points]
        return await adopt_curve(self._der(name), model, named, settings=settings, enable=enable or None)

    def _open(self, uri: str, timeout_s: float) -> SunSpecDevice:
        parsed = ModbusUri.parse(uri)
        bus = self._buses.open(parsed, timeout_s=timeout_s, retries=_RETRIES)
        return SunSpecDevice(bus, parsed.unit_or_1)

    def _device(self, name: str) -> SunSpecDevice:
        if name not in self._sunspec:
            raise DriverError(f"no device is named {name!r}; there are: {', '.join(sorted(self._sunspec))}")
        return self._sunspec[name]

    def _der(self, name: str) -> SunSpecDevice:
        if name not in self._may_write:
            raise DriverError(f"no DER is named {name!r}; there are: {', '.join(sorted(self._may_write))}")
        return self._device(name)
