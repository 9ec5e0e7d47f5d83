"""The grid behind the PCC and the host load before it, as a sim file states them."""

from __future__ import annotations

from pydantic import Field

from edge.model.site import Strict, Watts


class Grid(Strict):
    """The source behind the PCC, as an ideal voltage behind an impedance."""

    nominal_v: float = Field(gt=0, le=100_000, description="nominal line-to-line voltage in V")
    hz: float = Field(60.0, ge=40, le=70)
    hz_noise: float = Field(0.0, ge=0, le=1, description="sigma of the frequency at 10 Hz")
    voltage_pu: float = Field(1.0, gt=0, le=2)
    resistance_ohm: float = Field(0.0, ge=0, le=100)
    reactance_ohm: float = Field(0.0, ge=0, le=100)


class Load(Strict):
    """The host load: a base, and noise that is drawn ten times a second."""

    base_w: Watts
    noise_w: Watts = Field(0.0, description="sigma of the noise at 10 Hz")
    seed: int = Field(1, ge=0)
