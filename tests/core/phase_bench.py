"""Three phases for the limiter's tests: a on phase a alone, b on all three."""

from __future__ import annotations

from dataclasses import replace

from core_bench import NONE, SETTINGS, A, B

from edge.core.settings import CoreSettings
from edge.model.image import PccReading
from edge.model.sample import Sample


def phase(place: int, share_a: float, share_b: float, **swaps: object) -> CoreSettings:
    """The settings of one phase, on which so much of either DER counts; the limit is 10 W."""
    nameplate_w = share_a * A.nameplate_w + share_b * B.nameplate_w
    settings = replace(
        SETTINGS,
        ders=(replace(A, share=share_a), replace(B, share=share_b)),
        nameplate_w=nameplate_w,
        ceiling_w=10.0,
        ceiling_by=f"export-limit-{'abc'[place]}",
        limit_w=10.0,
        phase=place,
    )
    return replace(settings, **swaps)  # type: ignore[arg-type]  # named fields of the settings


PHASES = replace(SETTINGS, phases=(phase(0, 1.0, 0.25), phase(1, 0.0, 0.25), phase(2, 0.0, 0.5)))


def by_phase(*phases_w: float, at_s: float = 100.0, sequence: int = 1) -> PccReading:
    """What the meter shows of each phase, the total being their sum."""
    return PccReading(
        Sample.good(sum(phases_w), at_s),
        NONE,
        NONE,
        sequence,
        tuple(Sample.good(power_w, at_s) for power_w in phases_w),
    )


def with_var(export_w: float, var: float, at_s: float = 100.0, sequence: int = 1) -> PccReading:
    """What the meter shows of active and reactive power."""
    good = Sample.good(export_w, at_s)
    return PccReading(good, NONE, NONE, sequence, (), Sample.good(var, at_s))
