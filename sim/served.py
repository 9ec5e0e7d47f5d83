"""What `dergate sim serve` is given: a sim file, or a scenario, whose site is served with its events and faults."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from pathlib import Path

from sim.files.fault import Fault
from sim.scenario import load_scenario, scenario_names
from sim.simfile import SimFile, load_simfile


@dataclass(frozen=True, slots=True)
class ToServe:
    """A site, the faults of its devices by the time from the start, and the seed of the random ones."""

    sim: SimFile
    faults: tuple[Fault, ...] = ()
    seed: int = 1


def load(name_or_path: str | Path) -> ToServe:
    """A shipped scenario by its name, or a scenario or sim file; a scenario is told by its `expect`.

    Raises:
        FileRefusedError: One sentence for each mistake, with file, line and key.
    """
    if str(name_or_path) in scenario_names() or _has_expectations(Path(name_or_path)):
        scenario = load_scenario(name_or_path)
        return ToServe(scenario.sim, scenario.fault, scenario.seed)
    return ToServe(load_simfile(Path(name_or_path)))


def _has_expectations(path: Path) -> bool:
    try:
        return "expect" in tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return False  # whoever loads it says why
