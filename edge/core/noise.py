"""The margin under the limit: it follows the noise of the export between a floor and a cap."""

from __future__ import annotations

import math
from dataclasses import dataclass

SIGMAS = 3.0
FORGET = 1.0 / 300.0
"""Weight of one new sample: about three hundred samples are remembered."""
JUMP_SIGMAS = 6.0
"""A change beyond this is a step of the load, not noise."""


@dataclass(frozen=True, slots=True)
class Noise:
    """Running variance of the load estimate from one sample to the next."""

    variance_w2: float
    last_w: float | None = None


def heard(noise: Noise, load_w: float, floor_w: float) -> Noise:
    """The noise after one more load estimate. `floor_w` is the margin's floor, the least step that counts."""
    if noise.last_w is None:
        return Noise(noise.variance_w2, load_w)
    change_w = load_w - noise.last_w
    sigma_w = math.sqrt(noise.variance_w2)
    if abs(change_w) > max(JUMP_SIGMAS * math.sqrt(2) * sigma_w, floor_w):
        return Noise(noise.variance_w2, load_w)
    variance_w2 = noise.variance_w2 + FORGET * (change_w * change_w / 2 - noise.variance_w2)
    return Noise(variance_w2, load_w)


def margin_w(noise: Noise, floor_w: float, cap_w: float) -> float:
    """Three σ, between the floor and the cap."""
    return min(cap_w, max(floor_w, SIGMAS * math.sqrt(noise.variance_w2)))
