"""The excursion counts on disk, so that a restart does not lose them; written whole or not at all."""

from __future__ import annotations

import asyncio
import json
import threading
import time
from dataclasses import astuple
from pathlib import Path

from pydantic import BaseModel, ConfigDict, ValidationError

from edge.agent.durable_file import replace_file
from edge.agent.tally import Sum, Tally
from edge.agent.tell import Happening, Tell

_EVERY_S = 10.0
"""At most one write in this time, for the life of the card; the first after a quiet time goes at once."""

_LOOK_S = 1.0


class _Stored(BaseModel):
    """The file's content: count, duration in s and energy in Wh by step."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)

    version: int
    steps: dict[int, tuple[int, float, float]]


class TallyFile:
    """One site's `excursions.json`. Evidence, not protection: a lost one is told and begun anew."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._kept: dict[int, Sum] = {}
        # A saving whose waiter was cancelled runs on in its thread, and the next one uses the same temporary file.
        self._saving = threading.Lock()

    def load(self) -> tuple[Tally, str | None]:
        """The counts kept, and what is wrong with them."""
        try:
            stored = _Stored.model_validate_json(self._path.read_bytes())
        except FileNotFoundError:
            return Tally(), None
        except (OSError, ValidationError):
            return Tally(), f"{self._path.name} is damaged: excursions are counted from zero"
        self._kept = {step: Sum(*figures) for step, figures in stored.steps.items()}
        return Tally(self._kept), None

    def save(self, steps: dict[int, Sum]) -> None:
        """Write the counts if they changed.

        Raises:
            OSError: The disk is full or the folder cannot be written.
        """
        with self._saving:
            if steps == self._kept:
                return
            stored = {"version": 1, "steps": {step: astuple(known) for step, known in steps.items()}}
            replace_file(self._path, json.dumps(stored).encode())
            self._kept = steps

    async def keep(self, tally: Tally, tell: Tell) -> None:
        """Keep for ever; a disk that does not take it is told once."""
        said, due_s = False, 0.0
        while True:
            await asyncio.sleep(min(_LOOK_S, _EVERY_S))
            if time.monotonic() < due_s or tally.steps == self._kept:
                continue
            due_s = time.monotonic() + _EVERY_S
            try:
                await asyncio.to_thread(self.save, dict(tally.steps))
                said = False
            except OSError as error:
                if not said:
                    sentence = f"the excursion counts are not kept: {error.strerror}"
                    tell(Happening("alarm", time.monotonic(), sentence))
                said = True
