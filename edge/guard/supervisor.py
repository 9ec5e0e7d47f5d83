"""The plausibility supervisor: a limit was lowered at t, so the power must have fallen within T."""

from __future__ import annotations

from typing import NamedTuple

from edge.guard.settings import DerSettings
from edge.model.image import DerReading

TOLERANCE = 0.02
"""Of nameplate: power above the limit by more than this is not following it."""
PATIENCE_S = 2.0
"""On top of twice the DER's decay, before it is called unresponsive."""
TRIP_AFTER_S = 10.0
"""Unresponsive for this long: the contact behind it is opened."""
MAX_AGE_S = 10.0
"""An output older than this convicts nobody and acquits nobody."""


class Watch(NamedTuple):
    """One DER under watch.

    `limits`: the highest limit in force since each of some times, falling: one that a later limit reaches has
    become that one.
    `seen_s`: the last output looked at. `unresponsive_s`: since then it does not follow.
    """

    limits: tuple[tuple[float, float], ...]
    seen_s: float = float("-inf")
    unresponsive_s: float | None = None


def watch_step(
    settings: DerSettings, watch: Watch, limit_w: float, reading: DerReading, now_s: float
) -> Watch:
    """Advance one scan. `limit_w` is what the last scan commanded; a DER that cannot be reached was not told.

    An output is held against the highest limit in force within twice the DER's decay and some patience before
    it was measured: a DER on its way down is not convicted, one that stays is, however the limit moves below
    it. Only power measured within the limit now in force acquits.
    """
    if not reading.reachable:
        return Watch(((now_s, settings.nameplate_w),), watch.seen_s, watch.unresponsive_s)
    patience_s = 2 * settings.decay_s + PATIENCE_S
    limits = _in_force(_told(watch.limits, limit_w, now_s), now_s - patience_s - MAX_AGE_S)
    output_w = reading.output_w.since(watch.seen_s)
    if output_w is None or reading.output_w.fresh(now_s, MAX_AGE_S) is None:
        return watch if limits is watch.limits else Watch(limits, watch.seen_s, watch.unresponsive_s)
    seen_s = reading.output_w.oldest_s
    slack_w = TOLERANCE * settings.nameplate_w
    if output_w <= limit_w + slack_w:
        return Watch(limits, seen_s)
    due_w = _in_force(limits, seen_s - patience_s)[0][1]
    if watch.unresponsive_s is None and output_w > due_w + slack_w:
        return Watch(limits, seen_s, now_s)
    return Watch(limits, seen_s, watch.unresponsive_s)


def must_trip(watch: Watch, now_s: float) -> bool:
    """Whether the DER has ignored its limit for long enough to be disconnected."""
    return watch.unresponsive_s is not None and now_s - watch.unresponsive_s >= TRIP_AFTER_S


def _told(
    limits: tuple[tuple[float, float], ...], limit_w: float, now_s: float
) -> tuple[tuple[float, float], ...]:
    if limits[-1][1] == limit_w:
        return limits
    higher = [item for item in limits if item[1] > limit_w]
    since_s = limits[len(higher)][0] if len(higher) < len(limits) else now_s
    return (*higher, (since_s, limit_w))


def _in_force(limits: tuple[tuple[float, float], ...], since_s: float) -> tuple[tuple[float, float], ...]:
    """The limits that were in force at `since_s` or later."""
    over = 0
    while over + 1 < len(limits) and limits[over + 1][0] <= since_s:
        over += 1
    return limits[over:] if over else limits
