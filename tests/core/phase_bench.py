"""Three phases for the limiter's tests: a on phase a alone, b on all three."""

from __future__ import annotations

from dataclasses import replace

from core_bench import NONE, SETTINGS, A, B, still

from edge.core.limiter import Limiter
from edge.core.noise import Noise
from edge.core.reactive import Reactive
from edge.core.settings import CoreSettings
from edge.model.image import PccReading
from edge.model.sample import Sample

NOBODY = frozenset[str]()
KVA = replace(SETTINGS, limit_va=25.0, expected_var=15.0)
"""25 W and 25 VA; 15 var leave 20 W."""
TRACKS = still(A, 12.0, 100.0, last_w=12.0), still(B, 48.0, 100.0, last_w=48.0)


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


def limiter(ceiling_w: float = 60.0, var: float | None = None, **swaps: object) -> Limiter:
    """One that has used sample 0; with a reactive flow that it has seen, free of noise."""
    reactive = None if var is None else Reactive(var, Noise(0.0, var))
    return replace(Limiter(ceiling_w, 0, 99.8, Noise(0.0), reactive=reactive), **swaps)  # type: ignore[arg-type]
