"""`dergate sim stability`: which plants, what is refused, what is left on the disk."""

from __future__ import annotations

import json
from pathlib import Path

from typer.testing import CliRunner, Result

from cli.main import build


def call(*arguments: object) -> Result:
    return CliRunner().invoke(build(), ["sim", "stability", *map(str, arguments)])


def test_one_plant_of_several_ders_for_machines(tmp_path: Path) -> None:
    saved = tmp_path / "plants.json"
    result = call("--plants", "mixed", "--thin", 48, "--jobs", 1, "--json", "--save", saved)
    assert result.exit_code == 0, result.output
    said = json.loads(result.stdout)
    assert said["about"].startswith("drop: 1 of 48 plants (mixed), profiles exact")
    rows = {row["name"]: row for row in said["rows"]}
    assert rows["response ratio, worst"]["goal"] == 1.1
    assert rows["bound from limit, plants judged"]["value"] in (0, 1)
    (plant,) = json.loads(saved.read_text(encoding="utf-8"))
    assert len(plant["case"]["cell"]["others"]) >= 2


def test_only_the_grid_has_a_map(tmp_path: Path) -> None:
    result = call("--plants", "unheard", "--out", tmp_path / "map.png")
    assert result.exit_code == 2
    assert "only plants of the grid have a map" in result.output
    assert not list(tmp_path.iterdir())
