"""How a parameter is drawn: a named distribution as its quantile function. Pure.

One uniform number for each (study seed, site, parameter): a site's parameters do not depend on how many sites
there are, in which order or where they run, or which other parameters are drawn.
"""

from __future__ import annotations

import math
import random
from bisect import bisect_right
from itertools import accumulate
from statistics import NormalDist
from typing import Annotated, Self

from pydantic import Field, model_validator
from pydantic_core import PydanticCustomError

from edge.model.site import Strict

Pair = tuple[float, float]
_KINDS = ("uniform", "log_uniform", "normal", "choice")


class Draw(Strict):
    """Exactly one distribution; `weights` belong to a choice, `low` and `high` clip a normal and must be given."""

    uniform: Pair | None = Field(None, description="[low, high]")
    log_uniform: Pair | None = Field(None, description="[low, high], both above 0")
    normal: Pair | None = Field(None, description="[mean, sigma], clipped at low and high")
    choice: Annotated[tuple[float, ...], Field(min_length=1)] | None = None
    weights: tuple[Annotated[float, Field(gt=0)], ...] | None = None
    low: float | None = None
    high: float | None = None

    @model_validator(mode="after")
    def _one_distribution(self) -> Self:
        given = [kind for kind in _KINDS if getattr(self, kind) is not None]
        if len(given) != 1:
            raise _misfit(f"give exactly one of {', '.join(_KINDS)}")
        if (self.weights is not None) and (self.choice is None or len(self.weights) != len(self.choice)):
            raise _misfit("weights need a choice, one weight for each of its values")
        if (self.normal is None) != (self.low is None) or (self.low is None) != (self.high is None):
            raise _misfit("low and high clip a normal: it needs both, nothing else takes them")
        if self.normal is not None and self.normal[1] <= 0:
            raise _misfit("the sigma of a normal must be above 0")
        low, high = self.support()
        if low > high:
            raise _misfit(f"the lower end, {low:g}, is above the upper, {high:g}")
        if self.log_uniform is not None and low <= 0:
            raise _misfit("a log_uniform needs ends above 0")
        return self

    def support(self) -> Pair:
        """The least and the greatest value that can be drawn."""
        if self.choice is not None:
            return min(self.choice), max(self.choice)
        if self.low is not None and self.high is not None:
            return self.low, self.high
        ends = self.uniform or self.log_uniform
        assert ends is not None
        return ends

    def at(self, share: float) -> float:
        """The value that the given share (0 to 1) of all draws stays at or below."""
        low, high = self.support()
        if self.choice is not None:
            sums = list(accumulate(self.weights or (1.0,) * len(self.choice)))
            place = bisect_right(sums, share * sums[-1])
            return self.choice[min(place, len(self.choice) - 1)]
        if self.normal is not None:
            inside = min(max(share, 1e-12), 1 - 1e-12)
            value = NormalDist(*self.normal).inv_cdf(inside)
        elif self.log_uniform is not None:
            value = math.exp(math.log(low) + share * (math.log(high) - math.log(low)))
        else:
            value = low + share * (high - low)
        return min(max(value, low), high)


def share_of(seed: int, site: int, name: str) -> float:
    """The uniform number, 0 <= share < 1, that decides parameter `name` of a site."""
    return random.Random(f"{seed}/{site}/{name}").random()


def _misfit(message: str) -> PydanticCustomError:
    return PydanticCustomError("draw", "{message}", {"message": message})
