"""The host load, as a sim file states it: a base or a recording, appliances, motors and noise."""

from __future__ import annotations

from typing import Annotated

from pydantic import AfterValidator, Field
from pydantic_core import PydanticCustomError

from edge.model.site import Strict, Text, Watts

PowerFactor = Annotated[float, Field(gt=0, le=1, description="lagging")]
Mean = Annotated[float, Field(ge=1, le=86_400, description="mean of a random time in s")]

_Factor = Annotated[float, Field(ge=0, le=1)]
_SUM_TOLERANCE = 1e-6


def _whole(share: tuple[float, float, float]) -> tuple[float, float, float]:
    if abs(sum(share) - 1.0) > _SUM_TOLERANCE:
        raise PydanticCustomError("share", "the shares of the phases must add up to 1")
    return share


Share = Annotated[tuple[_Factor, _Factor, _Factor], AfterValidator(_whole)]
"""What falls on phase a, b and c."""


class Appliances(Strict):
    """Appliances that go on and off on their own, at whole seconds and after random (exponential) times."""

    count: int = Field(ge=1, le=1000)
    step_w: float = Field(
        gt=0, le=1e9, description="mean size; each is between half and one and a half of it"
    )
    on_s: Mean
    off_s: Mean


class Motor(Strict):
    """A motor: a multiple of its running current at a poor power factor for a moment, then its running power."""

    run_w: float = Field(gt=0, le=1e9, description="power when it runs")
    inrush: float = Field(6.0, ge=1, le=20, description="starting current over running current")
    inrush_s: float = Field(0.5, ge=0, le=60)
    power_factor: PowerFactor = 0.85
    start_power_factor: PowerFactor = 0.3
    share: Share | None = Field(None, description="of each phase; default: the load's")

    @property
    def start_va(self) -> float:
        """What it draws when it starts."""
        return self.inrush * self.run_w / self.power_factor


class CyclingMotor(Motor):
    """A motor that starts at whole seconds, after random (exponential) times of rest, and runs for a while."""

    rest_s: Mean
    run_s: Mean


class Load(Strict):
    """The host load: what is always on, what comes and goes, and noise that is drawn ten times a second."""

    base_w: Watts
    csv: Text | None = Field(
        None, description="file with t_s, load_w in place of base_w, which then only says how large it gets"
    )
    noise_w: Watts = Field(0.0, description="sigma of the noise at 10 Hz")
    power_factor: PowerFactor = 1.0
    share: Share | None = Field(None, description="of each phase; default: equal")
    steps: Appliances | None = None
    motor: tuple[CyclingMotor, ...] = ()
    seed: int = Field(1, ge=0, le=2**63 - 1)

    @property
    def most_va(self) -> float:
        """About the most that is ever drawn, with everything on and all motors starting at once."""
        steps_w = 1.5 * self.steps.step_w * self.steps.count if self.steps else 0.0
        return (self.base_w + steps_w) / self.power_factor + sum(motor.start_va for motor in self.motor)
