"""Whether the PCC meter is as quick as its site file says: the time budgets stand on it. Pure.

A sample is replaced by the next one when it is a period old, and what showing and asking take on top. While that takes
longer as a rule, one lost sample more than the budgets know of is fallback, and some more of them are a trip: by the ages
of the samples, which nobody declares. This says so before.
"""

from __future__ import annotations

from collections import deque
from statistics import median

from edge.guard import budget
from edge.model.sample import Quality, Sample
from edge.model.site import Site

SAMPLES = 20
"""The median of so many is taken: an odd late answer is none of this."""


class Slipping:
    """Follows the PCC samples of a site as they are replaced; says once that they come too late."""

    def __init__(self, site: Site) -> None:
        self._declared = budget.renewal(site)
        self._ages_s: deque[float] = deque(maxlen=SAMPLES)
        self._last_s: float | None = None
        self._said = False

    def take(self, sample: Sample) -> str | None:
        """Take a new sample; a sentence when the meter has become slower than declared."""
        if sample.quality is not Quality.GOOD:
            return None
        before_s, self._last_s = self._last_s, sample.oldest_s
        if before_s is None:
            return None
        self._ages_s.append(sample.newest_s - before_s)
        if len(self._ages_s) < SAMPLES:
            return None
        typical_s = median(self._ages_s)
        slips = typical_s > self._declared.total_s
        said, self._said = self._said, slips
        if said or not slips:
            return None
        return (
            f"the PCC meter is slower than declared: a sample is {typical_s:.2f} s old when the next one comes, more than"
            f" {self._declared.spelled()}; one lost sample is fallback, some more are a trip"
        )
