"""A definite-time power element: 32R, 32F, 32, import, and the PCS bound.

ANSI device 32. It picks up when the measured power is beyond pickup, times from the last sample that was not,
and operates when the delay is over, unless the last sample was below dropout. A sample between dropout and pickup keeps a running timer running and
never starts one. A lost sample buys no time: the timer counts from what was last known to be below.
"""

from __future__ import annotations

from typing import NamedTuple

from edge.guard.settings import ElementSettings
from edge.model.sample import Sample


class ElementState(NamedTuple):
    """`below_s`: the oldest time of the last sample below pickup. `clear_s`: below dropout since then."""

    below_s: float
    picked_up: bool = False
    clear_s: float | None = None
    operated: bool = False
    blocked: bool = False


def element_step(
    settings: ElementSettings,
    state: ElementState,
    sample: Sample | None,
    now_s: float,
    *,
    blocked_s: float | None = None,
) -> ElementState:
    """Advance one scan.

    Args:
        settings: Pickup, dropout, delay and direction of the element.
        state: Its state after the last scan.
        sample: The PCC export if a new good sample came since the last scan, else None.
        now_s: Monotonic time of this scan.
        blocked_s: Measured then, a proof holds the element down as a sample below pickup would.
    """
    if blocked_s is not None:
        return ElementState(below_s=blocked_s, blocked=True)
    if sample is not None:
        state = _seen(settings, state, sample)
    beyond = state.picked_up and state.clear_s is None
    operated = beyond and now_s - state.below_s >= settings.delay_s
    if operated == state.operated and not state.blocked:
        return state
    return ElementState(state.below_s, state.picked_up, state.clear_s, operated)


def elapsed_s(state: ElementState, now_s: float) -> float:
    """How long the element has been timing; 0 when it is not picked up."""
    return max(0.0, now_s - state.below_s) if state.picked_up else 0.0


def _seen(settings: ElementSettings, state: ElementState, sample: Sample) -> ElementState:
    way = settings.direction
    value_w = way * sample.otherwise(0.0)
    if value_w > way * settings.pickup_w:
        return state._replace(picked_up=True, clear_s=None)
    if not state.picked_up:
        return ElementState(below_s=sample.oldest_s)
    if value_w > way * settings.dropout_w:
        return state._replace(clear_s=None)
    clear_s = sample.newest_s if state.clear_s is None else state.clear_s
    if sample.newest_s - clear_s >= settings.reset_delay_s:
        return ElementState(below_s=sample.oldest_s)
    return state._replace(clear_s=clear_s)
