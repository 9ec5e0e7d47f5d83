"""The excursion counts on disk, so that a restart does not lose them; written whole or not at all."""

from __future__ import annotations

import asyncio
import json
import threading
import time
from pathlib import Path

from pydantic import BaseModel, ConfigDict, ValidationError

from contract import records
from edge.agent.durable_file import replace_file
from edge.agent.tally import Steps, Sum, Tallies, Tally
from edge.agent.tell import Happening, Tell

_EVERY_S = 10.0
"""At most one write in this time, for the life of the card; the first after a quiet time goes at once."""

_LOOK_S = 1.0


_Figures = dict[int, tuple[int, float, float]]
"""Count, duration in s and energy in Wh by step."""


class _Stored(BaseModel):
    """The file's content: of the site, and of each phase with a limit of its own."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)

    version: int
    steps: _Figures
    phases: dict[records.Phase, _Figures] = {}


class TallyFile:
    """One site's `excursions.json`. Evidence, not protection: a lost one is told and begun anew."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._kept = Steps()
        # A saving whose waiter was cancelled runs on in its thread, and the next one uses the same temporary file.
        self._saving = threading.Lock()

    def load(self) -> tuple[Tallies, str | None]:
        """The counts kept, and what is wrong with them."""
        try:
            stored = _Stored.model_validate_json(self._path.read_bytes())
        except FileNotFoundError:
            return Tallies(), None
        except (OSError, ValidationError):
            return Tallies(), f"{self._path.name} is damaged: excursions are counted from zero"
        phases: dict[str, dict[int, Sum]] = {
            phase: _sums(figures) for phase, figures in stored.phases.items()
        }
        self._kept = Steps(_sums(stored.steps), phases)
        return Tallies(Tally(self._kept.site), {phase: Tally(each) for phase, each in phases.items()}), None

    def save(self, steps: Steps) -> None:
        """Write the counts if they changed.

        Raises:
            OSError: The disk is full or the folder cannot be written.
        """
        with self._saving:
            if steps == self._kept:
                return
            stored = {
                "version": 1,
                "steps": _figures(steps.site),
                "phases": {phase: _figures(each) for phase, each in steps.phases.items()},
            }
            replace_file(self._path, json.dumps(stored).encode())
            self._kept = steps

    async def keep(self, tallies: Tallies, tell: Tell) -> None:
        """Keep for ever; a disk that does not take it is told once."""
        said, due_s = False, 0.0
        while True:
            await asyncio.sleep(min(_LOOK_S, _EVERY_S))
            if time.monotonic() < due_s or tallies.steps() == self._kept:
                continue
            due_s = time.monotonic() + _EVERY_S
            try:
                await asyncio.to_thread(self.save, tallies.steps())
                said = False
            except OSError as error:
                if not said:
                    sentence = f"the excursion counts are not kept: {error.strerror}"
                    tell(Happening("alarm", time.monotonic(), sentence))
                said = True


def _sums(figures: _Figures) -> dict[int, Sum]:
    return {step: Sum(*known) for step, known in figures.items()}


def _figures(steps: dict[int, Sum]) -> _Figures:
    return {step: (known.count, known.duration_s, known.energy_wh) for step, known in steps.items()}
