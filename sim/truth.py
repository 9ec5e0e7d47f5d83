"""What really happened: a trace of the plant, and what can be said about it. Pure.

Bands and response follow the measures of the design: an excursion is true export above limit + 0.5 % of
nameplate; a response ends when the 1 s mean is back under that and stays there but for noise.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]

BAND_PU = 0.005
"""Half a percent of nameplate: the tolerance above the limit."""

MEAN_S = 1.0
"""Window of the running mean that a response is judged by."""

NOISE_SIGMAS = 4.0


Trio = tuple[float, float, float]
UNKNOWN: Trio = (math.nan, math.nan, math.nan)


def no_phases() -> Floats:
    """The columns of a trace in which nobody noted the phases."""
    return np.empty((0, 3))


class Row(NamedTuple):
    """The truth at one instant; powers in W, export positive out to the grid.

    `available_w` is what the sun (or another source) offers all inverters together, `phase_w` and `phase_var` what
    flows out to the grid on each phase; not a number where nobody noted it.
    """

    t_s: float
    export_w: float
    host_load_w: float
    inverter_w: tuple[float, ...]
    coil_closed: bool
    meter_sampled: bool
    event: str
    available_w: float = math.nan
    phase_w: Trio = UNKNOWN
    phase_var: Trio = UNKNOWN


@dataclass(frozen=True)
class Truth:
    """Rows as columns, evenly spaced in time: `inverter_w` has one for each inverter, those by phase have three."""

    t_s: Floats
    export_w: Floats
    host_load_w: Floats
    inverter_w: Floats
    coil_closed: Flags
    meter_sampled: Flags
    events: tuple[tuple[float, str], ...]
    available_w: Floats
    phase_w: Floats = field(default_factory=no_phases)
    phase_var: Floats = field(default_factory=no_phases)

    @classmethod
    def of(cls, rows: Sequence[Row]) -> Truth:
        """Collect rows into columns."""
        return cls(
            t_s=np.array([row.t_s for row in rows]),
            export_w=np.array([row.export_w for row in rows]),
            host_load_w=np.array([row.host_load_w for row in rows]),
            inverter_w=np.array([row.inverter_w for row in rows]),
            coil_closed=np.array([row.coil_closed for row in rows], dtype=bool),
            meter_sampled=np.array([row.meter_sampled for row in rows], dtype=bool),
            events=tuple((row.t_s, row.event) for row in rows if row.event),
            available_w=np.array([row.available_w for row in rows]),
            phase_w=np.array([row.phase_w for row in rows]),
            phase_var=np.array([row.phase_var for row in rows]),
        )

    @property
    def output_w(self) -> Floats:
        """Sum of the inverters' output."""
        total_w: Floats = self.inverter_w.sum(axis=1)
        return total_w

    def taken_w(self, storage: Sequence[int]) -> Floats:
        """What the units `storage` take from the grid: their charge or the import, whichever is less."""
        taken_w: Floats = np.minimum(-self.inverter_w[:, list(storage)].sum(axis=1), -self.export_w)
        return np.maximum(taken_w, 0.0)

    def sent_w(self, storage: Sequence[int]) -> Floats:
        """What the units `storage` send to the grid: their discharge or the export, whichever is less."""
        sent_w: Floats = np.minimum(self.inverter_w[:, list(storage)].sum(axis=1), self.export_w)
        return np.maximum(sent_w, 0.0)

    @property
    def dt_s(self) -> float:
        """Spacing of the rows in s."""
        return float((self.t_s[-1] - self.t_s[0]) / (len(self.t_s) - 1))

    def between(self, start_s: float, end_s: float) -> Truth:
        """The part with start_s <= t < end_s."""
        inside = (self.t_s >= start_s) & (self.t_s < end_s)
        return Truth(
            self.t_s[inside],
            self.export_w[inside],
            self.host_load_w[inside],
            self.inverter_w[inside],
            self.coil_closed[inside],
            self.meter_sampled[inside],
            tuple(event for event in self.events if start_s <= event[0] < end_s),
            self.available_w[inside],
            self.phase_w[inside] if len(self.phase_w) else self.phase_w,
            self.phase_var[inside] if len(self.phase_var) else self.phase_var,
        )


@dataclass(frozen=True, slots=True)
class Excursion:
    """One stretch of export above the band; peak is the export itself, energy what went above the limit."""

    start_s: float
    duration_s: float
    peak_w: float
    energy_wh: float


def excursions(truth: Truth, limit_w: float, nameplate_w: float) -> list[Excursion]:
    """Every stretch with true export above `limit_w` + 0.5 % of `nameplate_w`, in order."""
    return excursions_of(truth, truth.export_w, limit_w, nameplate_w)


def excursions_of(truth: Truth, flow: Floats, limit: float, nameplate_w: float) -> list[Excursion]:
    """The same of another flow than the total, in W or VA, for each row of `truth`."""
    above = flow > limit + BAND_PU * nameplate_w
    edges = np.flatnonzero(np.diff(np.concatenate(([False], above, [False]))))
    return [_excursion(truth, flow, first, last, limit) for first, last in _pairs(edges)]


def apparent_va(power_w: Floats, power_var: Floats, nameplate_w: float) -> Floats:
    """The apparent power of an export; where no active power to speak of goes out there is none."""
    exported: Floats = np.where(power_w > BAND_PU * nameplate_w, np.hypot(power_w, power_var), power_w)
    return exported


def longest_s(beyond: Flags, dt_s: float) -> float:
    """The longest stretch in which something was true."""
    edges = np.flatnonzero(np.diff(np.concatenate(([False], beyond, [False]))))
    return max(((last - first) * dt_s for first, last in _pairs(edges)), default=0.0)


def _pairs(edges: npt.NDArray[np.intp]) -> Iterable[tuple[int, int]]:
    return zip(edges[::2].tolist(), edges[1::2].tolist(), strict=True)


def _excursion(truth: Truth, flow: Floats, first: int, last: int, limit_w: float) -> Excursion:
    export_w = flow[first:last]
    dt_s = truth.dt_s
    return Excursion(
        start_s=float(truth.t_s[first]),
        duration_s=(last - first) * dt_s,
        peak_w=float(export_w.max()),
        energy_wh=float((export_w - limit_w).sum()) * dt_s / 3600.0,
    )


def max_export_w(truth: Truth, after_s: float) -> float:
    """Largest true export from `after_s` on, in W."""
    return float(truth.export_w[truth.t_s >= after_s].max())


def settled_s(truth: Truth, limit_w: float, nameplate_w: float, hold_s: float = 2.0) -> float | None:
    """When the loop had first held for `hold_s` on end; None if it never did.

    Holding is the 1 s mean between 2 % of nameplate below the limit and the band above it.
    """
    mean_w = running_mean(truth.export_w, truth.dt_s)
    held = (mean_w <= limit_w + BAND_PU * nameplate_w) & (mean_w >= limit_w - 0.02 * nameplate_w)
    need = max(1, round(hold_s / truth.dt_s))
    run = 0
    for index, good in enumerate(held.tolist()):
        run = run + 1 if good else 0
        if run == need:
            return float(truth.t_s[index])
    return None


def running_mean(values: Floats, dt_s: float, window_s: float = MEAN_S) -> Floats:
    """Mean over the last `window_s`; over what there is at the start."""
    width = max(1, round(window_s / dt_s))
    sums = np.concatenate(([0.0], np.cumsum(values)))
    ends = np.arange(1, len(values) + 1)
    starts = np.maximum(ends - width, 0)
    mean: Floats = (sums[ends] - sums[starts]) / (ends - starts)
    return mean


def noise_of_mean_w(truth: Truth) -> float:
    """Sigma of the 1 s mean that the host load's noise alone causes, in W.

    Taken from the differences of means a window apart, in which a constant load cancels; their median, so
    that steps of the load do not count.
    """
    mean_w = running_mean(truth.host_load_w, truth.dt_s)
    width = max(1, round(MEAN_S / truth.dt_s))
    apart_w = mean_w[2 * width :] - mean_w[width:-width]
    if not len(apart_w):
        return 0.0
    return float(np.median(np.abs(apart_w)) / 0.6745 / 2**0.5)


def response_time_s(
    truth: Truth, step_s: float, limit_w: float, nameplate_w: float, until_s: float | None = None
) -> float | None:
    """How long after a load step at `step_s` export was back: the response of `control.md`'s measure.

    The time until the 1 s mean of true export is at or below limit + 0.5 % of nameplate and afterwards, until
    `until_s`, never above that by more than 4 sigma of what noise does to it. 0 when the mean never left the
    band, None when it never came back.
    """
    end_s = float(truth.t_s[-1]) + truth.dt_s if until_s is None else until_s
    part = truth.between(step_s - MEAN_S, end_s)
    if part.t_s.size < 2:
        return None
    mean_w = running_mean(part.export_w, truth.dt_s)
    band_w = limit_w + BAND_PU * nameplate_w
    after = part.t_s > step_s
    above = np.flatnonzero(after & (mean_w > band_w))
    if not above.size:
        return 0.0
    far_above = np.flatnonzero(after & (mean_w > band_w + NOISE_SIGMAS * noise_of_mean_w(truth)))
    last_bad = int(far_above[-1]) if far_above.size else int(above[0])
    good = np.flatnonzero(mean_w[last_bad:] <= band_w)
    return float(part.t_s[last_bad + good[0]] - step_s) if good.size else None
