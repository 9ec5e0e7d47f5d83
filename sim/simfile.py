"""The sim file: what plant is simulated and on which ports its devices listen (TOML, strict).

Powers in W, times in s, percentages of nameplate. Unknown keys are refused with file, line and key path.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Self

from pydantic import Field, model_validator
from pydantic_core import PydanticCustomError

from edge.model import strict_toml
from edge.model.site import Strict, Text
from edge.model.toml_lines import Path as KeyPath
from sim.files.coil import CoilFile
from sim.files.device import FEWER_PHASES, DiagnosticFile, Served
from sim.files.fault import ONLY_ON, Device, Fault
from sim.files.grid import Grid
from sim.files.inverter import InverterFile
from sim.files.line import LineFile
from sim.files.load import Load
from sim.files.meter import MeterFile
from sim.files.script import ScriptEvent
from sim.files.weather import WeatherFile
from sim.series import LOAD_COLUMN, WEATHER_COLUMN, read_series

DEMO = Path(__file__).parent / "sites" / "demo.sim.toml"


class SimFile(Strict):
    """A whole simulated site."""

    name: Text
    step_s: float = Field(0.01, ge=1e-4, le=1, description="time step of the physics")
    grid: Grid
    load: Load
    weather: WeatherFile = WeatherFile()
    meter: MeterFile
    inverter: tuple[InverterFile, ...] = Field(min_length=1)
    coil: tuple[CoilFile, ...] = ()
    diagnostic: DiagnosticFile
    line: tuple[LineFile, ...] = ()
    script: tuple[ScriptEvent, ...] = ()

    @model_validator(mode="after")
    def _roles_fit(self) -> Self:
        inverters = [unit.role for unit in self.inverter]
        roles = ["meter", *inverters, *(coil.role for coil in self.coil)]
        if len(set(roles)) != len(roles):
            raise PydanticCustomError("roles", "every role must be given once, and 'meter' is the meter's")
        unknown = sorted({role for coil in self.coil for role in coil.opens} - set(inverters))
        if unknown:
            raise PydanticCustomError("opens", "coil opens an unknown inverter: {role}", {"role": unknown[0]})
        return self

    @model_validator(mode="after")
    def _places_fit(self) -> Self:
        names = [line.name for line in self.line]
        if len(set(names)) != len(names):
            raise PydanticCustomError("lines", "every line must be given once")
        for device in self.served():
            if device.line is not None and device.line not in names:
                raise PydanticCustomError("lines", "there is no line called {line}", {"line": device.line})
        places = [device.place for device in self.served()]
        if len(set(places)) != len(places):
            raise PydanticCustomError(
                "ports", "every device needs a port of its own, or a unit id of its own there"
            )
        return self

    @model_validator(mode="after")
    def _models_fit(self) -> Self:
        if self.grid.phases != "abc":
            return self
        if self.meter.model in FEWER_PHASES:
            raise PydanticCustomError(
                "phases",
                "model {model} has not all phases of a three-phase site; 203, 204, 213 and 214 have",
                {"model": self.meter.model, "under": ("meter", "model")},
            )
        for index, unit in enumerate(self.inverter):
            model = next((each for each in unit.chain() if each in FEWER_PHASES), None)
            if unit.phases == "abc" and model is not None:
                raise PydanticCustomError(
                    "phases",
                    "model {model} has not all phases of {role}; 103, 113 and 701 have, or put the inverter on one phase",
                    {"model": model, "role": unit.role, "under": ("inverter", index, "models")},
                )
        return self

    @model_validator(mode="after")
    def _phases_fit(self) -> Self:
        if self.grid.phases == "abc":
            return self
        if any(unit.phases in {"b", "c"} for unit in self.inverter):
            raise PydanticCustomError("phases", "a single-phase site has no phase b or c for an inverter")
        if self.load.share or any(motor.share for motor in self.load.motor):
            raise PydanticCustomError("phases", "a single-phase site has no phases to share a load between")
        return self

    @model_validator(mode="after")
    def _script_fits(self) -> Self:
        for event in self.script:
            reason = self.misfit(event)
            if reason:
                raise PydanticCustomError("script", "{reason}", {"reason": reason})
        return self

    def misfit(self, event: ScriptEvent) -> str | None:
        """Why `event` cannot happen at this site, or None."""
        kinds = {unit.role: unit.kind for unit in self.inverter}
        if event.role is not None and event.role not in kinds:
            return f"no inverter is called {event.role!r}"
        asked_w = event.wish_w if event.set_w is None else event.set_w
        if asked_w is not None and kinds[event.role or ""] != "storage":
            return f"{event.role!r} is no storage unit that could be set to {asked_w:g} W"
        if event.phase is not None and event.phase not in self.grid.phases:
            return f"a single-phase site has no phase {event.phase!r}"
        return None

    def devices(self) -> dict[str, Device]:
        """What each device is that a fault can strike, by its role."""
        inverters: dict[str, Device] = {unit.role: "inverter" for unit in self.inverter}
        return {"meter": "meter", **inverters, **{coil.role: "coil" for coil in self.coil}}

    def fault_misfit(self, fault: Fault) -> tuple[str, str] | None:
        """The key of `fault` that does not fit this site and why, or None."""
        devices = self.devices()
        for key in ("target", "swap_with"):
            role = getattr(fault, key)
            if role is not None and role not in devices:
                return key, f"no device is called {role!r}; there are {', '.join(devices)}"
        allowed = ONLY_ON.get(fault.kind)
        if fault.target and allowed and devices[fault.target] not in allowed:
            return "target", f"{fault.target!r} can have no {fault.kind}, only {_one_of(allowed)} can"
        return None

    @property
    def nameplate_w(self) -> float:
        """Sum of the inverters' nameplates in W."""
        return sum(unit.nameplate_w for unit in self.inverter)

    def served(self) -> list[Served]:
        """Everything with registers: meter, inverters, coils, diagnostic unit."""
        return [self.meter, *self.inverter, *self.coil, self.diagnostic]

    def ports(self) -> list[int]:
        """TCP ports in the order of `served`."""
        return [device.port for device in self.served() if device.port is not None]


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
    sim = with_recordings(strict_toml.load(SimFile, text, str(path)), path.parent)
    problems = [strict_toml.placed(text, str(path), key, told) for key, told in recording_problems(sim)]
    if problems:
        raise strict_toml.FileRefusedError(problems)
    return sim


def _one_of(devices: Sequence[Device]) -> str:
    return " or ".join(f"{'an' if device == 'inverter' else 'a'} {device}" for device in devices)


def with_recordings(sim: SimFile, folder: Path) -> SimFile:
    """The same site with the paths of its recordings taken from `folder`."""
    load, weather = sim.load, sim.weather
    if load.csv is not None:
        load = load.model_copy(update={"csv": str(folder / load.csv)})
    if weather.csv is not None:
        weather = weather.model_copy(update={"csv": str(folder / weather.csv)})
    return sim.model_copy(update={"load": load, "weather": weather})


def recording_problems(sim: SimFile) -> Iterator[tuple[KeyPath, str]]:
    """Key path and reason of each recording that cannot be used."""
    for table, csv, column in (
        ("load", sim.load.csv, LOAD_COLUMN),
        ("weather", sim.weather.csv, WEATHER_COLUMN),
    ):
        if csv is not None:
            try:
                read_series(Path(csv), column)
            except OSError as error:
                yield (table, "csv"), f"{csv} cannot be read: {error.strerror}"
            except ValueError as error:
                yield (table, "csv"), str(error)
