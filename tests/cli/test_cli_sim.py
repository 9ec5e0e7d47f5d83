"""`dergate sim run` ends with a sentence where the physics cannot go on."""

from __future__ import annotations

from pathlib import Path

from typer.testing import CliRunner

from cli.main import build

SCENARIO = """
name = "weak"
shows = "A load that no grid of this kind can carry."
duration_s = 5.0
site = "five"

[plant.grid]
resistance_ohm = {ohm}

[expect]
excursions = 0
"""


def test_a_site_that_its_grid_cannot_carry_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "weak.toml"
    path.write_text(SCENARIO.format(ohm=5.0), encoding="utf-8")
    done = CliRunner().invoke(build(), ["sim", "run", str(path)])
    assert done.exit_code == 2
    assert f"{path}: the grid cannot carry this site: no voltage at the PCC" in done.stderr
    path.write_text(SCENARIO.format(ohm=0.05), encoding="utf-8")
    assert CliRunner().invoke(build(), ["sim", "run", str(path)]).exit_code == 0
