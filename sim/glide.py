"""A value that steps or moves evenly to where it is told to."""

from __future__ import annotations


class Glide:
    """`value` moves to the last target by equal steps and then is the target exactly; `left` steps are to come."""

    __slots__ = ("_target", "left", "value")

    def __init__(self, value: float) -> None:
        self.value = value
        self._target = value
        self.left = 0

    @property
    def target(self) -> float:
        """Where it is going, or stands."""
        return self._target

    def aim(self, target: float, steps: int = 0) -> None:
        """Be at `target` after so many steps; for 0 at once, though the next step still tells of it."""
        self._target = target
        self.left = max(1, steps)
        if steps <= 0:
            self.value = target

    def step(self) -> None:
        """Take one step, if there is one to take."""
        if self.left:
            self.value = self._target - (self._target - self.value) * (self.left - 1) / self.left
            self.left -= 1
