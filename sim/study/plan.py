"""A study and its base scenario, checked against each other before anything runs."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from edge.model.strict_toml import FileRefusedError, placed
from edge.model.toml_lines import Path as KeyPath
from sim.scenario import Scenario, load_scenario, scenario_names
from sim.study.file import MINUTE_S, Feeder, StudyFile, load_study
from sim.study.variant import Seeds, variant


@dataclass(frozen=True, slots=True)
class Plan:
    """All that a worker needs to know."""

    study: StudyFile
    base: Scenario


def load_plan(path: Path, sites: int | None = None) -> Plan:
    """The study in `path` with its scenario, cut to `sites` if given.

    Raises:
        FileRefusedError: When either is refused, or they do not fit; one sentence for each mistake.
    """
    study = load_study(path)
    shipped = study.scenario in scenario_names()
    base = load_scenario(study.scenario if shipped else path.parent / study.scenario)
    text = path.read_text(encoding="utf-8")
    problems = [placed(text, str(path), *misfit) for misfit in _misfits(study, base)]
    if problems:
        raise FileRefusedError(problems)
    variant(base, study.family.drawn(study.seed, 0), Seeds(0, 0))
    return Plan(study if sites is None else study.model_copy(update={"sites": sites}), base)


def _misfits(study: StudyFile, base: Scenario) -> Iterator[tuple[KeyPath, str]]:
    if study.feeder is not None:
        yield from _feeder_misfits(study.feeder, int(base.duration_s))
    if study.family.load_drop_share and not any(event.load_step_w for event in base.event):
        yield ("family", "load_drop_share"), "the scenario has no load_step_w"


def _feeder_misfits(feeder: Feeder, seconds: int) -> Iterator[tuple[KeyPath, str]]:
    """A section is told in means of a minute: of the run itself, or of the window that runs are put into."""
    left = seconds - feeder.from_s
    if feeder.event == "common" and left < MINUTE_S:
        yield ("feeder", "from_s"), f"leaves less than a minute of the scenario's {seconds} s"
    if feeder.event == "scattered" and not 0 < left <= feeder.window_s:
        yield (
            ("feeder", "window_s"),
            f"what from_s leaves of the scenario's {seconds} s must be above 0 and fit in {feeder.window_s} s",
        )
