"""What people ask of the agent while it runs: a tighter limit, a commissioning test, a reset by hand."""

from __future__ import annotations

from typing import Annotated, Self

from pydantic import Field, model_validator
from pydantic_core import PydanticCustomError

from edge.model.image import Override
from edge.model.site import Name, Strict, Watts


class Ask(Strict):
    """One request at `at_s`: a reset of the trip latch, or something in force for `for_s` (to the end without).

    `limit_w` caps the sum of DER output, or that of `der`; `pickup_w` lowers the pickup of the export elements;
    `blind` hides the meter. `test` says that it is a commissioning test's.
    """

    at_s: Annotated[float, Field(ge=0)]
    for_s: float | None = Field(None, gt=0)
    reset: bool = False
    limit_w: Watts | None = None
    der: Name | None = None
    pickup_w: float | None = None
    blind: bool = False
    test: bool = False

    @model_validator(mode="after")
    def _one_thing(self) -> Self:
        asked = (self.reset, self.limit_w is not None, self.pickup_w is not None, self.blind)
        if sum(asked) != 1:
            raise PydanticCustomError("ask", "give exactly one of reset, limit_w, pickup_w, blind")
        if self.reset and self.for_s is not None:
            raise PydanticCustomError("ask", "a reset takes no for_s")
        if self.der is not None and self.limit_w is None:
            raise PydanticCustomError("ask", "der goes with limit_w")
        return self

    @property
    def until_s(self) -> float:
        """When it lapses."""
        return float("inf") if self.for_s is None else self.at_s + self.for_s

    def override(self) -> Override:
        """As the agent's image holds it."""
        by = "commissioning" if self.test else "remote"
        return Override(
            by, self.until_s, self.limit_w, self.der, self.pickup_w, blind=self.blind, test=self.test
        )

    def told(self) -> str:
        """In a few words, for the plot."""
        if self.reset:
            return "reset by hand"
        if self.blind:
            return "test: meter hidden"
        if self.limit_w is not None:
            return f"asked: at most {self.limit_w / 1000:g} kW"
        return f"test: pickup at {(self.pickup_w or 0.0) / 1000:g} kW"
