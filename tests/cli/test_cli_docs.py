"""What the documents say is so: commands and options exist, links lead somewhere, tables and examples are the program's."""

from __future__ import annotations

import csv
import re
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import typer
from pydantic.fields import FieldInfo

from cli.main import build
from edge.model.site import Strict
from sim.base import site_names
from sim.der_table import load_unit, read_inputs, run, step_of
from sim.expect import During, Expect
from sim.files.ask import Ask
from sim.files.coil import CoilFile
from sim.files.device import DiagnosticFile
from sim.files.fault import ALLOWS, NEEDS, Fault, FaultKind
from sim.files.grid import Grid, Transformer
from sim.files.inverter import InverterFile
from sim.files.line import LineFile
from sim.files.load import Appliances, CyclingMotor, Load
from sim.files.meter import Cts, MeterFile
from sim.files.script import ScriptEvent
from sim.files.unit import RideThrough, Storage
from sim.files.weather import Clouds, Day, WeatherFile
from sim.quirks import FACTS
from sim.scenario import Scenario, load_scenario
from sim.simfile import SimFile, load_simfile

ROOT = Path(__file__).parents[2]
DOCS = sorted([ROOT / "README.md", *(ROOT / "docs").rglob("*.md")])
GUIDE = ROOT / "docs" / "simulator.md"

TABLES: dict[str, type[Strict]] = {
    "The file": SimFile,
    "`[grid]`": Grid,
    "`grid.transformer`": Transformer,
    "`[load]`": Load,
    "`load.steps`": Appliances,
    "`[[load.motor]]`": CyclingMotor,
    "`[weather]`": WeatherFile,
    "`weather.day`": Day,
    "`weather.clouds`": Clouds,
    "`[meter]`": MeterFile,
    "`meter.ct`": Cts,
    "`[[inverter]]`": InverterFile,
    "`inverter.storage`": Storage,
    "`inverter.ride_through`": RideThrough,
    "`[[coil]]`": CoilFile,
    "`[diagnostic]`": DiagnosticFile,
    "`[[line]]`": LineFile,
    "`[[script]]` of a sim file, `[[event]]` of a scenario": ScriptEvent,
    "A scenario": Scenario,
    "`[[fault]]`": Fault,
    "`[[ask]]`": Ask,
    "`[expect]`": Expect,
    "`[[expect.during]]`": During,
}
"""Headings of `docs/simfile.md`."""


def text_of(name: str) -> str:
    return (ROOT / "docs" / name).read_text(encoding="utf-8")


def rows_under(text: str, heading: str) -> list[list[str]]:
    """Cells of the first table below a heading, without its head."""
    body = text.split(f"\n{heading}\n", 1)[1].split("\n#", 1)[0]
    lines = re.search(r"(?m)^(?:\|.*\n?)+", body)
    assert lines, heading
    return [[cell.strip() for cell in line.split("|")[1:-1]] for line in lines[0].splitlines()[2:]]


def block(text: str, language: str, begin: str = "") -> str:
    """The fenced block of a language that begins so."""
    found = [body for body in re.findall(rf"(?ms)^```{language}\n(.*?)^```$", text) if body.startswith(begin)]
    assert len(found) == 1, (language, begin)
    return str(found[0])


def commands() -> Iterator[tuple[str, str]]:
    """Every `dergate ...` in a shell block or in backquotes, with the document's name."""
    for path in DOCS:
        text = path.read_text(encoding="utf-8")
        shell = "\n".join(re.findall(r"(?ms)^```(?:sh)?\n(.*?)^```$", text))
        lines = [line.split("  #")[0] for line in shell.splitlines() if line.startswith("dergate ")]
        quoted = re.findall(r"`(dergate [^`]+)`", re.sub(r"(?ms)^```.*?^```$", "", text))
        for line in (*lines, *quoted):
            yield path.name, line.strip()


def unknown_words(line: str) -> list[str]:
    """The words of a command line that the command does not know."""
    command: Any = typer.main.get_command(build())
    unknown: list[str] = []
    for word in shlex.split(line)[1:]:
        options = {option for parameter in command.params for option in parameter.opts}
        if hasattr(command, "commands") and not word.startswith("-"):
            if word not in command.commands:
                return [*unknown, word]
            command = command.commands[word]
        elif word.startswith("--") and word.split("=")[0] not in {*options, "--help"}:
            unknown.append(word)
    return unknown


def test_every_command_of_the_documents_exists() -> None:
    found = list(commands())
    assert len(found) > 20
    assert [(name, line, unknown_words(line)) for name, line in found if unknown_words(line)] == []
    assert unknown_words("dergate sim run load-drop --plott x") == ["--plott"]
    assert unknown_words("dergate sim ran") == ["ran"]


@pytest.mark.parametrize("path", DOCS, ids=lambda path: path.name)
def test_every_link_leads_somewhere(path: Path) -> None:
    for target in re.findall(r"\]\(([^)\s]+)\)", path.read_text(encoding="utf-8")):
        name, _, anchor = target.partition("#")
        there = (path.parent / name).resolve() if name else path
        assert there.exists(), target
        if anchor:
            headings = re.findall(r"(?m)^#+ (.+)$", there.read_text(encoding="utf-8"))
            slugs = {re.sub(r"[^\w\- ]", "", heading).lower().replace(" ", "-") for heading in headings}
            assert anchor in slugs, target


@pytest.mark.parametrize(("heading", "model"), TABLES.items(), ids=TABLES)
def test_every_key_is_told_with_its_default(heading: str, model: type[Strict]) -> None:
    told = [(row[0], row[1]) for row in rows_under(text_of("simfile.md"), f"## {heading}")]
    assert told == [(f"`{key}`", default(field)) for key, field in model.model_fields.items()]


def test_no_table_is_told_that_is_not_there() -> None:
    assert re.findall(r"(?m)^## (.+)$", text_of("simfile.md")) == list(TABLES)


def default(field: FieldInfo) -> str:
    """As the tables write it."""
    if field.is_required():
        return "required"
    value = field.get_default(call_default_factory=True)
    if value is None or value in ((), {}, "") or isinstance(value, Strict):
        return ""
    if isinstance(value, tuple):
        return ", ".join(f"{one:g}" for one in value)
    if isinstance(value, bool):
        return str(value).lower()
    return f"{value:g}" if isinstance(value, float) else str(value)


def test_the_quirks_are_those_of_the_program() -> None:
    told = [tuple(row) for row in rows_under(GUIDE.read_text(encoding="utf-8"), "### Quirks")]
    assert told == [
        (
            f"`{quirk}`",
            facts.does,
            "any" if len(facts.devices) == 3 else ", ".join(sorted(facts.devices)),
            ", ".join(map(str, sorted(facts.models))),
        )
        for quirk, facts in FACTS.items()
    ]


def test_the_faults_are_those_of_the_program() -> None:
    told = [row[:2] for row in rows_under(GUIDE.read_text(encoding="utf-8"), "## Faults")]
    needs = {kind: [NEEDS[kind]] if kind in NEEDS else [] for kind in FaultKind}
    assert told == [
        [f"`{kind}`", ", ".join([*needs[kind], *sorted(ALLOWS.get(kind, ()))])] for kind in FaultKind
    ]


def test_the_sites_are_those_that_ship() -> None:
    assert f"(`site`: {', '.join(f'`{name}`' for name in site_names())})" in GUIDE.read_text(encoding="utf-8")


def test_the_sim_files_of_the_guide_load(tmp_path: Path) -> None:
    for name in ("my.sim.toml", "rtu.sim.toml"):
        path = tmp_path / name
        path.write_text(block(GUIDE.read_text(encoding="utf-8"), "toml", f"# {name}\n"), encoding="utf-8")
        assert load_simfile(path).inverter


def test_the_scenario_of_the_guide_loads(tmp_path: Path) -> None:
    path = tmp_path / "my-scenario.toml"
    path.write_text(block(GUIDE.read_text(encoding="utf-8"), "toml", f"# {path.name}\n"), encoding="utf-8")
    assert load_scenario(path).fault


def test_the_table_of_the_guide_is_what_the_unit_does() -> None:
    text = GUIDE.read_text(encoding="utf-8")
    unit = load_unit(block(text, "toml", "# unit.toml\n"), "unit.toml", 50_000.0)
    rows = read_inputs(block(text, "text", "t_s,v_pu").splitlines(), "in.csv")
    told = list(csv.DictReader(block(text, "text", "t_s,p_pu").splitlines()))
    for one, line in zip(run(unit, rows, step_of(rows)), told, strict=True):
        assert (one.t_s, one.status.name.lower()) == (float(line["t_s"]), line["status"])
        assert one.p_pu == pytest.approx(float(line["p_pu"]), abs=1e-4)
        assert one.q_pu == pytest.approx(float(line["q_pu"]), abs=1e-4)
