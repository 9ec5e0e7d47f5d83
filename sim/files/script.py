"""What happens by itself to load, sun and grid, as a sim file or a scenario states it."""

from __future__ import annotations

from typing import Annotated, Self

from pydantic import Field, model_validator
from pydantic_core import PydanticCustomError

from edge.model.site import Strict, Watts


class ScriptEvent(Strict):
    """Something that happens by itself at a time, counted from the start; exactly one effect."""

    at_s: Annotated[float, Field(ge=0)]
    load_step_w: float | None = None
    load_w: Watts | None = None
    sun_pu: float | None = Field(None, ge=0, le=2)

    @model_validator(mode="after")
    def _one_effect(self) -> Self:
        if sum(effect is not None for effect in (self.load_step_w, self.load_w, self.sun_pu)) != 1:
            raise PydanticCustomError("effect", "give exactly one of load_step_w, load_w, sun_pu")
        return self
