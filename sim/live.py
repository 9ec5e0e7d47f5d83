"""The plant on the real clock: fixed steps that catch up with `time.monotonic()`, and its truth log."""

from __future__ import annotations

import time
from collections.abc import Callable

from sim.plant import Plant
from sim.truth import Row

_EPS = 1e-6  # of a step: against rounding, so that a whole step is one


class LivePlant:
    """Keeps a plant no more than one step behind the clock; `sink` gets every row with its clock time.

    `before_step` is called with the plant's time before each step.
    """

    def __init__(
        self,
        plant: Plant,
        sink: Callable[[Row, float], None] | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.plant = plant
        self.clock = clock
        self.before_step: Callable[[float], None] = _nothing
        self._sink = sink
        self._origin_s = clock()

    def start(self) -> None:
        """Let the plant's time begin now."""
        self._origin_s = self.clock() - self.plant.t_s

    def advance(self) -> None:
        """Run all steps that are due."""
        plant = self.plant
        due = int((self.clock() - self._origin_s) / plant.dt_s + _EPS)
        while plant.steps < due:
            self.before_step(plant.t_s)
            row = plant.step()
            if self._sink:
                self._sink(row, self._origin_s + row.t_s)

    def next_row_s(self) -> float:
        """Clock time of the next row: what is changed now shows there first."""
        return self._origin_s + self.plant.t_s + self.plant.dt_s


def _nothing(_now_s: float) -> None:
    """Nothing happens before a step."""
