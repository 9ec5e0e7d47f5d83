"""What a trip output of the site file acts on in the simulated plant: a coil, a watchdog relay, or a permit."""

from __future__ import annotations

from typing import Protocol

from edge.model.site import GpioPulse, PermitService, TripOutput
from sim.coil import TripCoil
from sim.plant import Plant

CEASED = 0.02
"""Of nameplate: an inverter that gives no more has ceased to energize."""


class Switch(Protocol):
    """Held closed or let go of."""

    @property
    def watchdog_s(self) -> float:
        """After so long without a feed it opens by itself; 0: never."""

    @property
    def contact_closed(self) -> bool:
        """What its feedback shows."""

    def write(self, closed: bool) -> None:
        """Hold once, or open."""


class WatchdogRelay:
    """A coil's contact behind a relay that knows only pulses: opening is the end of them."""

    def __init__(self, relay: TripCoil) -> None:
        self._relay = relay

    @property
    def watchdog_s(self) -> float:
        """Its drop-out time."""
        return self._relay.watchdog_s

    @property
    def contact_closed(self) -> bool:
        """Its contact."""
        return self._relay.contact_closed

    def write(self, closed: bool) -> None:
        """A pulse, or none."""
        if closed:
            self._relay.write(closed=True)


class Permit:
    """703 ES of one inverter; it shows closed while the inverter may energize or still does."""

    watchdog_s = 0.0

    def __init__(self, plant: Plant, role: str) -> None:
        self._fleet = plant.fleet
        self._unit = next(index for index, unit in enumerate(plant.sim.inverter) if unit.role == role)
        self._ceased_w = CEASED * plant.sim.inverter[self._unit].nameplate_w

    @property
    def contact_closed(self) -> bool:
        """By its permit and by its power."""
        given = bool(self._fleet.permit[self._unit])
        return given or abs(float(self._fleet.power_w[self._unit])) > self._ceased_w

    def write(self, closed: bool) -> None:
        """Give the permit or take it away."""
        self._fleet.permit[self._unit] = closed


def switch_of(plant: Plant, output: TripOutput) -> Switch:
    """What `output` acts on: the coil of its name, but for a permit."""
    if isinstance(output, PermitService):
        return Permit(plant, output.der)
    coils = {coil.role: plant.coils[index] for index, coil in enumerate(plant.sim.coil)}
    coil = coils[output.name]
    return WatchdogRelay(coil) if isinstance(output, GpioPulse) else coil
