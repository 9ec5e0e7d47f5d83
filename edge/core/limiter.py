"""The limiter: one correction of the ceiling on DER output for each new sample of the PCC meter.

Host load is what the DERs made less what was exported, at the instant of the meter's sample. That instant is
known as a span, and the DERs' output in it as an interval, so the load is an interval too. The ceiling is
moved only as far as the data prove: down at once to the highest ceiling that they allow, up by ramp to the
lowest that they call for. While the DERs are in motion the interval is wide and commands in flight are left to
work; when they have settled it is a point.
"""

from __future__ import annotations

from dataclasses import dataclass

from edge.core.noise import SIGMAS, Noise, heard, margin_w
from edge.core.reactive import Reactive
from edge.core.settings import CoreSettings
from edge.core.track import Track, output_span
from edge.model.image import PccReading

AVERAGED = 32
"""Samples, at most, over which the host load is averaged since it last stepped."""
RECENT = 4
"""Samples over which it is averaged beside that, to see whether it has gone elsewhere."""
SHIFT = 0.4
"""Of the margin: a load that has gone further of late is not where the mean says."""
STEP = 1.5
"""Of the margin: a load that differs by more has stepped."""
YOUNG = 8
"""A mean of fewer samples is of a load that has moved lately: it may be falling still."""
HOLD = 0.2
"""Of the margin: the ceiling is not moved by less."""


@dataclass(frozen=True, slots=True)
class Limiter:
    """`ceiling_w`: DER output allowed in sum; `sequence`: the last PCC sample that was used, `export_w` its value.

    `load_w` is the host load, noise averaged out over `averaged` samples; None before the first. `drift_w` is by how much
    the recent samples lie above it. `reactive` is what is known of the reactive flow where a limit on apparent power asks
    for it.
    """

    ceiling_w: float
    sequence: int
    used_s: float
    noise: Noise
    export_w: float | None = None
    load_w: float | None = None
    averaged: int = 0
    drift_w: float = 0.0
    reactive: Reactive | None = None


def target_w(settings: CoreSettings, noise: Noise) -> float:
    """The export the limiter aims at: the ceiling on export less the margin."""
    return settings.ceiling_w - margin_w(noise, settings.margin_floor_w, settings.margin_cap_w)


def load_span(
    settings: CoreSettings, tracks: tuple[Track, ...], lost: frozenset[str], pcc: PccReading, export_w: float
) -> tuple[float, float]:
    """The lowest and highest host load (W, less unmanaged generation) that fit a sample of `export_w`.

    Each DER counts with its share, its own output judged by the export of the whole site. A DER that cannot be
    reached may make anything up to what it last made: none of it is credited when the ceiling would rise, and no
    more than its last output when it would fall.
    """
    low_w = high_w = -export_w
    from_s, to_s = pcc.export_w.oldest_s - settings.command_s, pcc.export_w.newest_s
    site_w = pcc.export_w.otherwise(export_w)
    for track, plant in zip(tracks, settings.ders, strict=True):
        share = plant.share
        if plant.name in lost:
            high_w += share * (track.last_w or 0.0)
            continue
        least_w, most_w = output_span(track, plant, from_s, to_s, site_w)
        low_w += share * least_w
        high_w += share * most_w
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
    export_w = pcc.power_w(settings.phase).fresh(now_s, settings.stale_s)
    if export_w is None or pcc.sequence == limiter.sequence:
        return limiter
    low_w, high_w = load_span(settings, tracks, lost, pcc, export_w)
    noise = limiter.noise
    if high_w - low_w < settings.margin_floor_w:
        noise = heard(noise, (low_w + high_w) / 2, settings.margin_floor_w)
    aim_w = target_w(settings, noise)
    margin = settings.ceiling_w - aim_w
    over_w = limiter.ceiling_w - settings.ceiling_w
    load_w, averaged, drift_w = followed(limiter, low_w, high_w, over_w, margin)
    rise_w = settings.ramp_up_w_per_s * max(0.0, now_s - limiter.used_s)
    wanted_w = min(max(load_w + aim_w, -settings.charge_w), settings.nameplate_w)
    ceiling_w = moved(limiter.ceiling_w, wanted_w, margin, rise_w)
    return Limiter(ceiling_w, pcc.sequence, now_s, noise, export_w, load_w, averaged, drift_w)


def followed(
    limiter: Limiter, low_w: float, high_w: float, over_w: float, margin: float
) -> tuple[float, int, float]:
    """The host load after a sample that proves it to be between `low_w` and `high_w`, of how many it is the mean, and its drift.

    A sample that allows what is known proves nothing. A load that has stepped is followed at once, as far as that is
    proven; so is one that has moved lately and is at or below `over_w`, which puts export over what it may be: of a load
    that falls on and on the mean would stay behind for as long. Anything else is noise and averaged out. Where it stays
    off the mean for some samples it has gone there, and a σ below `over_w` all samples before count as one.
    """
    load_w = limiter.load_w
    if load_w is None:
        return low_w, 1, 0.0
    change_w = min(max(load_w, low_w), high_w) - load_w
    if change_w == 0:
        return load_w, limiter.averaged, limiter.drift_w
    moving = limiter.averaged < YOUNG and load_w + change_w <= over_w
    if moving or abs(change_w) > STEP * margin:
        return load_w + change_w, 1, 0.0
    drift_w = limiter.drift_w + (change_w - limiter.drift_w) / RECENT
    if abs(drift_w) > SHIFT * margin:
        return load_w + drift_w, 2, 0.0
    far_over = load_w + change_w <= over_w - margin / SIGMAS
    averaged = 2 if far_over else min(limiter.averaged + 1, AVERAGED)
    return load_w + change_w / averaged, averaged, drift_w - change_w / averaged


def moved(ceiling_w: float, wanted_w: float, margin: float, rise_w: float) -> float:
    """The ceiling on its way to `wanted_w`: down at once, up by ramp, and not at all for a part of the margin.

    What is held back spares the devices' memory and slow links a write for every breath of the load.
    """
    if abs(wanted_w - ceiling_w) <= HOLD * margin:
        return ceiling_w
    return min(wanted_w, ceiling_w + rise_w)
