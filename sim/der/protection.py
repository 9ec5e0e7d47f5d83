"""What may put a unit off the grid and what brings it back: enter service, trip, ride-through; the status."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from sim.der.arrays import Codes, Flags, Floats, Quantity, all_of, any_of, greatest, least
from sim.der.ride_through import CONTINUOUS_HZ, CONTINUOUS_V, RideThroughBank
from sim.der.service import ServiceBank
from sim.der.settings import SettingsBank
from sim.der.status import Status
from sim.der.trip import TripBank
from sim.files.unit import Unit

_CONTINUOUS, _ENTERING, _TRIP, _OFF = (
    np.int8(status) for status in (Status.CONTINUOUS, Status.ENTERING_SERVICE, Status.TRIP, Status.OFF)
)


class Protection:
    """The three banks in their order of precedence: permit, trip, ride-through (IEEE 1547-2018 4.7).

    Attributes:
        status: What each unit is doing, as `Status`.
        calm: Whether every unit runs in continuous operation at full service with no timer running.

    At rest every unit is calm or off: as long as the grid stays quiet and nobody is let on or off, a step would
    change nothing and is not taken.
    """

    def __init__(self, units: Sequence[Unit], settings: SettingsBank, dt_s: float, seed: int) -> None:
        self.service = ServiceBank(units, settings, dt_s, seed)
        self.trip = TripBank(settings, len(units), dt_s)
        self.ride_through = RideThroughBank(units, settings, dt_s)
        self.status: Codes = np.zeros(len(units), dtype=np.int8)
        self._at_rest: bytes | None = None
        self.take()

    def take(self) -> None:
        """Take what follows from the settings."""
        self.trip.take()
        self.ride_through.take()
        low_v, high_v = self.trip.quiet_v
        low_hz, high_hz = self.trip.quiet_hz
        self._quiet_v = max(CONTINUOUS_V[0], low_v), min(CONTINUOUS_V[1], high_v)
        self._quiet_hz = max(CONTINUOUS_HZ[0], low_hz), min(CONTINUOUS_HZ[1], high_hz)
        self._unrest()

    def settle(self, energised: Flags) -> None:
        """Put the energised units that are allowed to run in service, the others off."""
        self.service.settle(self._allowed(energised))
        self._unrest()

    def step(self, energised: Flags, v_low_pu: Quantity, v_high_pu: Quantity, hz: Quantity) -> None:
        """Let one time step pass."""
        let_on = energised.tobytes() + self.service.permit.tobytes() + self.service.connect.tobytes()
        if let_on == self._at_rest and self.quiet(v_low_pu, v_high_pu, hz):
            return
        allowed = self._allowed(energised)
        trips = self.trip.step(energised, v_low_pu, v_high_pu, hz)
        self.service.step(allowed, trips, v_low_pu, v_high_pu, hz)
        mode = self.ride_through.mode(v_low_pu, v_high_pu, hz)
        blocked = self.ride_through.step(np.where(self.service.on, mode, np.int8(0)))
        entering = self.service.ceiling_pu < 1.0
        running = np.where((mode == _CONTINUOUS) & entering, _ENTERING, mode)
        off = np.where(allowed, _TRIP, _OFF)
        self.status = np.where(self.service.on, running, off)
        settled = all_of((self.status == _CONTINUOUS) | (self.status == _OFF))
        rests = settled and not any_of(blocked) and not self.trip.picked_up
        self._at_rest = let_on if rests else None
        self.calm = rests and not self.status.any()

    def quiet(self, v_low_pu: Quantity, v_high_pu: Quantity, hz: Quantity) -> bool:
        """Whether nothing that is looked at here has left the ordinary."""
        (low_v, high_v), (low_hz, high_hz) = self._quiet_v, self._quiet_hz
        return (
            low_v <= least(v_low_pu)
            and greatest(v_high_pu) <= high_v
            and low_hz <= least(hz)
            and greatest(hz) <= high_hz
        )

    def ramped(self, p_pu: Floats) -> Floats:
        """`p_pu` within the enter-service ramp, generating and charging."""
        ceiling = self.service.ceiling_pu
        return p_pu if self.calm else np.minimum(np.maximum(p_pu, -ceiling), ceiling)

    def gives(self) -> Flags:
        """Units that give current: in service and not blocked by ride-through."""
        return self.service.on & ~self.ride_through.blocked

    def _unrest(self) -> None:
        """Have the next step taken."""
        self.calm = False
        self._at_rest = None

    def _allowed(self, energised: Flags) -> Flags:
        return self.service.permit & self.service.connect & energised
