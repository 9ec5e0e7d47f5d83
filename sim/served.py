"""What `dergate sim serve` is given: a sim file, or a scenario, whose site is served with its events and faults."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from pathlib import Path

from sim.files.ask import Ask
from sim.files.fault import OF_THE_GATEWAY, Fault
from sim.scenario import load_scenario, scenario_names
from sim.simfile import SimFile, load_simfile


@dataclass(frozen=True, slots=True)
class ToServe:
    """A site, what goes wrong by the time from the start, what people ask then, and the seed of random faults."""

    sim: SimFile
    faults: tuple[Fault, ...] = ()
    asks: tuple[Ask, ...] = ()
    seed: int = 1

    def unserved(self) -> tuple[str, ...]:
        """What no device can show, in the order of time: faults of the gateway, and what people ask of the agent."""
        faults = [(fault.at_s, str(fault.kind)) for fault in self.faults if fault.kind in OF_THE_GATEWAY]
        asks = [(ask.at_s, ask.told()) for ask in self.asks]
        return tuple(f"{told} at {at_s:g} s" for at_s, told in sorted(faults + asks))


def load(name_or_path: str | Path) -> ToServe:
    """A shipped scenario by its name, or a scenario or sim file; a scenario is told by its `expect`.

    Raises:
        FileRefusedError: One sentence for each mistake, with file, line and key.
    """
    if str(name_or_path) in scenario_names() or _has_expectations(Path(name_or_path)):
        scenario = load_scenario(name_or_path)
        return ToServe(scenario.sim, scenario.fault, scenario.ask, scenario.seed)
    return ToServe(load_simfile(Path(name_or_path)))


def _has_expectations(path: Path) -> bool:
    try:
        return "expect" in tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return False  # whoever loads it says why
