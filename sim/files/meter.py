"""The PCC meter, as a sim file states it: its timing, its resolution, its current transformers and their mistakes."""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator
from pydantic_core import PydanticCustomError

from edge.model.site import Seconds, Strict, Watts
from sim.files.device import MeterModel, Served

ErrorPct = Annotated[float, Field(gt=-100, le=100)]
ErrorDeg = Annotated[float, Field(ge=-90, le=90)]


class Cts(Strict):
    """How the current transformers are put on; three values are by channel of the meter."""

    order: Literal["abc", "acb", "bac", "bca", "cab", "cba"] = Field(
        "abc", description="the phase whose conductor each channel's CT is on"
    )
    reversed: Literal["", "a", "b", "c", "ab", "ac", "bc", "abc"] = Field(
        "", description="channels whose CT looks the wrong way"
    )
    ratio_error_pct: tuple[ErrorPct, ErrorPct, ErrorPct] = (0.0, 0.0, 0.0)
    angle_error_deg: tuple[ErrorDeg, ErrorDeg, ErrorDeg] = Field(
        (0.0, 0.0, 0.0), description="by which the measured current leads the true one"
    )


class MeterFile(Served):
    """The PCC meter: a SunSpec model or another register map by name, and what its readings suffer."""

    device = "meter"

    model: MeterModel = 203
    period_s: float = Field(gt=0, le=60)
    latency_s: Seconds = 0.0
    average_s: Seconds = Field(0.0, description="averaging window; 0: the value at the sampling instant")
    sign: Literal["export_positive", "import_positive"] = "export_positive"
    count_w: Watts = Field(0.0, description="one count of W and var, total and phases; 0: no rounding")
    count_v: float = Field(0.0, ge=0, le=1000, description="one count of the phase voltages in V")
    count_a: float = Field(0.0, ge=0, le=1000, description="one count of the currents in A")
    count_hz: float = Field(0.0, ge=0, le=1)
    count_wh: float = Field(0.0, ge=0, le=1e6, description="one count of the energies")
    noise_w: Watts = Field(0.0, description="sigma of each sample's total power")
    creep_w: float = Field(0.0, ge=-1e6, le=1e6, description="export shown and counted when nothing flows")
    no_load_w: Watts = Field(0.0, description="below this a phase shows and counts nothing")
    netting: Literal["net", "phases"] = Field(
        "net", description="total energies count the sum of the phases, or add up what each phase counted"
    )
    ct: Cts = Cts()
    seed: int = Field(1, ge=0, le=2**63 - 1)

    @model_validator(mode="after")
    def _sign_is_its_own(self) -> Self:
        if isinstance(self.model, str) and "sign" in self.model_fields_set:
            raise PydanticCustomError(
                "sign",
                "the sign of {model} is that of its own registers and cannot be given",
                {"model": self.model},
            )
        return self

    def chain(self) -> tuple[int, ...]:
        """The SunSpec models it serves, in order; none for a meter that is not SunSpec."""
        return (1, self.model) if isinstance(self.model, int) else ()
