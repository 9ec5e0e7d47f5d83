"""What a scenario expects: a closed list of what must hold, each with bounds in the unit of its name."""

from __future__ import annotations

from typing import Annotated, Any, Literal, Self

from pydantic import BeforeValidator, Field, model_validator
from pydantic_core import PydanticCustomError

from edge.model.site import Name, Strict, Text
from edge.model.view import Mode
from sim.amount import amount

EventKind = Literal[
    "pickup",
    "dropout",
    "trip",
    "reset",
    "fallback",
    "fallback-end",
    "device-loss",
    "device-return",
    "write-unverified",
    "breaker-failure",
    "isolation",
    "in-service",
    "out-of-service",
    "restart",
    "alarm",
]
"""What `step()` and the virtual agent tell; names of the contract's event types."""


class Bounds(Strict):
    """From `least` to `most`, both included."""

    least: float | None = None
    most: float | None = None

    @model_validator(mode="after")
    def _bound(self) -> Self:
        if self.least is None and self.most is None:
            raise PydanticCustomError("bounds", "give least, most or both")
        if self.least is not None and self.most is not None and self.least > self.most:
            raise PydanticCustomError("bounds", "least is above most")
        return self

    def hold(self, value: float) -> bool:
        """Whether `value` lies within."""
        return (self.least is None or value >= self.least) and (self.most is None or value <= self.most)

    def told(self, key: str) -> str:
        """In words, for the figure `key`."""
        least, most = (None if one is None else amount(key, one) for one in (self.least, self.most))
        if least == most:
            return str(least)
        if least is None:
            return f"at most {most}"
        return f"at least {least}" if most is None else f"{least} to {most}"


def _number_as(*keys: str) -> BeforeValidator:
    def widen(value: Any) -> Any:
        is_number = isinstance(value, int | float) and not isinstance(value, bool)
        return dict.fromkeys(keys, value) if is_number else value

    return BeforeValidator(widen)


AtMost = Annotated[Bounds, _number_as("most")]
AtLeast = Annotated[Bounds, _number_as("least")]
Exactly = Annotated[Bounds, _number_as("least", "most")]


_SAID = ("output_w", "export_w", "phase_w", "export_va", "written_w", "taken_w", "sent_w", "contact", "mode")
"""What can be said of a span."""


class During(Strict):
    """What must hold at every instant from `from_s` until `until_s` (the end when left out).

    `output_w` is the true output of all DERs, or of `der`; `phase_w` the export of the phase that exports most;
    `export_va` the apparent power at the PCC; `written_w` every limit written to `der`, or the sum of
    what was last written to all; `taken_w` what storage takes from the grid, `sent_w` what it sends there; `contact`
    "closed" when every contact is.
    """

    from_s: float = Field(ge=0)
    until_s: float | None = None
    der: Name | None = None
    output_w: AtMost | None = None
    export_w: AtMost | None = None
    phase_w: AtMost | None = None
    export_va: AtMost | None = None
    written_w: AtMost | None = None
    taken_w: AtMost | None = None
    sent_w: AtMost | None = None
    contact: Literal["open", "closed"] | None = None
    mode: Mode | None = None

    @model_validator(mode="after")
    def _something(self) -> Self:
        said = (getattr(self, name) for name in _SAID)
        if all(one is None for one in said):
            raise PydanticCustomError("during", "give at least one of {names}", {"names": ", ".join(_SAID)})
        if self.until_s is not None and self.until_s <= self.from_s:
            raise PydanticCustomError("during", "until_s is not after from_s")
        return self


class Expect(Strict):
    """What must hold of a run. A number alone means at most, for `harvest_pu` at least, for counts exactly.

    Fields named as in `sim.metrics.Metrics` are held against it; the others are told beside it.
    """

    excursions: Exactly | None = None
    longest_excursion_s: AtMost | None = None
    peak_over_w: AtMost | None = None
    energy_over_wh: AtMost | None = None
    max_export_w: AtMost | None = None
    response_s: AtMost | None = None
    response_ratio: AtMost | None = Field(None, description="worst response over the clairvoyant's")
    undershoot_pu: AtMost | None = None
    oscillation_pu: AtMost | None = None
    harvest_pu: AtLeast | None = None
    mean_margin_w: AtMost | None = None
    safe_after_s: AtMost | None = None
    writes: AtMost | None = None
    trips: Exactly | None = None
    fallbacks: Exactly | None = None
    lost_sensing: Exactly | None = None
    longest_taken_s: AtMost | None = Field(None, description="storage took more from the grid than agreed")
    longest_sent_s: AtMost | None = Field(None, description="storage sent more to the grid than agreed")
    phase_excursions: Exactly | None = Field(None, description="of the phases that have a limit")
    longest_phase_excursion_s: AtMost | None = None
    peak_over_phase_w: AtMost | None = None
    va_excursions: Exactly | None = Field(None, description="of apparent power, where it is limited")
    longest_va_excursion_s: AtMost | None = None
    peak_over_va: AtMost | None = None
    target: Text | None = Field(None, description="what demanded the first trip")
    mode: Mode | None = Field(None, description="at the end")
    events: dict[EventKind, Exactly] = Field(default_factory=dict, description="how often each was told")
    during: tuple[During, ...] = ()

    @model_validator(mode="after")
    def _something(self) -> Self:
        if not self.model_fields_set:
            raise PydanticCustomError("expect", "a scenario that expects nothing shows nothing")
        return self
