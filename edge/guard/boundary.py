"""What each element looks at: the total, one phase, active or apparent power. Pure."""

from __future__ import annotations

import math

from edge.guard.element import ElementState, element_step
from edge.guard.settings import ElementSettings, GuardSettings
from edge.model.image import PccReading
from edge.model.sample import Quality, Sample


def whole(settings: GuardSettings, pcc: PccReading) -> bool:
    """Whether a reading shows all that is limited: one that does not is no measurement for any element."""
    if pcc.export_w.quality is not Quality.GOOD or not settings.further:
        return pcc.export_w.quality is Quality.GOOD
    return all(
        pcc.power_w(element.phase).quality is Quality.GOOD
        and not (element.apparent and pcc.power_var(element.phase).quality is not Quality.GOOD)
        for element in settings.further
    )


def quantity(element: ElementSettings, pcc: PccReading, calm_w: float) -> Sample:
    """What the element compares with its pickup, of a reading that is whole.

    Apparent power counts while more active power than `calm_w` goes out: without any, reactive power alone is no
    export, and the meter's count and noise are none.
    """
    active = pcc.power_w(element.phase)
    power_w = active.otherwise(0.0)
    if not element.apparent or power_w <= calm_w:
        return active
    apparent_va = math.hypot(power_w, pcc.power_var(element.phase).otherwise(0.0))
    return Sample.good(apparent_va, active.oldest_s, active.newest_s)


def further_step(
    settings: GuardSettings,
    states: tuple[ElementState, ...],
    pcc: PccReading | None,
    zero_s: float | None,
    now_s: float,
) -> tuple[ElementState, ...]:
    """Every element on a further boundary after this scan, each by its own quantity and with a timer of its own.

    Args:
        settings: The guard's settings.
        states: Their states after the last scan.
        pcc: A new reading that is whole, if one came.
        zero_s: Since when every DER is known to make nothing, if they are.
        now_s: Monotonic time of this scan.
    """
    return tuple(
        [
            element_step(
                element,
                was,
                None if pcc is None else quantity(element, pcc, settings.calm_w),
                now_s,
                blocked_s=zero_s if element.blocked_at_zero_output else None,
            )
            for element, was in zip(settings.further, states, strict=True)
        ]
    )
