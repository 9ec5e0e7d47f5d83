"""A scenario: a site, what happens to it, and what must hold (TOML, closed vocabulary, strict).

name = "load-drop"
shows = "One sentence: what it shows."
lesson = [14]                 # cases of the list of lessons that it covers
duration_s = 60.0
site = "five"                 # a shipped base, or a path: "mine" for mine.sim.toml and mine.site.toml beside it
[plant]                       # laid over the sim file: what is there
[agent]                       # laid over the site file: what the agent was told
[[event]]                     # load, sun and grid, by themselves
[[fault]]                     # devices, wires and the gateway
[[ask]]                       # what people ask of the agent
[expect]                      # what must hold
"""

from __future__ import annotations

import difflib
from collections.abc import Iterator
from functools import cached_property
from pathlib import Path
from typing import Annotated, Any

from pydantic import Field

from edge.model import strict_toml
from edge.model.site import Site, Strict, Text
from edge.model.strict_toml import FileRefusedError
from edge.model.toml_lines import Path as KeyPath
from edge.model.toml_lines import line_index
from sim.base import NoSuchSiteError, base_table, placed_site, recordings_from
from sim.expect import Expect
from sim.files.ask import Ask
from sim.files.fault import Fault
from sim.files.script import ScriptEvent
from sim.overlay import Overlay, Table
from sim.simfile import SimFile, recording_problems

SCENARIOS = Path(__file__).parent / "scenarios"

LEAST_JUDGED_S = 2.0
"""Less than this shows nothing: responses are means over a second."""

ScenarioName = Annotated[str, Field(pattern=r"^[a-z][a-z0-9-]{0,59}$")]
Lesson = Annotated[int, Field(ge=1, le=55)]


class Scenario(Strict):
    """One scenario. Times count from the start; what is measured counts from `judged_from_s`."""

    name: ScenarioName
    shows: Text
    lesson: tuple[Lesson, ...] = ()
    duration_s: float = Field(gt=0, le=86_400)
    judged_from_s: float = Field(0.0, ge=0, description="until then the site starts up and settles")
    seed: int = Field(1, ge=0, le=2**63 - 1)
    site: Text | None = Field(None, description="the base; none: all is in [plant] and [agent]")
    plant: dict[str, Any] = Field(default_factory=dict)
    agent: dict[str, Any] = Field(default_factory=dict)
    event: tuple[ScriptEvent, ...] = ()
    fault: tuple[Fault, ...] = ()
    ask: tuple[Ask, ...] = ()
    expect: Expect
    known_failure: Text | None = Field(None, description="why it fails today")

    @cached_property
    def sim(self) -> SimFile:
        """What is there, with the scenario's events as its script.

        Raises:
            FileRefusedError: When [plant] over the base is no sim file.
        """
        return self._checked(SimFile, "plant", {}).model_copy(update={"script": self.event})

    @cached_property
    def site_file(self) -> Site:
        """What the agent was told.

        Raises:
            FileRefusedError: When [agent] over the base is no site file.
        """
        return self._checked(Site, "agent", {})

    def varied(self, plant: Table | None = None, agent: Table | None = None) -> Scenario:
        """The scenario with further changes laid over [plant] and [agent].

        Raises:
            FileRefusedError: When they make no sim file or no site file.
        """
        update = {
            "plant": Overlay(self.plant).lay(plant or {}, "plant").data,
            "agent": Overlay(self.agent).lay(agent or {}, "agent").data,
        }
        changed = Scenario.model_construct(**{**dict(self), **update})
        changed.check({})
        return changed

    def check(self, lines: dict[KeyPath, int], called: str | None = None) -> None:
        """Everything between the tables; `lines` of the file `called`.

        Raises:
            FileRefusedError: With one sentence for each mistake.
        """
        called = called or self.name
        sim = self._checked(SimFile, "plant", lines, called)
        site = self._checked(Site, "agent", lines, called)
        problems = [strict_toml.placed_at(lines, called, *misfit) for misfit in _misfits(self, sim, site)]
        if problems:
            raise FileRefusedError(problems)

    def _checked(
        self, model: type[strict_toml.M], table: str, lines: dict[KeyPath, int], called: str | None = None
    ) -> strict_toml.M:
        suffix = {"plant": "sim", "agent": "site"}[table]
        overlay = Overlay(base_table(self.site, suffix)).lay(getattr(self, table), table)
        called = called or self.name
        try:
            return strict_toml.validated(model, overlay.data, called, lines, overlay.told_as)
        except FileRefusedError as error:
            raise FileRefusedError(_with_added(error.problems, overlay, called, lines)) from error


def load_scenario(name_or_path: str | Path) -> Scenario:
    """A shipped scenario by its name, or one in a file.

    Raises:
        FileRefusedError: One sentence for each mistake, with file, line and key.
    """
    path = Path(name_or_path)
    if str(name_or_path) in scenario_names():
        path = SCENARIOS / f"{name_or_path}.toml"
    elif path.suffix != ".toml" and not path.exists():
        raise FileRefusedError([_unknown(str(name_or_path))])
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "not UTF-8 text"
        raise FileRefusedError([f"{path}: cannot be read: {reason}"]) from error
    scenario = _placed(strict_toml.load(Scenario, text, str(path)), text, path)
    scenario.check(line_index(text), str(path))
    return scenario


def scenario_names() -> tuple[str, ...]:
    """Names of the shipped scenarios, in order."""
    return tuple(sorted(path.stem for path in SCENARIOS.glob("*.toml")))


def _placed(scenario: Scenario, text: str, path: Path) -> Scenario:
    """The scenario with the paths in it taken from its file's folder."""
    site = scenario.site
    if site is not None:
        try:
            site = placed_site(site, path.parent)
        except NoSuchSiteError as error:
            raise FileRefusedError([strict_toml.placed(text, str(path), ("site",), str(error))]) from error
    return scenario.model_copy(update={"site": site, "plant": recordings_from(scenario.plant, path.parent)})


def _with_added(problems: list[str], overlay: Overlay, called: str, lines: dict[KeyPath, int]) -> list[str]:
    """What is missing of an entry that matched none may be a slip in its name: that is told before."""
    told = []
    for path, sentence in overlay.added:
        entry = strict_toml.placed_at(lines, called, path, "")
        missing = [problem for problem in problems if "is required and missing" in problem]
        if any(problem.startswith(entry.removesuffix(": ") + ".") for problem in missing):
            told.append(entry + sentence)
    return [*told, *problems]


def _unknown(name: str) -> str:
    close = difflib.get_close_matches(name, scenario_names(), n=1)
    hint = f"did you mean {close[0]!r}?" if close else "`dergate sim list` shows them"
    return f"no scenario is called {name!r}, and no file; {hint}"


def _misfits(scenario: Scenario, sim: SimFile, site: Site) -> Iterator[tuple[KeyPath, str]]:
    """What the tables ask of each other."""
    units = {unit.role: unit.nameplate_w for unit in sim.inverter}
    told = {der.name for der in site.der}
    if not told <= set(units):
        yield ("agent",), f"der names {_listed(told)}, the plant's inverters are {_listed(set(units))}"
    coils = {coil.role for coil in sim.coil}
    outputs = {output.name for output in site.trip_output if output.is_contact}
    if not outputs <= coils:
        yield ("agent",), f"trip_output names {_listed(outputs)}, the plant's coils are {_listed(coils)}"
    for index, event in enumerate(scenario.event):
        reason = sim.misfit(event)
        if reason:
            yield ("event", index), reason
    for path, reason in recording_problems(sim):
        yield ("plant", *path), reason
    for index, fault in enumerate(scenario.fault):
        misfit = sim.fault_misfit(fault)
        if misfit:
            yield ("fault", index, misfit[0]), misfit[1]
    for table in ("event", "fault", "ask"):
        for index, item in enumerate(getattr(scenario, table)):
            if item.at_s >= scenario.duration_s:
                yield (table, index, "at_s"), f"is not before the end, {scenario.duration_s:g} s"
    if scenario.judged_from_s > scenario.duration_s - LEAST_JUDGED_S:
        yield (
            ("judged_from_s",),
            f"leaves less than {LEAST_JUDGED_S:g} s until the end, {scenario.duration_s:g} s",
        )
    for index, span in enumerate(scenario.expect.during):
        if span.der is not None and span.der not in units:
            yield ("expect", "during", index, "der"), f"no inverter is called {span.der!r}"
        if span.from_s >= scenario.duration_s:
            yield ("expect", "during", index, "from_s"), f"is not before the end, {scenario.duration_s:g} s"


def _listed(names: set[str]) -> str:
    return ", ".join(sorted(names)) or "none"
