"""What happens by itself to load, sun, grid and storage, as a sim file or a scenario states it."""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator
from pydantic_core import PydanticCustomError

from edge.model.site import Name, Seconds, Strict, Watts

_COMPANIONS = {
    "ramp_s": {"load_w", "load_step_w", "sun_pu", "v_pu", "hz"},
    "role": {"sun_pu", "set_w", "wish_w"},
    "phase": {"v_pu", "load_step_w"},
    "inrush": {"motor_w"},
    "inrush_s": {"motor_w"},
    "run_s": {"motor_w"},
}
"""What may stand beside which effect."""

_EFFECTS = ("load_step_w", "load_w", "sun_pu", "v_pu", "hz", "motor_w", "set_w", "wish_w")


class ScriptEvent(Strict):
    """Something that happens by itself at a time, counted from the start; exactly one effect.

    A ramp is even. `v_pu` and `hz` are the source's; 0 on one phase is an open conductor. With a `phase` it is on
    that one alone.
    """

    at_s: Annotated[float, Field(ge=0)]
    load_step_w: float | None = None
    load_w: Watts | None = None
    sun_pu: float | None = Field(None, ge=0, le=2, description="available power over nameplate at full sun")
    v_pu: float | None = Field(None, ge=0, le=2)
    hz: float | None = Field(None, ge=40, le=70)
    motor_w: float | None = Field(None, gt=0, le=1e9, description="a motor of this running power starts")
    set_w: float | None = Field(
        None, ge=-1e9, le=1e9, description="set-point of a storage unit; negative charges"
    )
    wish_w: float | None = Field(
        None, ge=-1e9, le=1e9, description="what a storage unit does by itself from now on; negative charges"
    )
    ramp_s: Seconds | None = None
    role: Name | None = Field(None, description="the inverter; default: all of them")
    phase: Literal["a", "b", "c"] | None = None
    inrush: float | None = Field(None, ge=1, le=20)
    inrush_s: float | None = Field(None, ge=0, le=60)
    run_s: Seconds | None = Field(None, description="how long the motor runs; default: for good")

    @property
    def effect(self) -> str:
        """Name of the one effect."""
        return next(name for name in _EFFECTS if getattr(self, name) is not None)

    @model_validator(mode="after")
    def _one_effect(self) -> Self:
        if sum(getattr(self, name) is not None for name in _EFFECTS) != 1:
            raise PydanticCustomError("effect", "give exactly one of {names}", {"names": ", ".join(_EFFECTS)})
        for companion, effects in _COMPANIONS.items():
            if getattr(self, companion) is not None and self.effect not in effects:
                wanted = {"name": companion, "effects": ", ".join(sorted(effects))}
                raise PydanticCustomError("companion", "{name} goes with {effects}", wanted)
        if self.effect in {"set_w", "wish_w"} and self.role is None:
            raise PydanticCustomError(
                "role", "{effect} needs the role of a storage unit", {"effect": self.effect}
            )
        return self
