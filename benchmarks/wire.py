"""Devices on loopback that cost next to nothing: the wire for the latency measure, with a stamp on every frame.

The simulator's servers are Python too and answer in about half a millisecond each; ten of them in one process would
be most of what is measured. Here each device is a register image (laid out by the simulator's own models) behind a
protocol that only cuts frames, copies words and reads the clock. Whoever asks, the agent or the bare loop, asks the
same devices.

Each inverter makes what its limit allows, at once; the meter renews its registers once a period and shows their sum
less a host load that changes every period. So every new sample calls for a new limit on every inverter.
"""

from __future__ import annotations

import asyncio
import struct
from collections.abc import Callable
from dataclasses import dataclass, field

from benchmarks.device import Connection, Device
from benchmarks.sites import UNIT_W, Fleet
from sim.devices.chain import inverter_models
from sim.devices.layout import layout
from sim.devices.meter import meter_models
from sim.devices.sunspec import BASE, Model, SunSpecMap
from sim.plant import Plant

_WATCHDOG_MS = 500
_LOAD_PU = 0.45
_STEP_PU = 0.03
"""The limiter averages noise out and holds small changes back. A step of this size it follows: down at once, and up by
what its ramp allows in a period, so every limit moves at each sample."""


@dataclass
class Round:
    """One meter sample: when it was first answered, and when each inverter got its next new limit."""

    answered_s: float | None = None
    written_s: dict[str, float] = field(default_factory=dict)


class Wire:
    """All devices of a fleet; `rounds` holds one entry for each meter sample, in order."""

    def __init__(self, fleet: Fleet) -> None:
        self.fleet = fleet
        self.rounds: list[Round] = []
        plant = Plant(fleet.sim())
        self.devices: dict[str, Device] = {}
        models = meter_models(plant, 203)
        self.meter = _sunspec(models)
        self.meter.answered = self._answered
        self.export = _find(models, 203, "W")
        self._export_unit_w = 10.0 ** _signed(self.meter.word(_find(models, 203, "W_SF")))
        self.devices["meter"] = self.meter
        self._inverters = [
            _Inverter(name, inverter_models(plant, index), self._written)
            for index, name in enumerate(fleet.roles[1:-1])
        ]
        self.devices |= {inverter.name: inverter.device for inverter in self._inverters}
        coil = Device(bytearray(_WATCHDOG_MS.to_bytes(2, "big")), base=0)
        self.devices[fleet.roles[-1]] = coil
        self._coil = coil
        self._servers: list[asyncio.Server] = []

    @property
    def limits(self) -> list[tuple[Device, int]]:
        """Each inverter with the address of its limit in percent."""
        return [(inverter.device, inverter.limit) for inverter in self._inverters]

    async def start(self) -> dict[str, str]:
        """Listen on free ports; the URI of each device."""
        loop = asyncio.get_running_loop()
        for device in self.devices.values():
            server = await loop.create_server(lambda device=device: Connection(device), "127.0.0.1", 0)  # type: ignore[misc] # mypy knows no default in a lambda
            device.port = server.sockets[0].getsockname()[1]
            self._servers.append(server)
        return {role: f"tcp://127.0.0.1:{device.port}?unit=1" for role, device in self.devices.items()}

    async def stop(self) -> None:
        """Close every port."""
        for server in self._servers:
            server.close()
            await server.wait_closed()

    async def run(self, seconds: float) -> None:
        """Renew the meter once a period for so long."""
        period_s, loop = self.fleet.period_s, asyncio.get_running_loop()
        begun_s = loop.time()
        for index in range(round(seconds / period_s)):
            self._renew(index)
            await asyncio.sleep(max(0.0, begun_s + (index + 1) * period_s - loop.time()))

    def _renew(self, index: int) -> None:
        """A new sample: the load rises and falls in turns, by too much to be noise and too little for a pickup."""
        load_w = (_LOAD_PU + _STEP_PU * (index % 2)) * self.fleet.nameplate_w
        output_w = sum(inverter.renew(closed=self._coil.coil) for inverter in self._inverters)
        self.meter.put(self.export, round((output_w - load_w) / self._export_unit_w))
        self.rounds.append(Round())

    def _answered(self, at_s: float) -> None:
        if self.rounds and self.rounds[-1].answered_s is None:
            self.rounds[-1].answered_s = at_s

    def _written(self, name: str, at_s: float) -> None:
        if self.rounds and self.rounds[-1].answered_s is not None:
            self.rounds[-1].written_s.setdefault(name, at_s)


class _Inverter:
    """Makes what its limit allows, at once."""

    def __init__(self, name: str, models: list[Model], written: Callable[[str, float], None]) -> None:
        self.name = name
        self.device = _sunspec(models)
        self.device.written = self._was_written
        ids = [model.model_id for model in models]
        limit_id, power_id = (704, 701) if 704 in ids else (123, 103)
        self.limit = _find(models, limit_id, "WMaxLimPct")
        self._power = _find(models, power_id, "W")
        self._limit_unit = 10.0 ** _signed(self.device.word(_find(models, limit_id, "WMaxLimPct_SF"))) / 100.0
        self._power_unit_w = 10.0 ** _signed(self.device.word(_find(models, power_id, "W_SF")))
        self._seen = self.device.word(self.limit)
        self._tell = written

    def renew(self, *, closed: bool) -> float:
        """Show what it makes now; in W."""
        power_w = min(1.0, self.device.word(self.limit) * self._limit_unit) * UNIT_W if closed else 0.0
        self.device.put(self._power, round(power_w / self._power_unit_w))
        return power_w

    def _was_written(self, at_s: float) -> None:
        """Only a new limit counts, not one that is re-asserted."""
        limit = self.device.word(self.limit)
        if limit != self._seen:
            self._seen = limit
            self._tell(self.name, at_s)


def _sunspec(models: list[Model]) -> Device:
    """The register image of a chain of models, as the simulator lays it out."""
    words = SunSpecMap(models, lambda: None).image()
    return Device(bytearray(struct.pack(f">{len(words)}H", *words)))


def _find(models: list[Model], model_id: int, point: str) -> int:
    """The address of a point of a model's fixed block."""
    address = BASE + 2
    for model in models:
        fields = layout(model.model_id, model.counts_now())
        if model.model_id == model_id:
            return address + next(each.offset for each in fields if each.path == point)
        address += sum(each.size for each in fields)
    raise LookupError(point)


def _signed(word: int) -> int:
    return word - 0x10000 if word & 0x8000 else word
