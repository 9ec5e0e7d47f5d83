"""The sim file: what plant is simulated and on which ports its devices listen (TOML, strict).

Powers in W, times in s, percentages of nameplate. Unknown keys are refused with file, line and key path.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator
from pydantic_core import PydanticCustomError

from edge.model import strict_toml
from edge.model.site import Name, Seconds, Strict, Text, Watts

Port = Annotated[int, Field(ge=1, le=65_535)]
UnitId = Annotated[int, Field(ge=1, le=247)]

DEMO = Path(__file__).parent / "sites" / "demo.sim.toml"


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


class MeterFile(Strict):
    """The PCC meter (SunSpec model 203) and what its readings suffer."""

    port: Port
    unit_id: UnitId = 1
    period_s: float = Field(gt=0, le=60)
    latency_s: Seconds = 0.0
    average_s: Seconds = Field(0.0, description="averaging window; 0: the value at the sampling instant")
    sign: Literal["export_positive", "import_positive"] = "export_positive"


class InverterFile(Strict):
    """One inverter: `der` speaks models 1, 701-706, `legacy` 1, 103, 120, 121, 123."""

    role: Name
    models: Literal["der", "legacy"]
    port: Port
    unit_id: UnitId = 1
    nameplate_w: float = Field(gt=0, le=1e7)
    va_rating_pu: float = Field(1.1, ge=1, le=2, description="apparent power rating over nameplate")
    sun_pu: float = Field(1.0, ge=0, le=2, description="available power over nameplate")
    dead_time_s: Seconds = 0.2
    slope_pct_s: float = Field(100.0, gt=0, le=1e6, description="ramp in % of nameplate a second")
    enter_delay_s: float = Field(300.0, ge=0, le=1000, description="enter service delay, IEEE 1547 4.10.3")
    enter_ramp_s: float = Field(300.0, ge=0, le=1000, description="enter service ramp, IEEE 1547 4.10.3")


class CoilFile(Strict):
    """A Modbus trip module whose contact stands between some inverters and the grid."""

    role: Name
    port: Port
    unit_id: UnitId = 1
    opens: tuple[Name, ...] = Field(min_length=1, description="roles of the inverters behind the contact")
    watchdog_ms: int = Field(500, ge=0, le=65_535, description="0: no watchdog")
    actuation_s: Seconds = 0.05


class DiagnosticFile(Strict):
    """Where the truth can be read: a unit that no real site has."""

    port: Port
    unit_id: UnitId = 1


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


class SimFile(Strict):
    """A whole simulated site."""

    name: Text
    grid: Grid
    load: Load
    meter: MeterFile
    inverter: tuple[InverterFile, ...] = Field(min_length=1)
    coil: tuple[CoilFile, ...] = ()
    diagnostic: DiagnosticFile
    script: tuple[ScriptEvent, ...] = ()

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        inverters = [unit.role for unit in self.inverter]
        roles = ["meter", *inverters, *(coil.role for coil in self.coil)]
        if len(set(roles)) != len(roles):
            raise PydanticCustomError("roles", "every role must be given once, and 'meter' is the meter's")
        unknown = sorted({role for coil in self.coil for role in coil.opens} - set(inverters))
        if unknown:
            raise PydanticCustomError("opens", "coil opens an unknown inverter: {role}", {"role": unknown[0]})
        if len(set(self.ports())) != len(self.ports()):
            raise PydanticCustomError("ports", "every device needs a port of its own")
        return self

    @property
    def nameplate_w(self) -> float:
        """Sum of the inverters' nameplates in W."""
        return sum(unit.nameplate_w for unit in self.inverter)

    def ports(self) -> list[int]:
        """Ports in the order of the file: meter, inverters, coils, diagnostic unit."""
        units = [unit.port for unit in self.inverter]
        return [self.meter.port, *units, *(coil.port for coil in self.coil), self.diagnostic.port]


def load_simfile(path: Path) -> SimFile:
    """Read and check a sim file.

    Raises:
        FileRefusedError: When it cannot be read or is refused; one sentence for each mistake.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "not UTF-8 text"
        raise strict_toml.FileRefusedError([f"{path}: cannot be read: {reason}"]) from error
    return strict_toml.load(SimFile, text, str(path))
