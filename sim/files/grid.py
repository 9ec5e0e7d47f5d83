"""The grid behind the PCC, as a sim file states it: an ideal source, its impedance, the service transformer."""

from __future__ import annotations

from typing import Literal, Self

from pydantic import Field, model_validator
from pydantic_core import PydanticCustomError

from edge.model.site import Strict


class Transformer(Strict):
    """The service transformer; resistance and reactance in percent of its own rating."""

    va: float = Field(gt=0, le=1e9, description="nominal base rating in VA")
    r_pct: float = Field(1.0, ge=0, le=50)
    x_pct: float = Field(3.0, ge=0, le=50)


class Grid(Strict):
    """The source behind the PCC. Impedances are per phase and referred to `nominal_v`.

    A three-phase connection ("abc") has a neutral; a single-phase one ("a") counts its own loop impedance.
    """

    phases: Literal["abc", "a"] = "abc"
    nominal_v: float = Field(
        gt=0,
        le=100_000,
        description="nominal voltage in V: line-to-line, of a single-phase site its only one",
    )
    hz: float = Field(60.0, ge=40, le=70)
    hz_noise: float = Field(0.0, ge=0, le=1, description="sigma of the frequency at 10 Hz")
    voltage_pu: float = Field(1.0, gt=0, le=2)
    resistance_ohm: float = Field(0.0, ge=0, le=100)
    reactance_ohm: float = Field(0.0, ge=0, le=100)
    short_circuit_mva: float | None = Field(None, gt=0, le=1e6, description="in place of the ohms")
    x_over_r: float | None = Field(None, ge=0, le=1000)
    neutral_resistance_ohm: float = Field(0.0, ge=0, le=100)
    neutral_reactance_ohm: float = Field(0.0, ge=0, le=100)
    transformer: Transformer | None = None

    @model_validator(mode="after")
    def _one_source(self) -> Self:
        if (self.short_circuit_mva is None) != (self.x_over_r is None):
            raise PydanticCustomError("source", "short_circuit_mva and x_over_r go together")
        if self.short_circuit_mva is not None and (self.resistance_ohm or self.reactance_ohm):
            raise PydanticCustomError(
                "source", "give the source in ohm or by its short-circuit power, not both"
            )
        if self.phases == "a" and (self.neutral_resistance_ohm or self.neutral_reactance_ohm):
            raise PydanticCustomError(
                "neutral", "a single-phase site counts its neutral in the source impedance"
            )
        return self

    @property
    def phase_v(self) -> float:
        """Nominal voltage of a phase in V: to neutral, or the only one."""
        return self.nominal_v / 3**0.5 if self.phases == "abc" else self.nominal_v

    @property
    def impedance_ohm(self) -> complex:
        """Of a phase, from the ideal source to the PCC: source and service transformer in series."""
        source = complex(self.resistance_ohm, self.reactance_ohm)
        if self.short_circuit_mva is not None and self.x_over_r is not None:
            size = self.nominal_v**2 / (self.short_circuit_mva * 1e6)
            source = size * complex(1.0, self.x_over_r) / abs(complex(1.0, self.x_over_r))
        if self.transformer is None:
            return source
        base_ohm = self.nominal_v**2 / self.transformer.va
        return source + base_ohm * complex(self.transformer.r_pct, self.transformer.x_pct) / 100.0

    @property
    def neutral_ohm(self) -> complex:
        """Of the neutral, which carries the sum of the phase currents."""
        return complex(self.neutral_resistance_ohm, self.neutral_reactance_ohm)
