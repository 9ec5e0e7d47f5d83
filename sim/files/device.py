"""How a simulated device is reached and which register map it shows: what every served table has in common."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal, Self

from pydantic import AfterValidator, Field, model_validator
from pydantic_core import PydanticCustomError

from edge.model.site import Name, Strict
from sim.files.meter_map import meter_map_names
from sim.quirks import DeviceKind, Quirk, misfit

Port = Annotated[int, Field(ge=1, le=65_535)]
UnitId = Annotated[int, Field(ge=1, le=247)]

MEASUREMENTS = (101, 102, 103, 111, 112, 113, 701)
"""Models that say what an inverter gives; every inverter has at least one."""

FEWER_PHASES = (101, 102, 111, 112, 201, 202, 211, 212)
"""Models of an inverter or a meter on one phase or a split one."""

INVERTER_MODELS = (1, *MEASUREMENTS[:-1], *range(120, 137), 160, *range(701, 716), 802)

PRESETS: dict[str, tuple[int, ...]] = {
    "der": (1, 701, 702, 703, 704, 705, 706),
    "legacy": (1, 103, 120, 121, 123),
}


def _chain(models: Literal["der", "legacy"] | tuple[int, ...]) -> Literal["der", "legacy"] | tuple[int, ...]:
    if isinstance(models, str):
        return models
    unknown = [model for model in models if model not in INVERTER_MODELS]
    if unknown:
        raise PydanticCustomError("models", "an inverter has no model {model} here", {"model": unknown[0]})
    if models[:1] != (1,) or len(set(models)) != len(models):
        raise PydanticCustomError("models", "a chain starts with model 1 and names each model once")
    if not set(models) & set(MEASUREMENTS):
        raise PydanticCustomError("models", "an inverter needs a model that says what it gives")
    return models


InverterModels = Annotated[Literal["der", "legacy"] | tuple[int, ...], AfterValidator(_chain)]
"""A preset or the models of the chain in their order; `model_ids` makes one of the other."""


def _known(model: int | str) -> int | str:
    if isinstance(model, str) and model not in meter_map_names():
        known = ", ".join(meter_map_names())
        raise PydanticCustomError(
            "meter", "there is no meter of this name; known are {known}", {"known": known}
        )
    return model


MeterModel = Annotated[Literal[201, 202, 203, 204, 211, 212, 213, 214] | Name, AfterValidator(_known)]
"""A SunSpec model, or the name of a meter that is not SunSpec (`sim/devices/meters/`)."""


def model_ids(models: Literal["der", "legacy"] | tuple[int, ...]) -> tuple[int, ...]:
    """The models of a chain, a preset spelled out."""
    return PRESETS[models] if isinstance(models, str) else models


class Served(Strict):
    """A device at its place on the wire, and how it departs from its specification.

    It is reached at a TCP `port` or on the serial `line` of that name; others may share either by their unit ids.
    """

    device: ClassVar[DeviceKind]

    port: Port | None = None
    line: Name | None = None
    unit_id: UnitId = 1
    quirks: tuple[Quirk, ...] = ()

    def chain(self) -> tuple[int, ...]:
        """The SunSpec models it serves, in order; none for a device that is not SunSpec."""
        return ()

    @property
    def place(self) -> tuple[int | str, int]:
        """Port or line, and unit id: no two devices share it."""
        return (self.port if self.port is not None else self.line or "", self.unit_id)

    @model_validator(mode="after")
    def _one_place(self) -> Self:
        if (self.port is None) == (self.line is None):
            raise PydanticCustomError("place", "give either port or line")
        return self

    @model_validator(mode="after")
    def _quirks_fit(self) -> Self:
        reason = misfit(self.quirks, self.device, self.chain())
        if reason:
            raise PydanticCustomError("quirks", "{reason}", {"reason": reason})
        return self


class DiagnosticFile(Served):
    """Where the truth can be read: a unit that no real site has."""

    device = "diagnostic"
