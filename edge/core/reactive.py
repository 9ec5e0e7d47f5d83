"""A limit in kVA: how much active power the reactive flow at a boundary leaves of it."""

from __future__ import annotations

import math
from dataclasses import dataclass

from edge.core.noise import Noise, heard, margin_w
from edge.core.settings import CoreSettings

SMOOTHING = 1.0 / 8.0
"""Weight of one sample while it differs by no more than noise does."""


@dataclass(frozen=True, slots=True)
class Reactive:
    """The size of the reactive flow, noise averaged out, and that noise."""

    var: float
    noise: Noise


def followed(settings: CoreSettings, before: Reactive | None, var: float, variance_w2: float) -> Reactive:
    """What is known after a sample of `var`; the first one is taken to be as noisy as the power is (`variance_w2`)."""
    size = abs(var)
    if before is None:
        return Reactive(size, Noise(variance_w2, size))
    noise = heard(before.noise, size, settings.margin_floor_w)
    apart = size - before.var
    beyond = abs(apart) > margin_w(noise, settings.margin_floor_w, settings.margin_cap_w)
    return Reactive(before.var + (1.0 if beyond else SMOOTHING) * apart, noise)


def most_var(settings: CoreSettings, reactive: Reactive | None) -> float:
    """The reactive flow at the most, as far as it was seen."""
    if reactive is None:
        return 0.0
    return reactive.var + margin_w(reactive.noise, settings.margin_floor_w, settings.margin_cap_w)


def left_w(limit_va: float, var: float) -> float:
    """The active power that `limit_va` leaves beside `var`: none when that alone is as much."""
    return math.sqrt(max(0.0, limit_va * limit_va - var * var))
