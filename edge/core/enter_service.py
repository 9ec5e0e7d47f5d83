"""Enter service by the gateway (IEEE 1547-2018 4.10): window, delay, then a ramp.

After a trip it holds every DER; after a plain start only those behind a contact, which the agent's absence has
opened. Voltage and frequency are the PCC meter's: the grid side of the contact.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from edge.core.settings import CoreSettings, DerPlant
from edge.model.image import Image


@dataclass(frozen=True, slots=True)
class EnterService:
    """`window_s`: inside the window without a break since then. `ramp_s`: the ramp began then."""

    after_trip: bool
    window_s: float | None = None
    ramp_s: float | None = None
    done: bool = False
    ready: bool = False


def enter_step(
    settings: CoreSettings,
    state: EnterService,
    image: Image,
    now_s: float,
    *,
    in_service: bool,
    tripped: bool,
    held: bool,
) -> EnterService:
    """Advance one scan.

    Args:
        settings: Window, delay and ramp.
        state: The state after the last scan.
        image: The process image.
        now_s: Monotonic time.
        in_service: The guard has closed, or would close if there were a contact.
        tripped: The guard's latch is set.
        held: Something else forbids to come back now, such as a DER that does not follow its limit.
    """
    if in_service and state.done:
        return state
    if in_service:
        ramp_s = now_s if state.ramp_s is None else state.ramp_s
        done = now_s - ramp_s >= settings.enter_ramp_s
        return EnterService(state.after_trip and not done, None, ramp_s, done)
    after_trip = state.after_trip or tripped
    if held or not _in_window(settings, image, now_s):
        return EnterService(after_trip)
    window_s = now_s if state.window_s is None else state.window_s
    ready = now_s - window_s >= settings.enter_delay_s
    return replace(EnterService(after_trip), window_s=window_s, ready=ready)


def enter_share(settings: CoreSettings, state: EnterService, der: DerPlant, now_s: float) -> float:
    """The part of its nameplate that enter service allows a DER now, 0 to 1."""
    if state.done or (der.contact is None and not state.after_trip):
        return 1.0
    if state.ramp_s is None:
        return 0.0
    return min(1.0, (now_s - state.ramp_s) / settings.enter_ramp_s)


def remaining_s(settings: CoreSettings, state: EnterService, now_s: float) -> float | None:
    """How long until service at the earliest: delay or ramp left; None outside the window or when done."""
    if state.done:
        return None
    if state.ramp_s is not None:
        return max(0.0, settings.enter_ramp_s - (now_s - state.ramp_s))
    if state.window_s is None:
        return None
    return max(0.0, settings.enter_delay_s - (now_s - state.window_s))


def _in_window(settings: CoreSettings, image: Image, now_s: float) -> bool:
    v_pu = image.pcc.v_pu.fresh(now_s, settings.stale_s)
    f_hz = image.pcc.f_hz.fresh(now_s, settings.stale_s)
    return (
        v_pu is not None
        and f_hz is not None
        and settings.v_low_pu <= v_pu <= settings.v_high_pu
        and settings.f_low_hz <= f_hz <= settings.f_high_hz
    )
