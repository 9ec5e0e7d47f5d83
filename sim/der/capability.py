"""What the rating allows of active and reactive power together, and which of them gives way (4.7, 5.2)."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from sim.der.arrays import Flags, Floats, Quantity
from sim.files.unit import VAR_PU, Unit

LOW_POWER = (0.05, 0.20)
"""Below the first no reactive power is required, from the second on all of it, in proportion between (5.2)."""

Curves = Callable[[Floats], Floats]
"""Reactive power over active power, of every unit."""

_HALVINGS = 40


class Capability:
    """The circle of the apparent rating, cut by the reactive ratings.

    With volt-var and constant var, reactive power comes first (`var_priority`), or else only as much of it as the
    category requires. At a constant power factor both shrink together; with watt-var the output slides along the
    curve into the circle. The scalar form is `tiir.capability`.
    """

    def __init__(self, units: Sequence[Unit]) -> None:
        self.va_pu: Floats = np.array([unit.va_rating_pu for unit in units])
        required = np.array([VAR_PU[unit.normal_category] for unit in units]).T * self.va_pu
        rated = np.array([unit.var_rating for unit in units]).T * self.va_pu
        self._kept_inject_pu, self._kept_absorb_pu = required
        self.var_inject_pu: Floats = rated[0]
        self.var_absorb_pu: Floats = rated[1]
        self.var_priority: Flags = np.array([unit.priority == "var" for unit in units])
        self.current_pu: Floats = np.array([unit.ride_through.current_pu for unit in units]) * self.va_pu
        self.full_current_v = float((self.va_pu / self.current_pu).max())
        self._reduced: Flags = np.array(
            [unit.kind == "pv" and unit.var_at_low_power == "reduced" for unit in units]
        )
        self._slide_p: Floats = np.zeros((2, len(units)))
        self._slide_q: Floats = np.zeros((2, len(units)))

    def take(self, watt_var: Curves, corners: Floats) -> None:
        """Find where each watt-var curve first leaves the circle, when generating and when charging.

        Args:
            watt_var: The curves.
            corners: Where they bend, going out from 0, of shape (2, corners, units).
        """
        for row, sign in enumerate((1.0, -1.0)):
            low, high = self._bracket(watt_var, sign, corners[row])
            for _ in range(_HALVINGS if (low < high).any() else 0):
                middle = 0.5 * (low + high)
                fits = self._fits(watt_var, sign, middle)
                low, high = np.where(fits, middle, low), np.where(fits, high, middle)
            self._slide_p[row], self._slide_q[row] = low, np.abs(watt_var(sign * low))

    def _bracket(self, watt_var: Curves, sign: float, corners: Floats) -> tuple[Floats, Floats]:
        """The last corner inside the circle and the next one, which is outside; both 1 where all fit."""
        low, high = np.zeros_like(self.va_pu), np.ones_like(self.va_pu)
        inside = np.ones(len(low), dtype=bool)
        for corner in (*np.clip(corners, 0.0, 1.0), np.ones_like(low)):
            fits = self._fits(watt_var, sign, corner)
            low = np.where(inside & fits, corner, low)
            high = np.where(inside & ~fits, corner, high)
            inside = inside & fits
        return low, high

    def _fits(self, watt_var: Curves, sign: float, p_pu: Floats) -> Flags:
        q_pu = np.clip(watt_var(sign * p_pu), -self.var_absorb_pu, self.var_inject_pu)
        fits: Flags = p_pu**2 + q_pu**2 <= self.va_pu**2
        return fits

    def fit(self, p_pu: Floats, q_pu: Floats, modes: Flags) -> tuple[Floats, Floats]:
        """Active and reactive power within the ratings; rows of `modes` as `sim.der.reactive.MODES`."""
        share = self._low_power_share(p_pu)
        inject, absorb = self.var_inject_pu * share, self.var_absorb_pu * share
        q_first: Floats = np.minimum(np.maximum(q_pu, -absorb), inject)
        outside = p_pu * p_pu + q_first * q_first > self.va_pu**2
        if not outside.any():
            return p_pu, q_first
        q_kept = np.where(q_first > 0, self._kept_inject_pu, self._kept_absorb_pu)
        most = np.where(self.var_priority, np.abs(q_first), np.maximum(q_kept, self._room(p_pu)))
        q_circle = np.clip(q_first, -most, most)
        p_circle = self._beside(q_circle, p_pu)
        p_slid, q_slid = self._slid(p_pu, q_pu)
        p_shrunk, q_shrunk = self._shrunk(p_pu, q_pu, inject, absorb)
        slides, shrinks = modes[1] & ~modes[0], modes[3] & ~modes[:3].any(axis=0)
        p_fit = np.where(slides, p_slid, np.where(shrinks, p_shrunk, p_circle))
        q_fit = np.where(slides, q_slid, np.where(shrinks, q_shrunk, q_circle))
        return np.where(outside, p_fit, p_pu), np.where(outside, np.clip(q_fit, -absorb, inject), q_first)

    def at_low_voltage(self, v_pu: Quantity, p_pu: Floats, q_pu: Floats) -> tuple[Floats, Floats]:
        """What the largest current can carry at `v_pu`, reactive power first."""
        most = self.current_pu * v_pu
        q_fit = np.clip(q_pu, -most, most)
        room = np.sqrt(most**2 - q_fit**2)
        return np.clip(p_pu, -room, room), q_fit

    def _low_power_share(self, p_pu: Floats) -> Floats:
        active = np.abs(p_pu)
        share = np.where(active < LOW_POWER[0], 0.0, np.minimum(active / LOW_POWER[1], 1.0))
        return np.where(self._reduced, share, 1.0)

    def _room(self, beside_pu: Floats) -> Floats:
        room: Floats = np.sqrt(np.maximum(self.va_pu**2 - beside_pu**2, 0.0))
        return room

    def _beside(self, q_pu: Floats, p_pu: Floats) -> Floats:
        room = self._room(q_pu)
        return np.clip(p_pu, -room, room)

    def _slid(self, p_pu: Floats, q_pu: Floats) -> tuple[Floats, Floats]:
        charges = p_pu < 0
        p_end = np.where(charges, self._slide_p[1], self._slide_p[0])
        q_end = np.where(charges, self._slide_q[1], self._slide_q[0])
        return np.clip(p_pu, -p_end, p_end), np.clip(q_pu, -q_end, q_end)

    def _shrunk(self, p_pu: Floats, q_pu: Floats, inject: Floats, absorb: Floats) -> tuple[Floats, Floats]:
        """Shrunk onto the circle at the same power factor, then along it to the reactive rating."""
        scale = np.minimum(1.0, self.va_pu / np.maximum(np.hypot(p_pu, q_pu), 1e-9))
        q_rating = np.where(q_pu > 0, inject, absorb)
        beyond = np.abs(scale * q_pu) > q_rating
        q_fit = np.where(beyond, np.sign(q_pu) * q_rating, scale * q_pu)
        return np.where(beyond, self._beside(q_rating, p_pu), scale * p_pu), q_fit
