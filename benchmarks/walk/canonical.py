"""One state for all that the guard cannot tell apart: time moved to 0 at the last scan, ages clipped.

An age may be clipped where the code only asks whether it has passed a threshold: it goes on growing, so from
there on the answer stays. What each age is compared with is said beside it.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from benchmarks.walk.alphabet import HALF_DAY, OLDEST, TICK_S
from edge.guard.contact import FEEDBACK_GRACE_S, Contact
from edge.guard.element import ElementState
from edge.guard.settings import ElementSettings, GuardSettings
from edge.guard.state import GuardState
from edge.guard.supervisor import MAX_AGE_S, PATIENCE_S, TRIP_AFTER_S, Watch


@dataclass(frozen=True, slots=True)
class Canon:
    """Makes states canonical for one set of settings."""

    settings: GuardSettings

    def state(self, state: GuardState, now_s: float) -> GuardState:
        """The representative of a state after a scan at `now_s`, as if that had been at 0."""
        settings = self.settings
        durable = state.durable
        if durable.trips_s:
            # Compared with a day, which only jumps of half a day bring near. Only as many as lock out are counted,
            # and the oldest leave first.
            half_s = HALF_DAY * TICK_S
            ages = [(now_s - at_s) // half_s for at_s in durable.trips_s[-settings.lockout_trips :]]
            durable = replace(durable, trips_s=tuple(-age * half_s for age in ages))
        # Blindness counts from lost_sensing_s, and a proof must be newer than the last sample and than that.
        seen_most_s = settings.lost_sensing_s or 0.0
        # DER outputs are asked whether they are newer than this; feedback likewise, after its contact's own time.
        commanded_most_s = OLDEST * TICK_S
        return GuardState(
            durable=durable,
            elements=tuple(
                _element(known, was, now_s)
                for known, was in zip(settings.elements, state.elements, strict=True)
            ),
            pcs=_element(settings.pcs, state.pcs, now_s),
            watches=tuple(
                _watch(watch, now_s, 2 * der.decay_s + PATIENCE_S + MAX_AGE_S)
                for der, watch in zip(settings.ders, state.watches, strict=True)
            ),
            # Only "the same as before" and "another" are told apart.
            sequence=0,
            sample_s=-min(now_s - state.sample_s, seen_most_s),
            scan_s=0.0,
            commanded_s=-min(now_s - state.commanded_s, commanded_most_s),
            limits=state.limits,
            contacts=tuple(
                Contact(
                    -min(now_s - was.told_s, commanded_most_s + output.opens_s + FEEDBACK_GRACE_S),
                    was.closed,
                    was.failed,
                )
                for output, was in zip(settings.outputs, state.contacts, strict=True)
            ),
            closed=state.closed,
            further=tuple(
                _element(known, was, now_s)
                for known, was in zip(settings.further, state.further, strict=True)
            ),
            unresponsive=state.unresponsive,
            # Not read by the next scan, which finds them anew: causes; trips is for people only.
        )


def _element(settings: ElementSettings, state: ElementState, now_s: float) -> ElementState:
    """`below_s` is compared with the delay, `clear_s` with the reset delay; the flags are found anew."""
    clear_s = None if state.clear_s is None else -min(now_s - state.clear_s, settings.reset_delay_s)
    return ElementState(-min(now_s - state.below_s, settings.delay_s), state.picked_up, clear_s)


def _watch(watch: Watch, now_s: float, horizon_s: float) -> Watch:
    """Limits are asked whether they stood before the horizon; the first one's time is never asked for.

    Outputs are asked whether they are newer than `seen_s`; `unresponsive_s` is compared with TRIP_AFTER_S.
    """
    (_, first_w), *later = watch.limits
    limits = ((0.0, first_w), *((-min(now_s - at_s, horizon_s), limit_w) for at_s, limit_w in later))
    unresponsive_s = watch.unresponsive_s
    return Watch(
        limits,
        -min(now_s - watch.seen_s, OLDEST * TICK_S),
        None if unresponsive_s is None else -min(now_s - unresponsive_s, TRIP_AFTER_S),
    )
