"""The sim file: what plant is simulated and on which ports its devices listen (TOML, strict).

Powers in W, times in s, percentages of nameplate. Unknown keys are refused with file, line and key path.
"""

from __future__ import annotations

from pathlib import Path
from typing import Self

from pydantic import Field, model_validator
from pydantic_core import PydanticCustomError

from edge.model import strict_toml
from edge.model.site import Strict, Text
from sim.files.coil import CoilFile
from sim.files.device import DiagnosticFile
from sim.files.grid import Grid, Load
from sim.files.inverter import InverterFile
from sim.files.meter import MeterFile
from sim.files.script import ScriptEvent

DEMO = Path(__file__).parent / "sites" / "demo.sim.toml"


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
