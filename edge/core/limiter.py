"""The limiter: one correction of the ceiling on DER output for each new sample of the PCC meter.

Host load is what the DERs made less what was exported, at the instant of the meter's sample. That instant is
known as a span, and the DERs' output in it as an interval, so the load is an interval too. The ceiling is
moved only as far as the data prove: down at once to the highest ceiling that they allow, up by ramp to the
lowest that they call for. While the DERs are in motion the interval is wide and commands in flight are left to
work; when they have settled it is a point.
"""

from __future__ import annotations

from dataclasses import dataclass

from edge.core.noise import Noise, heard, margin_w
from edge.core.settings import CoreSettings
from edge.core.track import Track, output_span
from edge.model.image import PccReading


@dataclass(frozen=True, slots=True)
class Limiter:
    """`ceiling_w`: DER output allowed in sum; `sequence`: the last PCC sample that was used, `export_w` its value."""

    ceiling_w: float
    sequence: int
    used_s: float
    noise: Noise
    export_w: float | None = None


def target_w(settings: CoreSettings, noise: Noise) -> float:
    """The export the limiter aims at: the ceiling on export less the margin."""
    return settings.ceiling_w - margin_w(noise, settings.margin_floor_w, settings.margin_cap_w)


def load_span(
    settings: CoreSettings, tracks: tuple[Track, ...], lost: frozenset[str], pcc: PccReading, export_w: float
) -> tuple[float, float]:
    """The lowest and highest host load (W, less unmanaged generation) that fit the sample.

    A DER that cannot be reached may make anything up to what it last made: none of it is credited when the
    ceiling would rise, and no more than its last output when it would fall.
    """
    low_w = high_w = -export_w
    from_s, to_s = pcc.export_w.oldest_s - settings.command_s, pcc.export_w.newest_s
    for track, plant in zip(tracks, settings.ders, strict=True):
        if plant.name in lost:
            high_w += track.last_w or 0.0
            continue
        least_w, most_w = output_span(track, plant, from_s, to_s, export_w)
        low_w += least_w
        high_w += most_w
    return low_w, high_w


def correct(
    settings: CoreSettings,
    limiter: Limiter,
    tracks: tuple[Track, ...],
    lost: frozenset[str],
    pcc: PccReading,
    now_s: float,
) -> Limiter:
    """The limiter after this scan: corrected if the PCC sample is new, unchanged otherwise."""
    export_w = pcc.export_w.fresh(now_s, settings.stale_s)
    if export_w is None or pcc.sequence == limiter.sequence:
        return limiter
    low_w, high_w = load_span(settings, tracks, lost, pcc, export_w)
    noise = limiter.noise
    if high_w - low_w < settings.margin_floor_w:
        noise = heard(noise, (low_w + high_w) / 2, settings.margin_floor_w)
    aim_w = target_w(settings, noise)
    margin = settings.ceiling_w - aim_w
    ceiling_w = limiter.ceiling_w
    if ceiling_w > high_w + aim_w + margin / 2:
        ceiling_w = high_w + aim_w
    elif ceiling_w < low_w + aim_w:
        rise_w = settings.ramp_up_w_per_s * max(0.0, now_s - limiter.used_s)
        ceiling_w = min(ceiling_w + rise_w, low_w + aim_w)
    ceiling_w = min(max(ceiling_w, 0.0), settings.nameplate_w)
    return Limiter(ceiling_w, pcc.sequence, now_s, noise, export_w)
