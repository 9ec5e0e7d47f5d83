"""The plausibility supervisor: a limit was lowered at t, so the power must have fallen within T."""

from __future__ import annotations

from dataclasses import dataclass

from edge.guard.settings import DerSettings
from edge.model.image import DerReading

TOLERANCE = 0.02
"""Of nameplate: power above the limit by more than this is not following it."""
PATIENCE_S = 2.0
"""On top of twice the DER's decay, before it is called unresponsive."""
TRIP_AFTER_S = 10.0
"""Unresponsive for this long: the contact behind it is opened."""


@dataclass(frozen=True, slots=True)
class Watch:
    """One DER under watch: the limit it must keep, since when, and since when it does not."""

    limit_w: float
    since_s: float
    unresponsive_s: float | None = None


def watch_step(
    settings: DerSettings, watch: Watch, limit_w: float, reading: DerReading, now_s: float
) -> Watch:
    """Advance one scan. `limit_w` is what the last scan commanded.

    A higher limit is met at once; a lower one gives the DER twice its decay and some patience. Only power
    that was measured after that convicts, and only power measured within the limit acquits.
    """
    if limit_w >= watch.limit_w:
        watch = Watch(limit_w, watch.since_s, watch.unresponsive_s)
    elif limit_w < watch.limit_w - TOLERANCE * settings.nameplate_w:
        watch = Watch(limit_w, now_s, watch.unresponsive_s)
    due_s = watch.since_s + 2 * settings.decay_s + PATIENCE_S
    allowed_w = watch.limit_w + TOLERANCE * settings.nameplate_w
    output_w = reading.output_w.since(watch.since_s)
    if output_w is None:
        return watch
    if output_w <= allowed_w:
        return Watch(watch.limit_w, watch.since_s)
    if reading.output_w.since(due_s) is None:
        return watch
    began_s = now_s if watch.unresponsive_s is None else watch.unresponsive_s
    return Watch(watch.limit_w, watch.since_s, began_s)


def must_trip(watch: Watch, now_s: float) -> bool:
    """Whether the DER has ignored its limit for long enough to be disconnected."""
    return watch.unresponsive_s is not None and now_s - watch.unresponsive_s >= TRIP_AFTER_S
