"""Inverters: what they make of sun or battery, commands, settings and grid. Any number of them, no clock.

Powers inside are in units of each unit's nameplate W, reactive power too; voltages in units of nominal.
Order of a step: protection (enter service, trip, ride-through), active power, reactive power, capability.
"""

from sim.der.fleet import Fleet
from sim.der.status import Status

__all__ = ["Fleet", "Status"]
