"""What an answer to a load step comes to, ours and the clairvoyant's. Pure; the definitions are the design's."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from sim.truth import BAND_PU, NOISE_SIGMAS, Floats, Truth, noise_of_mean_w, running_mean

RESET_S = 10.0
"""The PCS bound goes on counting until export was at or below the limit for this long."""
NEAR_PU = 0.05
"""Of nameplate: an output this close below its final target is back."""
RESTLESS_S = (120.0, 240.0)
"""After the step, oscillation is looked for."""


@dataclass(frozen=True, slots=True)
class Figures:
    """One trace from a step on. Times in s after the step, infinite when it never comes.

    `response_s` until the 1 s mean is back for good, `undershoot_pu` the most that output lacked of its final target,
    `back_s` until it lacks at most 5 % of nameplate for good, `bound_s` what the PCS bound counts from the limit + 0.5 %
    of nameplate and `limit_bound_s` what it counts from the limit itself, `swing_pu` peak to peak export in minutes 2 to
    4.
    """

    response_s: float
    undershoot_pu: float
    back_s: float
    bound_s: float
    limit_bound_s: float
    swing_pu: float


def figures(truth: Truth, step_s: float, limit_w: float, nameplate_w: float, final_w: float) -> Figures:
    """Judge `truth`; `final_w` is the output that it ought to end at."""
    lacks_pu = (final_w - truth.output_w) / nameplate_w
    after = truth.t_s >= step_s
    far = np.flatnonzero(after & (lacks_pu > NEAR_PU))
    first_s, last_s = (step_s + time_s for time_s in RESTLESS_S)
    counted = truth.between(step_s, np.inf)
    restless = truth.export_w[(truth.t_s >= first_s) & (truth.t_s < last_s)]
    return Figures(
        response_s=response_s(truth, step_s, limit_w, nameplate_w),
        undershoot_pu=max(0.0, float(lacks_pu[after].max())),
        back_s=_end_s(truth, far, step_s),
        bound_s=bound_s(counted, limit_w + BAND_PU * nameplate_w),
        limit_bound_s=bound_s(counted, limit_w),
        swing_pu=float(np.ptp(restless)) / nameplate_w if restless.size else 0.0,
    )


def response_s(truth: Truth, step_s: float, limit_w: float, nameplate_w: float) -> float:
    """Until the 1 s mean of export is at or below limit + 0.5 % of nameplate for good, but for 4 sigma of its noise."""
    mean_w = running_mean(truth.export_w, truth.dt_s)
    band_w = limit_w + BAND_PU * nameplate_w
    after = truth.t_s >= step_s
    far = np.flatnonzero(after & (mean_w > band_w + NOISE_SIGMAS * noise_of_mean_w(truth)))
    if not far.size:
        return 0.0
    within = np.flatnonzero(mean_w[far[-1] :] <= band_w)
    return float(truth.t_s[far[-1] + within[0]] - step_s) if within.size else np.inf


def bound_s(truth: Truth, above_w: float) -> float:
    """The longest time from the first to the last instant above `above_w` without 10 s at or below it between them.

    That is how the PCS bound counts. It picks up at the limit itself, where any single sample of noise in the 10 s after
    export is back goes on counting, ours and the clairvoyant's; all other measures begin 0.5 % of nameplate above.
    """
    above_s: Floats = truth.t_s[truth.export_w > above_w]
    if not above_s.size:
        return 0.0
    breaks = np.flatnonzero(np.diff(above_s) > RESET_S)
    starts_s = above_s[np.concatenate(([0], breaks + 1))]
    ends_s = above_s[np.concatenate((breaks, [above_s.size - 1]))]
    return float((ends_s - starts_s).max()) + truth.dt_s


def _end_s(truth: Truth, bad: npt.NDArray[np.intp], step_s: float) -> float:
    """The time from the step until after the last of the `bad` rows."""
    if not bad.size:
        return 0.0
    return float(truth.t_s[bad[-1]] + truth.dt_s - step_s) if bad[-1] + 1 < truth.t_s.size else np.inf
