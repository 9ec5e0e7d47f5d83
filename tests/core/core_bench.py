"""Plants, readings and settings for the limiter's tests."""

from __future__ import annotations

import math
from dataclasses import replace

from edge.core.pace import AROUND, QUICK
from edge.core.settings import CoreSettings, DerPlant
from edge.core.track import Track
from edge.core.trajectory import Trajectory
from edge.model.image import DerReading, Image, OutputReading, PccReading
from edge.model.sample import Sample

A = DerPlant("a", 20.0, 0.2, 20.0, 0.0, 5.0, 1.0, None)
B = DerPlant("b", 80.0, 0.2, 80.0, 0.0, 80.0, 1.0, "k")

SETTINGS = CoreSettings(
    ders=(A, B),
    nameplate_w=100.0,
    ceiling_w=25.0,
    ceiling_by="export-limit",
    limit_w=25.0,
    unmanaged_w=0.0,
    ramp_up_w_per_s=10.0,
    margin_floor_w=1.0,
    margin_cap_w=2.0,
    stale_s=1.0,
    fallback_hold_s=5.0,
    command_s=0.03,
    v_low_pu=0.917,
    v_high_pu=1.05,
    f_low_hz=59.5,
    f_high_hz=60.1,
    enter_delay_s=300.0,
    enter_ramp_s=100.0,
)
NONE = Sample.none()


def still(plant: DerPlant, limit_w: float, seen_s: float, **swaps: object) -> Track:
    """A DER that has been at its limit for long, and was seen there."""
    early = Trajectory(0.0, limit_w, limit_w, plant.slope_w_per_s / QUICK)
    late = Trajectory(0.0, limit_w, limit_w, plant.slope_w_per_s / AROUND)
    return Track(early, late, seen_s)._replace(**swaps)  # type: ignore[arg-type]  # named fields of the track


def pcc(
    export_w: float | None, at_s: float, sequence: int = 1, v_pu: float = 1.0, f_hz: float = 60.0
) -> PccReading:
    """What the meter showed at a time; no value at all when `export_w` is None."""
    if export_w is None:
        return PccReading(NONE, NONE, NONE, sequence)
    return PccReading(Sample.good(export_w, at_s), Sample.good(v_pu, at_s), Sample.good(f_hz, at_s), sequence)


def der(name: str, output_w: float, limit_w: float, at_s: float, **swaps: object) -> DerReading:
    """A DER's output and the limit read back, both at a time."""
    reading = DerReading(name, Sample.good(output_w, at_s), Sample.good(limit_w, at_s))
    return replace(reading, **swaps)  # type: ignore[arg-type]  # named fields of the reading


def contact(closed: float, at_s: float = -math.inf) -> tuple[OutputReading, ...]:
    """Feedback of contact k."""
    return (OutputReading("k", Sample.good(closed, at_s)),)


def image(reading: PccReading, *ders: DerReading, outputs: tuple[OutputReading, ...] = ()) -> Image:
    """One frozen view."""
    return Image(0, reading, ders, outputs)
