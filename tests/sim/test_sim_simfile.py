"""Sim files are refused with file, line and key path, never a traceback."""

from __future__ import annotations

from pathlib import Path

import pytest
from site_tables import inverter, site_of

from edge.model.strict_toml import FileRefusedError
from sim.simfile import DEMO, load_simfile


def refused(tmp_path: Path, old: str, new: str) -> list[str]:
    text = DEMO.read_text()
    assert old in text
    path = tmp_path / "plant.sim.toml"
    path.write_text(text.replace(old, new, 1))
    with pytest.raises(FileRefusedError) as error:
        load_simfile(path)
    return [problem.removeprefix(f"{path}:") for problem in error.value.problems]


def test_the_demo_plant_is_what_the_demo_needs() -> None:
    sim = load_simfile(DEMO)
    assert [unit.role for unit in sim.inverter] == ["inverter-1", "inverter-2"]
    assert sim.nameplate_w == 100_000.0
    assert sim.ports() == [15021, 15022, 15023, 15024, 15029]
    assert [event.load_step_w for event in sim.script] == [-36_000.0, 36_000.0]


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("period_s = 0.2", "periods = 0.2", "meter.periods: unknown key; did you mean 'period_s'?"),
        ("period_s = 0.2", "", "meter.period_s: is required and missing"),
        ("base_w = 45_000.0", 'base_w = "45"', "load.base_w: should be a valid number"),
        ("dead_time_s = 0.2", "dead_time_s = -1.0", "inverter[0].dead_time_s: should be greater"),
        ('models = "legacy"', 'models = "old"', "inverter[1].models: should be 'der' or 'legacy'"),
        ("load_step_w = -36_000.0", "", "script[0]: give exactly one of load_step_w, load_w, sun_pu"),
        ('role = "inverter-2"', 'role = "inverter-1"', "every role must be given once"),
        ('opens = ["inverter-2"]', 'opens = ["inverter-3"]', "opens an unknown inverter: inverter-3"),
        ("port = 15023", "port = 15022", "every device needs a port of its own"),
        ("[grid]", "[grid", "not valid TOML"),
        ("period_s = 0.2", "period_s = 0.2\nmodel = 201", "meter.model: model 201 has not all phases"),
        ("period_s = 0.2", "period_s = 0.2\nmodel = 212", "meter.model: model 212 has not all phases"),
        (
            'models = "legacy"',
            "models = [1, 101, 123]",
            "inverter[1].models: model 101 has not all phases of inverter-2",
        ),
        (
            "period_s = 0.2",
            'period_s = 0.2\nmodel = "abb-b23"\nsign = "import_positive"',
            "meter: the sign of abb-b23 is that of its own registers",
        ),
    ],
)
def test_mistakes_are_told(tmp_path: Path, old: str, new: str, said: str) -> None:
    problems = refused(tmp_path, old, new)
    assert any(said in problem for problem in problems), problems


def test_fewer_phases_fit_where_there_are_no_more() -> None:
    one = inverter(1, models=[1, 101], phases="b")
    assert site_of(one).inverter[0].chain() == (1, 101)
    grid = {"nominal_v": 240.0, "phases": "a"}
    meter = {"port": 1000, "period_s": 0.2, "model": 201}
    assert site_of(inverter(1, models=[1, 101]), grid=grid, meter=meter).meter.model == 201


def test_the_line_is_named(tmp_path: Path) -> None:
    line = DEMO.read_text().splitlines().index("period_s = 0.2") + 1
    problems = refused(tmp_path, "period_s = 0.2", "periods = 0.2")
    assert f"{line}: meter.periods: unknown key; did you mean 'period_s'?" in problems


def test_a_missing_file_is_one_sentence(tmp_path: Path) -> None:
    path = tmp_path / "nowhere.toml"
    with pytest.raises(FileRefusedError) as error:
        load_simfile(path)
    assert error.value.problems == [f"{path}: cannot be read: No such file or directory"]
    path.write_bytes(b"\xff\xfe")
    with pytest.raises(FileRefusedError, match="not UTF-8"):
        load_simfile(path)
