"""Reversion: a function that nobody writes to any more goes back to what was laid down for that."""

from __future__ import annotations

from collections.abc import Callable
from math import ceil

from sim.devices.common import flag
from sim.devices.inverter import Inverter
from sim.devices.sunspec import Apply, Changes, Live
from tiir.values import Value, Values

_EPS = 1e-6
"""What the plant's time may be off by after many steps, in s."""


class ReversionTimer:
    """Runs while the function with the switch `enable` is on; `start` starts it anew, and 0 s is none."""

    def __init__(self, inverter: Inverter, enable: str, revert: Callable[[], None]) -> None:
        self.after_s = 0.0
        self._inverter = inverter
        self._enable = enable
        self._revert = revert
        self._due_s: float | None = None
        inverter.plant.firmware.append(self._run)

    def start(self) -> None:
        """Start anew, as each write of the function does."""
        self._due_s = self._inverter.plant.t_s + self.after_s if self.after_s > 0 and self._on() else None

    def remaining_s(self) -> int:
        """Whole seconds left, rounded up; 0 when it does not run."""
        if self._due_s is None or not self._on():
            return 0
        return max(0, ceil(self._due_s - self._inverter.plant.t_s - _EPS))

    def _on(self) -> bool:
        return bool(self._inverter.setting(self._enable))

    def _run(self) -> None:
        if self._due_s is None or self._inverter.plant.t_s < self._due_s - _EPS:
            return
        self._due_s = None
        if self._on():
            self._revert()


class Reversion:
    """A function of 704: when its timer runs out it is switched off, or goes on with the settings `after`.

    Its points are called `<name>EnaRvrt`, `<name>RvrtTms` and `<name>RvrtRem`.
    """

    def __init__(self, inverter: Inverter, name: str, enable: str, after: Values) -> None:
        self.after: dict[str, Value] = dict(after)
        self._inverter = inverter
        self._name = name
        self._enable = enable
        self._goes_on = False
        self._timer = ReversionTimer(inverter, enable, self._revert)

    def live(self) -> dict[str, Live]:
        """Its three points."""
        return {
            f"{self._name}EnaRvrt": lambda: self._goes_on,
            f"{self._name}RvrtTms": lambda: self._timer.after_s,
            f"{self._name}RvrtRem": self._timer.remaining_s,
        }

    def judged(self, changes: Changes, after: Values) -> Apply:
        """What takes a write of the function that says `after` of what comes then.

        Raises:
            RefusedWriteError: For an enable that is none.
            TiirError: For settings that are none.
        """
        goes_on = flag(changes, f"{self._name}EnaRvrt")
        self._inverter.judged(after)

        def apply() -> None:
            self._goes_on = self._goes_on if goes_on is None else goes_on
            self.after |= after
            self._timer.after_s = changes.get(f"{self._name}RvrtTms", self._timer.after_s)
            if any(path.startswith(self._name) for path in changes):
                self._timer.start()

        return apply

    def _revert(self) -> None:
        self._inverter.configure(self.after if self._goes_on else {self._enable: False})
