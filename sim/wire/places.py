"""Where the devices of a site are reached: each at its TCP port or on its serial line."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from sim.files.device import Served
from sim.files.line import LineFile
from sim.quirks import Quirk
from sim.wire.rtu import RtuLine
from sim.wire.station import Station
from sim.wire.tcp import TcpPort

Wire: TypeAlias = TcpPort | RtuLine


@dataclass(frozen=True, slots=True)
class Place:
    """A device at its place."""

    station: Station
    wire: Wire

    @property
    def role(self) -> str:
        """What the device is at its site."""
        return self.station.role

    @property
    def unit_id(self) -> int:
        """Its Modbus unit id."""
        return self.station.unit_id

    @property
    def uri(self) -> str:
        """Where it is reached."""
        return self.wire.uri(self.station)

    @property
    def port(self) -> int | None:
        """Its TCP port; None on a serial line."""
        return self.wire.port if isinstance(self.wire, TcpPort) else None


def places(
    devices: Sequence[tuple[Served, Station]],
    lines: Sequence[LineFile],
    port_of: Callable[[int], int],
) -> dict[str, Place]:
    """Ports and lines with their devices, by role; `port_of` gives the port to listen on for one in the file."""
    made: dict[int | str, Wire] = {}
    for line in lines:
        made[line.name] = RtuLine(line, [station for served, station in devices if served.line == line.name])
    for port in dict.fromkeys(served.port for served, _ in devices if served.port is not None):
        here = [(served, station) for served, station in devices if served.port == port]
        one = any(Quirk.ONE_CONNECTION_ONLY in served.quirks for served, _ in here)
        made[port] = TcpPort(port_of(port), [station for _, station in here], one_connection=one)
    return {station.role: Place(station, made[served.place[0]]) for served, station in devices}
