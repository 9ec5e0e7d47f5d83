"""`dergate sim run` and `sim serve` end with a sentence where the physics cannot go on."""

from __future__ import annotations

from pathlib import Path

import pytest
from typer.testing import CliRunner

from cli.main import build

SITE = """
name = "weak"
[grid]
nominal_v = 480.0
resistance_ohm = {ohm}
[load]
base_w = 1_000.0
[meter]
port = 1
period_s = 0.5
[[inverter]]
role = "roof"
models = "der"
port = 2
nameplate_w = 50_000.0
[diagnostic]
port = 3
[[script]]
at_s = 0.1
load_w = {load_w}
"""

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


@pytest.mark.parametrize(("ohm", "load_w"), [(80.0, 1.0), (0.05, 3e6)], ids=["from the start", "later"])
def test_a_site_that_its_grid_cannot_carry_is_not_served(tmp_path: Path, ohm: float, load_w: float) -> None:
    path = tmp_path / "weak.sim.toml"
    path.write_text(SITE.format(ohm=ohm, load_w=load_w), encoding="utf-8")
    done = CliRunner().invoke(build(), ["sim", "serve", str(path), "--port-base", "0"])
    assert done.exit_code == 2
    assert f"{path}: the grid cannot carry this site: no voltage at the PCC" in done.stderr
