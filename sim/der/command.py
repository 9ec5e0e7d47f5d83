"""From what a unit is told to what its power stage does: dead time, deadband, least power, lag and slope."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from sim.der.arrays import Flags, Floats, any_of
from sim.der.lag import keep
from sim.files.unit import Unit


class Mover:
    """Moves values towards targets by a first-order lag, never faster than a slope."""

    def __init__(self, units: Sequence[Unit], dt_s: float, acts: Flags) -> None:
        slope_pu_s = np.array([unit.slope_pct_s / 100.0 for unit in units])
        self._reach: Floats = np.where(acts, slope_pu_s * dt_s, np.inf)
        self._gain: Floats = np.where(acts, 1.0 - keep(np.array([unit.lag_s for unit in units]), dt_s), 1.0)
        self._lags = bool((self._gain < 1.0).any())
        self._idle = not acts.any()

    def move(self, value: Floats, target: Floats) -> Floats:
        """Where `value` stands one time step later."""
        if self._idle:
            return target
        if target.tobytes() == value.tobytes():
            return value
        if self._lags:
            target = value + (target - value) * self._gain
        moved: Floats = np.minimum(np.maximum(target, value - self._reach), value + self._reach)
        return moved


class CommandPath:
    """The way of a command to the power stage.

    A command reaches it after the dead time. One that differs by less than the deadband from the one followed
    is not followed, and one below the least power brings about the least power.
    """

    def __init__(self, units: Sequence[Unit], dt_s: float) -> None:
        count = len(units)
        delay = np.array([round(unit.dead_time_s / dt_s) for unit in units])
        self._shared_delay = int(delay[0]) if (delay == delay[0]).all() else None
        self._delay = delay
        self._line: Floats = np.ones((int(delay.max()) + 1, count))
        self._head = 0
        self._units = np.arange(count)
        self._deadband: Floats = np.array([unit.deadband_pct / 100.0 for unit in units])
        self._least: Floats = np.array(
            [unit.min_pct / 100.0 if unit.kind == "pv" else -np.inf for unit in units]
        )
        self._shaped = bool(self._deadband.any() or (self._least > 0).any())
        self._followed: Floats = np.ones(count)
        self._mover = Mover(units, dt_s, np.array([unit.moves == "limit" for unit in units]))
        self._moved: Floats = np.ones(count)

    def settle(self, command: Floats) -> Floats:
        """Have `command` in force as if it had been for long; what the power stage then follows."""
        self._line[:] = command
        self._followed = command.copy()
        self._moved = np.maximum(command, self._least)
        return self._moved

    def step(self, command: Floats, deaf: Flags) -> Floats:
        """Let one time step pass; what the power stage follows. `deaf` units do not hear the command."""
        depth, head = len(self._line), self._head
        self._line[head] = np.where(deaf, self._line[head - 1], command) if any_of(deaf) else command
        if self._shared_delay is None:
            delayed: Floats = self._line[(head - self._delay) % depth, self._units]
        else:
            delayed = self._line[head - self._shared_delay]
        self._head = (head + 1) % depth
        self._moved = self._mover.move(self._moved, self._shape(delayed) if self._shaped else delayed)
        return self._moved

    def _shape(self, command: Floats) -> Floats:
        heard = np.abs(command - self._followed) > self._deadband
        self._followed = np.where(heard, command, self._followed)
        shaped: Floats = np.maximum(self._followed, self._least)
        return shaped
