"""What is random at a site: one stream of draws for each thing that draws, so that none disturbs another."""

from __future__ import annotations

from enum import IntEnum

import numpy as np

_BLOCK = 1024


class Stream(IntEnum):
    """Who draws."""

    LOAD_NOISE = 1
    APPLIANCES = 2
    MOTORS = 3
    FREQUENCY = 4
    CLOUDS = 5
    METER = 6


def draws(seed: int, stream: Stream, number: int = 0) -> np.random.Generator:
    """The generator of the thing `number` of `stream` in a run of `seed`."""
    return np.random.default_rng((seed, stream, number))


class Normals:
    """Standard normal numbers, `width` at a time."""

    def __init__(self, seed: int, stream: Stream, width: int) -> None:
        self._random = draws(seed, stream)
        self._width = width
        self._ready: list[list[float]] = []

    def draw(self) -> list[float]:
        """The next `width` numbers."""
        if not self._ready:
            self._ready = self._random.standard_normal((_BLOCK, self._width)).tolist()
        return self._ready.pop()
